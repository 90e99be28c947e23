/** What SOURCE is, and whether this machine would take it. Loads nothing and needs no rights. */

import { requireMemory } from "../diagnosis/memory-need.ts";
import { type Prediction, predictCall, predictPermission } from "../diagnosis/predict.ts";
import { KexecError } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { InputFile } from "../linux/file.ts";
import { requireLinux } from "../linux/libc.ts";
import { isDirectory } from "../linux/path.ts";
import { type MachineFacts, readMachineFacts } from "../machine/facts.ts";
import { valueIn } from "../machine/reading.ts";
import { longestCmdline } from "../source/cmdline.ts";
import { resemblesEntry } from "../source/entry-file.ts";
import { Source } from "../source/open.ts";
import { isWhole, type Part } from "../source/part.ts";
import { maxManifestSize } from "../trust/manifest.ts";
import type { TrustRequirement } from "../trust/policy.ts";
import { gateFor } from "./gate/choose-gate.ts";
import { readPolicies, requirementOf } from "./gate/trust-files.ts";
import { inspectArchives } from "./inspection/archives.ts";
import { inspectEntries } from "./inspection/entries.ts";
import { type InspectedImage, inspectImage } from "./inspection/image.ts";
import {
  type CmdlineReport,
  type Inspection,
  reasonOf,
  type SourceReport,
  type TrustInspection,
  type Verdict,
} from "./inspection/inspection.ts";
import { auditManifest, collector, type ManifestAudit } from "./inspection/manifest.ts";
import type { Observer } from "./report.ts";
import { type LoadRequest, type ParsedLoadRequest, parseLoadRequest } from "./request.ts";
import { rsdpForRequest } from "./stages/rsdp.ts";
import { Secrets } from "./stages/secrets.ts";
import { Verified } from "./stages/verify.ts";

/**
 * Reads what `load` would read and judges as it would, in the same order and by the same code, up
 * to the system call; what that would answer is predicted by the machine's facts.
 * @throws KexecError where SOURCE itself cannot be opened, and for a request of the wrong form
 */
export async function inspect(
  request: LoadRequest,
  observer: Pick<Observer, "progress"> = {},
): Promise<Inspection> {
  requireLinux();
  const asked = parseLoadRequest(request);
  const secretProblems = await Secrets.problems(asked.secrets);
  const facts = readMachineFacts();
  using held = new DisposableStack();
  const given = openGiven(asked.kernel, held);
  const doing = `load ${asked.kernel}`;

  const reasons: KexecError[] = [];
  const notes: string[] = [];
  const warn = (line: string) => void notes.push(line);
  const parsed = rsdpForRequest(asked, facts.identity.architecture, { warn });
  const attempt = collector(reasons);
  const take = (prediction: Prediction) => {
    reasons.push(...prediction.reasons);
    notes.push(...prediction.notes);
  };

  take(predictPermission(doing, facts, parsed.crash));
  reasons.push(...secretProblems);
  const { source, verified } = await runPipeline(parsed, facts, held, reasons, notes, observer);
  const { requirement, trust, manifest } = await inspectTrust(
    given,
    parsed,
    facts,
    verified !== undefined,
    held,
    reasons,
    observer,
  );

  const imageFile = source?.kernel.file ?? given.file;
  const demanded = demandsSignature(facts);
  const lookAt = (bytes: ByteSource, path: string) =>
    inspectImage(bytes, path, facts.keyrings, demanded);
  const image =
    imageFile === undefined || (source === undefined && given.report.kind !== "image")
      ? undefined
      : attempt(() => lookAt(imageFile, imageFile.canonicalPath));
  const inside = verified?.image.file;
  const kernel = inside === undefined ? undefined : attempt(() => lookAt(inside, inside.path));

  const entries =
    given.report.kind === "directory"
      ? inspectEntries(asked.kernel, asked.entry, facts.identity.architecture)
      : null;
  const followed = parsed.secrets.length > 0;
  const archives = inspectArchives(
    verified?.initrds ?? source?.initrds.map(({ file }) => file) ?? manifest?.archives ?? [],
    source === undefined ? parsed.initrd : [],
    { followed, copied: followed || (verified?.initrds.some(mustBeCopied) ?? false) },
    reasons,
  );
  notes.push(...archives.notes);
  if (verified?.cmdline === "") {
    notes.push("the command line is empty: the next kernel gets no root= and no console=");
  }
  const kernelSize = inside?.size ?? imageFile?.size ?? 0;
  const need = { kernel: kernelSize, initrd: archives.size, copied: archives.copied };
  attempt(() => requireMemory(need, facts.memory));
  const judgement = (kernel ?? bareKernel(image))?.judgement;
  const call: Prediction =
    judgement === undefined
      ? { reasons: [], doubts: [], notes: [] }
      : predictCall(doing, facts, {
          judgement,
          kernelSize,
          kernelMemory: memoryToStart(kernel ?? image, kernelSize),
          initrdSize: archives.size,
          crash: parsed.crash,
        });
  take(call);

  const same = sameImage(image, kernel);
  return {
    source: given.report,
    entries: typeof entries === "string" ? null : entries,
    image: image?.report ?? null,
    kernel: same ? null : (kernel?.report ?? null),
    initrds: archives.reports,
    cmdline: verified === undefined ? null : cmdlineReport(verified),
    manifest: manifest?.report ?? null,
    trust: {
      ...trust,
      minGeneration: requirement?.minGeneration ?? null,
      signed: verified?.trust ?? null,
    },
    verdict: verdictOf(reasons, call.doubts, notes),
    unknown: {
      ...(typeof entries === "string" ? { entries } : {}),
      ...unknownOf(image, same ? undefined : kernel, verified, facts),
    },
  };
}

interface Given {
  readonly report: SourceReport;
  /** Undefined: a directory. */
  readonly file: InputFile | undefined;
  /** The whole of a manifest, or the beginning of another file. */
  readonly head: Uint8Array;
}

function openGiven(path: string, held: DisposableStack): Given {
  if (isDirectory(path)) {
    return {
      report: { path, size: 0, kind: "directory" },
      file: undefined,
      head: new Uint8Array(),
    };
  }
  const file = held.use(InputFile.open(path, "kernel"));
  const head = file.read(0, Math.min(file.size, maxManifestSize + 1));
  const report = { path: file.canonicalPath, size: file.size, kind: kindOf(head) };
  return { report, file, head };
}

function kindOf(head: Uint8Array): SourceReport["kind"] {
  const start = new TextDecoder().decode(head.subarray(0, 64));
  if (/^\ufeff?\s*\{/.test(start)) return "manifest";
  return resemblesEntry(head) ? "boot entry" : "image";
}

/** The stages of a load, as far as they go; what stops them is the first reason. */
async function runPipeline(
  request: ParsedLoadRequest,
  facts: MachineFacts,
  held: DisposableStack,
  reasons: KexecError[],
  notes: string[],
  listening: Pick<Observer, "progress">,
): Promise<{ readonly source: Source | undefined; readonly verified: Verified | undefined }> {
  const observer: Observer = {
    warn: (line) => void notes.push(line),
    progress: (step, done, total) => listening.progress?.(step, done, total),
  };
  let source: Source | undefined;
  try {
    const gate = await gateFor(request);
    source = held.use(await Source.open(request, observer, gate.admit));
    const { architecture } = facts.identity;
    const verified = held.use(await Verified.from(source, request, architecture, gate, observer));
    return { source, verified };
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    reasons.push(error);
    return { source, verified: undefined };
  }
}

async function inspectTrust(
  given: Given,
  request: ParsedLoadRequest,
  facts: MachineFacts,
  isVerified: boolean,
  held: DisposableStack,
  reasons: KexecError[],
  observer: Pick<Observer, "progress">,
): Promise<{
  readonly requirement: TrustRequirement | undefined;
  readonly trust: Pick<TrustInspection, "required" | "policies" | "keys">;
  readonly manifest: ManifestAudit | undefined;
}> {
  const policies = collector(reasons)(() => readPolicies(request.policy));
  const requirement = policies === undefined ? undefined : requirementOf(policies, request);
  // A policy that cannot be read lets nothing through; what the request asks for is still checked.
  const audited = requirement ?? requirementOf([], request);
  const manifest =
    given.report.kind === "manifest"
      ? await auditManifest(
          given.head,
          request,
          audited,
          facts.identity.architecture,
          isVerified,
          held,
          observer,
        )
      : undefined;
  reasons.push(...(manifest?.reasons ?? []));
  const trust = {
    required: requirement?.required ?? true,
    policies: policies?.map(({ path }) => path) ?? [],
    keys: manifest?.keys ?? [],
  };
  return { requirement, trust, manifest };
}

function mustBeCopied(part: Part): boolean {
  return part.expected !== undefined || !isWhole(part);
}

/** Where it may depend on the signature whether the kernel takes an image. */
function demandsSignature({ signatures, lockdown }: MachineFacts): boolean {
  if (valueIn(signatures.checked) === false) return false;
  const level = valueIn(lockdown);
  return valueIn(signatures.enforced) === true || (level !== undefined && level !== "none");
}

/** An image that the kernel would be given as it is, although the load stopped before. */
function bareKernel(image: InspectedImage | undefined): InspectedImage | undefined {
  const format = image?.report.format;
  return format === "bzImage" || format === "arm64 Image" ? image : undefined;
}

/** Bytes, by its header: what the call places is as large. */
function memoryToStart(image: InspectedImage | undefined, size: number): number {
  const { initSize, imageSize } = image?.report.facts ?? {};
  return Math.max(size, Number(initSize ?? 0), Number(imageSize ?? 0));
}

function sameImage(one: InspectedImage | undefined, other: InspectedImage | undefined): boolean {
  return one?.report.format === other?.report.format && one?.report.size === other?.report.size;
}

function cmdlineReport({ cmdline, image }: Verified): CmdlineReport {
  const length = new TextEncoder().encode(cmdline).byteLength;
  return { text: cmdline, length, longest: longestCmdline(image.kernel.limit) };
}

function verdictOf(
  reasons: readonly KexecError[],
  doubts: readonly KexecError[],
  notes: readonly string[],
): Verdict {
  const distinct = new Map(reasons.map((error) => [error.message, reasonOf(error)] as const));
  const all = [...distinct.values()];
  return {
    takes: all.length === 0,
    wouldExit: all[0]?.exit ?? 0,
    reasons: all,
    // A certain refusal is not made doubtful by what comes after it.
    doubts: all.length === 0 ? doubts.map(reasonOf) : [],
    notes: [...new Set(notes)],
  };
}

function unknownOf(
  image: InspectedImage | undefined,
  kernel: InspectedImage | undefined,
  verified: Verified | undefined,
  facts: MachineFacts,
): Inspection["unknown"] {
  const unknown: Record<string, string> = {};
  const look = (name: string, inspected: InspectedImage | undefined) => {
    if (inspected === undefined) return;
    const { report, judgement, digestUnknown } = inspected;
    if (digestUnknown !== undefined) unknown[`${name}.changedAfterSigning`] = digestUnknown;
    if (report.signatures.length > 0 && judgement.verdict === "unknown") {
      unknown[`${name}.trustedBy`] = judgement.why;
    }
  };
  look("image", image);
  look("kernel", kernel);
  if (verified === undefined) unknown["cmdline"] = "the load would not get as far";
  if (!facts.signatures.checked.known) {
    unknown["verdict"] = `whether signatures are looked at: ${facts.signatures.checked.why}`;
  }
  return unknown;
}
