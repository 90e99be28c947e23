/** The facts of an image in the form that `inspect` shows. */

import {
  type ImageSignature,
  type Judgement,
  judgeSignature,
  readImageSignature,
} from "../../diagnosis/signature-check.ts";
import type { ByteSource } from "../../image/bytes.ts";
import type { SignedData } from "../../image/pkcs7.ts";
import { type ImageFacts, recogniseImage, summariseImage } from "../../image/recognise.ts";
import { ukiSection } from "../../image/uki.ts";
import type { Keyrings } from "../../machine/proc-keys.ts";
import type { ImageReport, SignatureReport } from "./inspection.ts";

/**
 * Bytes up to which the digest of a signed file is taken unasked: kernels are smaller. Of a larger
 * file it is taken only where the machine demands a signature.
 */
const digestUnasked = 64 << 20;
/** No kernel comes near: what a sparse file announces must not keep anybody busy. */
const digestAtMost = 512 << 20;

export interface InspectedImage {
  readonly report: ImageReport;
  readonly judgement: Judgement;
  /** Why `changedAfterSigning` is null although the file is signed. */
  readonly digestUnknown: string | undefined;
}

/**
 * Reads an image's headers, and where it is signed its digest.
 * @param demanded whether the machine's verdict depends on its signature
 */
export function inspectImage(
  source: ByteSource,
  path: string,
  keyrings: Keyrings,
  demanded: boolean,
): InspectedImage {
  const image = recogniseImage(source);
  const { format, facts } = summariseImage(image);
  const withDigest = source.size <= (demanded ? digestAtMost : digestUnasked);
  const signature = readImageSignature(source, withDigest);
  const judgement = judgeSignature(signature, keyrings);
  const { authenticode, unchanged } = signature;
  const signed = (authenticode?.signatures.length ?? 0) > 0;
  return {
    judgement,
    digestUnknown: signed && unchanged === undefined ? digestWhy(withDigest, demanded) : undefined,
    report: {
      path,
      size: source.size,
      format,
      broken: image.kind === "broken" ? image.why : brokenPe(signature),
      facts,
      sections: sectionsOf(image),
      profiles: profilesOf(image),
      signatures: authenticode?.signatures.map(signatureReport) ?? [],
      signatureProblem: authenticode?.problem?.why ?? null,
      changedAfterSigning: unchanged === undefined ? null : !unchanged,
      trustedBy: judgement.verdict === "good" ? judgement.keyring : null,
    },
  };
}

function digestWhy(withDigest: boolean, demanded: boolean): string {
  if (withDigest) return "the signature cannot be read, or uses an algorithm that is not known";
  return demanded
    ? `the file is over ${digestAtMost >> 20} MiB, larger than any kernel: its digest was not taken`
    : `the file is over ${digestUnasked >> 20} MiB, and this machine demands no signature: its digest was not taken`;
}

function brokenPe({ pe }: ImageSignature): string | null {
  return pe?.kind === "broken" ? pe.why : null;
}

function sectionsOf(facts: ImageFacts): ImageReport["sections"] {
  if (facts.kind !== "uki") return null;
  const names = new Set([
    ...facts.base.map(({ name }) => name),
    ...facts.profiles.flatMap(({ sections }) => sections.map(({ name }) => name)),
  ]);
  return Object.fromEntries([...names].map((name) => [name, ukiSection(facts, name)?.size ?? 0]));
}

function profilesOf(facts: ImageFacts): ImageReport["profiles"] {
  if (facts.kind !== "uki") return null;
  return facts.profiles.map(({ id, title }) => ({ id: id ?? null, title: title ?? null }));
}

function signatureReport(signature: SignedData): SignatureReport {
  return {
    digestAlgorithm: signature.digestAlgorithm ?? signature.digestOid,
    digest: signature.digest,
    signers: signature.signers.map(({ certificate, issuer, serial }) => ({
      subject: certificate?.subject.text ?? null,
      issuer: issuer?.text ?? null,
      serial: serial ?? null,
      fingerprint: certificate?.fingerprint ?? null,
      keyId: certificate?.subjectKeyId ?? null,
    })),
  };
}
