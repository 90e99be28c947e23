/**
 * Does what the kernel's signature check does, by our own reading of image and keyrings. Pure but for
 * the reading of the image. The order is the kernel's: crypto/asymmetric_keys/
 * verify_pefile.c, pkcs7_verify.c and pkcs7_trust.c, certs/system_keyring.c.
 */
import type { DetailsOf, ErrorCode } from "../errors.ts";
import { type Authenticode, matchesSignature, readAuthenticode } from "../image/authenticode.ts";
import type { ByteSource, ImageProblem } from "../image/bytes.ts";
import { type PeImage, readPe } from "../image/pe.ts";
import type { SignedData, Signer } from "../image/pkcs7.ts";
import type { Certificate } from "../image/x509.ts";
import {
  type Keyrings,
  keyringNames,
  type TrustedKey,
  type TrustedKeyringName,
} from "../machine/proc-keys.ts";
import { valueIn } from "../machine/reading.ts";

/** What was read of an image's signature. */
export interface ImageSignature {
  readonly pe: PeImage | ImageProblem | undefined;
  readonly authenticode: Authenticode | undefined;
  /** Whether the file is still what was signed; undefined: not looked at, or it cannot be told. */
  readonly unchanged: boolean | undefined;
}

/** The outcome of the check. */
export type Judgement =
  | {
      readonly verdict: "good";
      readonly signer: string;
      /** The keyring that vouches for it, such as `.platform`. */
      readonly keyring: string;
    }
  | {
      readonly verdict: "refused";
      readonly code: ErrorCode;
      /** What kexec_file_load(2) gives where the check is enforced. */
      readonly errno: string;
      /** In words, after "it", "the image" or the like. */
      readonly why: string;
      /** The certificate to enrol, where that would help. */
      readonly signer?: string;
      readonly details?: DetailsOf<"kernel-unsigned">;
      /** What has a cure of its own among the causes of one code. */
      readonly case?: "no-efi-header" | "outside-validity";
    }
  | { readonly verdict: "unknown"; readonly why: string };

/**
 * Reads the signature of an image.
 * @param withDigest whether to take the digest of the whole file, to see if it was changed
 */
export function readImageSignature(source: ByteSource, withDigest: boolean): ImageSignature {
  const pe = readPe(source);
  if (pe?.kind !== "pe") return { pe, authenticode: undefined, unchanged: undefined };
  const authenticode = readAuthenticode(source, pe);
  const [first] = authenticode?.signatures ?? [];
  const readable = withDigest && first !== undefined && authenticode?.problem === undefined;
  return {
    pe,
    authenticode,
    unchanged: readable ? matchesSignature(source, pe, first) : undefined,
  };
}

/** Judges an image by what the machine trusts and revokes. */
export function judgeSignature(image: ImageSignature, keyrings: Keyrings): Judgement {
  const judgement = judge(image, keyrings);
  const [signature] = image.authenticode?.signatures ?? [];
  const [signer] = signature?.signers ?? [];
  if (judgement.verdict !== "refused" || signer === undefined) return judgement;
  const details = {
    signer: signer.certificate?.subject.text ?? signer.issuer?.text,
    algorithm: signature?.digestAlgorithm ?? signature?.digestOid,
  };
  return { ...judgement, details };
}

function judge(image: ImageSignature, keyrings: Keyrings): Judgement {
  const { pe, authenticode, unchanged } = image;
  if (pe === undefined) {
    const why = "it has no EFI header, so nobody can have signed it";
    return { ...refused("kernel-unsigned", "ELIBBAD", why), case: "no-efi-header" };
  }
  if (pe.kind === "broken") return refused("kernel-signature-malformed", "ELIBBAD", pe.why);
  if (authenticode === undefined) {
    return refused("kernel-unsigned", "ENODATA", "it carries no signature");
  }
  const { problem, signatures } = authenticode;
  if (problem !== undefined) return refused(problem.code, problem.errno, problem.why);
  const [signature] = signatures;
  const [signer] = signature?.signers ?? [];
  if (signature === undefined || signer === undefined) {
    return refused("kernel-signature-bad", "ENOPKG", "its signature names no signer");
  }
  const name = nameOf(signer);
  if (signer.digestAlgorithm === undefined) {
    // pkcs7_sig_note_digest_algo, while the signature is parsed.
    const why = "its signature uses a digest algorithm that is not known";
    return refused("kernel-signature-algorithm", "ENOPKG", why);
  }
  if (signer.coversContent === false) {
    return refused("kernel-signature-bad", "EKEYREJECTED", "its signature is of other content");
  }
  if (isOutsideValidity(signer)) {
    // pkcs7_verify_one logs "Message signed outside of X.509 validity window". No clock counts.
    const why = `it was signed at a time for which the certificate of ${name} is not valid`;
    return { ...refused("kernel-signature-bad", "EKEYREJECTED", why), case: "outside-validity" };
  }
  if (signer.isOfKey === false) {
    // public_key_verify_signature: what the padding comes to, on 6.12 EINVAL.
    const why = `its signature is damaged: it was not made by the key of ${name}`;
    return refused("kernel-signature-bad", "EINVAL", why);
  }
  const chain = chainOf(signature, signer);
  if (isRevoked(chain, signer, keyrings)) {
    return refused(
      "kernel-signature-revoked",
      "EKEYREJECTED",
      `its signer, ${name}, is revoked by ${keyringNames.blacklist}`,
    );
  }
  const trusted = findTrusted(chain, signer, keyrings);
  if ("unknown" in trusted) return { verdict: "unknown", why: trusted.unknown };
  if (trusted.keyring === undefined) {
    return {
      ...refused(
        "kernel-signer-unknown",
        "ENOKEY",
        `it is signed by ${name}. This machine does not trust ${name}`,
      ),
      signer: name,
    };
  }
  return judgeDigest(signature, signer, unchanged, trusted.keyring);
}

/** Kernels of every version know these digests. */
const commonDigests: ReadonlySet<string> = new Set(["sha256", "sha384", "sha512"]);

function judgeDigest(
  signature: SignedData,
  signer: Signer,
  unchanged: boolean | undefined,
  keyring: string,
): Judgement {
  const name = nameOf(signer);
  if (signature.digestAlgorithm === undefined) {
    const why = `its signature uses an algorithm that is not known (${signature.digestOid})`;
    return refused("kernel-signature-algorithm", "ENOPKG", why);
  }
  if (unchanged === undefined) {
    return {
      verdict: "unknown",
      why: "whether it was changed after it was signed was not looked at",
    };
  }
  if (!unchanged) {
    // pefile_digest_pe logs "Digest mismatch".
    const why = `it was changed after ${name} had signed it`;
    return refused("kernel-changed-after-signing", "EKEYREJECTED", why);
  }
  // SHA-1 and SHA-224 were taken out of Linux 6.7, SHA-3 came with it: mscode_note_digest_algo.
  const rare = [signature.digestAlgorithm, signer.digestAlgorithm].find(
    (algorithm) => algorithm !== undefined && !commonDigests.has(algorithm),
  );
  if (rare !== undefined) {
    return { verdict: "unknown", why: `its signature uses ${rare}, which not every kernel knows` };
  }
  if (signer.isOfKey === undefined) {
    const why = `whether the key of ${name} made its signature is not known: that is seen of RSA only`;
    return { verdict: "unknown", why };
  }
  return { verdict: "good", signer: name, keyring };
}

/** The outcome where no loader of the kernel has a check: kimage_validate_signature. */
export const unverifiable: Judgement & { verdict: "refused" } = {
  verdict: "refused",
  code: "kernel-signature-refused",
  errno: "EKEYREJECTED",
  why: "the running kernel was built without a verifier for images of this architecture",
};

function isOutsideValidity({ signedAt, certificate }: Signer): boolean {
  if (signedAt === undefined || certificate === undefined) return false;
  const { validFrom = signedAt, validTo = signedAt } = certificate;
  return signedAt < validFrom || signedAt > validTo;
}

function refused(code: ErrorCode, errno: string, why: string): Judgement & { verdict: "refused" } {
  return { verdict: "refused", code, errno, why };
}

/** The signer's subject, or its issuer and serial number where the certificate is not there. */
export function nameOf(signer: Signer): string {
  if (signer.certificate !== undefined) return `"${signer.certificate.subject.text}"`;
  if (signer.issuer !== undefined) {
    return `certificate ${signer.serial ?? "?"} of "${signer.issuer.text}"`;
  }
  return "a certificate that the signature does not carry";
}

const longestChain = 16;

/** From the signer's certificate to the last issuer that the signature carries. */
function chainOf(signature: SignedData, signer: Signer): readonly Certificate[] {
  const chain: Certificate[] = [];
  let next = signer.certificate;
  while (next !== undefined && !chain.includes(next) && chain.length < longestChain) {
    const current: Certificate = next;
    chain.push(current);
    next = signature.certificates.find(
      ({ subject, subjectKeyId }) =>
        subject.text === current.issuer.text &&
        (current.authorityKeyId === undefined || subjectKeyId === current.authorityKeyId),
    );
  }
  return chain;
}

/**
 * A certificate is revoked by its hash or by its key: is_key_on_revocation_list, certs/blacklist.c.
 */
function isRevoked(
  chain: readonly Certificate[],
  signer: Signer,
  { blacklist }: Keyrings,
): boolean {
  const revocations = valueIn(blacklist);
  if (revocations === undefined) return false;
  const hashes = new Set(
    revocations.hashes.filter((entry) => entry.of === "tbs").map(({ hash }) => hash),
  );
  return (
    chain.some((certificate) => hashes.has(certificate.tbsFingerprint)) ||
    revocations.certificates.some((key) => vouchesFor(key, chain, signer))
  );
}

/** The keyring with a certificate of the chain, or with the issuer of its last one. */
function findTrusted(
  chain: readonly Certificate[],
  signer: Signer,
  { trusted }: Keyrings,
): { readonly keyring: string | undefined } | { readonly unknown: string } {
  const names: readonly TrustedKeyringName[] = ["builtin", "secondary", "machine", "platform"];
  let unread: string | undefined;
  for (const name of names) {
    const keys = trusted[name];
    if (!keys.known) {
      unread ??= keys.why;
      continue;
    }
    if (keys.value.some((key) => vouchesFor(key, chain, signer))) {
      return { keyring: keyringNames[name] };
    }
  }
  if (unread !== undefined)
    return { unknown: `whether its signer is trusted is not known: ${unread}` };
  // The list of keys has no issuer and serial number, by which such a signature names its signer.
  return chain.length === 0
    ? { unknown: "the signature does not carry its signer's certificate" }
    : { keyring: undefined };
}

/** pkcs7_validate_trust: a key of the chain, or the issuer's of its last certificate. */
function vouchesFor(key: TrustedKey, chain: readonly Certificate[], signer: Signer): boolean {
  return (
    chain.some((certificate) => isKeyOf(key, certificate)) ||
    isSameId(key.id, chain.at(-1)?.authorityKeyId) ||
    (chain.length === 0 && isSameId(key.id, signer.serial))
  );
}

function isKeyOf(key: TrustedKey, certificate: Certificate): boolean {
  return isSameId(key.id, certificate.subjectKeyId ?? certificate.serial);
}

/** x509_key_preparse takes one zero byte off the front. */
function isSameId(listed: string, id: string | undefined): boolean {
  return id !== undefined && (listed === id || `00${listed}` === id);
}
