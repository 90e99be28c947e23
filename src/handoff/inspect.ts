/** What SOURCE is, and whether this machine would take it. Loads nothing and needs no rights. */

import { mayNotUnpack, requireMemory, takenCause } from "../diagnosis/memory-need.ts";
import { knownPlatforms } from "../diagnosis/platforms.ts";
import { type Prediction, predictCall, predictPermission } from "../diagnosis/predict.ts";
import { ENOENT } from "../errno.ts";
import { cannot } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { requireLinux } from "../linux/libc.ts";
import { statusOfPath } from "../linux/path.ts";
import { type MachineFacts, readMachineFacts } from "../machine/facts.ts";
import { readPlatform } from "../machine/platform.ts";
import type { Admission } from "../source/kind.ts";
import { FoundSource, Source } from "../source/open.ts";
import { isWhole, type OpenFile } from "../source/open-file.ts";
import { isTree, shownSource } from "../source/place.ts";
import { admissionFor, gateFor } from "./gate/choose-gate.ts";
import { type ArchivesInspected, inspectArchives } from "./inspection/archives.ts";
import { inspectEntries } from "./inspection/entries.ts";
import { type InspectedImage, inspectImage } from "./inspection/image.ts";
import type {
  EntryReport,
  Inspection,
  ScreenReport,
  SourceReport,
} from "./inspection/inspection.ts";
import { inspectIso } from "./inspection/iso.ts";
import { predictMeasurement } from "./inspection/measure.ts";
import { Reasons } from "./inspection/reasons.ts";
import { inspectTrust } from "./inspection/trust.ts";
import {
  bareKernel,
  cmdlineReport,
  demandsSignature,
  memoryToStart,
  sameImage,
  unknownOf,
  verdictOf,
} from "./inspection/verdict.ts";
import { screenAfter } from "./next/screen.ts";
import { roomToUnpack } from "./next/unpack-room.ts";
import type { Observer } from "./report.ts";
import {
  hasOneSource,
  type LoadRequest,
  type ParsedLoadRequest,
  parseLoadRequest,
  requestsOf,
} from "./request.ts";
import { mustBeCopied } from "./stages/assemble.ts";
import { changedWarning } from "./stages/changed-image.ts";
import { rsdpForRequest } from "./stages/rsdp.ts";
import { placeWarnings, Secrets, secretsAskedFor } from "./stages/secrets.ts";
import { Verified } from "./stages/verify.ts";

/**
 * Takes the stages of `load`, by the same code and in the same order, up to the system call; what
 * stops one is a reason, and the rest is looked at all the same. What the call would answer is
 * predicted by the machine's facts. Of several SOURCEs the one that `load` would take is shown.
 * @throws KexecError where SOURCE itself cannot be opened, and for a request of the wrong form
 */
export async function inspect(
  { policyRoot, ...request }: InspectRequest,
  observer: Pick<Observer, "progress"> = {},
): Promise<Inspection> {
  requireLinux();
  const asked = parseLoadRequest(request);
  if (policyRoot !== undefined) requireTree(policyRoot);
  const facts = readMachineFacts();
  const look = (one: ParsedLoadRequest) => inspectOne(one, policyRoot, facts, observer);
  if (hasOneSource(asked)) return look(asked);
  const { firstInspection } = await import("./inspection/several.ts");
  return firstInspection(requestsOf(asked), look);
}

/** As `LoadRequest`; nothing is loaded. */
export type InspectRequest = LoadRequest & {
  /** The root folder of another system: its policy and its keys count instead of this machine's. */
  readonly policyRoot?: string | undefined;
};

/** A name that is misspelt would be a system without a policy. @throws KexecError `file-not-found` */
function requireTree(path: string): void {
  const status = path === "" ? -ENOENT : statusOfPath(path);
  if (typeof status !== "number" && status.type === "directory") return;
  throw cannot(`rehearse with the policy of ${path}`, {
    code: "file-not-found",
    details: { path },
    why: "there is no such folder",
    hint: "give the root folder of the other system: the one that has its etc",
  });
}

async function inspectOne(
  asked: ParsedLoadRequest,
  policyRoot: string | undefined,
  facts: MachineFacts,
  observer: Pick<Observer, "progress">,
): Promise<Inspection> {
  const { architecture } = facts.identity;
  using held = new DisposableStack();
  const reasons = new Reasons();
  const notes: string[] = [];
  const listener: Observer = {
    warn: (line) => void notes.push(line),
    progress: (...told) => observer.progress?.(...told),
  };
  const predicted = ({ reasons: certain, notes: said }: Prediction) => {
    reasons.add(...certain);
    notes.push(...said);
  };

  const parsed = { ...rsdpForRequest(asked, architecture, listener), policyRoot };
  predicted(predictPermission(`load ${shownSource(parsed.source)}`, facts, parsed.crash));
  reasons.add(...(await Secrets.problems(parsed.secrets)));
  notes.push(...placeWarnings(parsed.secrets));
  const gate = await reasons.attemptAsync(() => gateFor(parsed));
  reasons.add(
    ...(gate?.refusedSecrets(parsed.secrets.filter(({ luks }) => luks === undefined)) ?? []),
  );
  observer.progress?.(`opening ${shownSource(parsed.source)}`, 0, 0, "open");
  const admission = gate && (await admissionFor(gate, parsed, listener));
  const found = held.use(
    await FoundSource.find(parsed, listener, admission ?? brokenGate(reasons)),
  );
  const source =
    gate && (await reasons.attemptAsync(async () => held.use(await Source.of(found, parsed))));
  const verified =
    gate &&
    source &&
    (await reasons.attemptAsync(async () =>
      held.use(await Verified.from(source, parsed, architecture, gate, listener)),
    ));
  const trust = await inspectTrust(found, parsed, architecture, verified, held, reasons, listener);
  const measured = await predictMeasurement(parsed, gate?.policies ?? [], policyRoot !== undefined);
  predicted(measured);
  const entries = await listEntries(found, parsed.entry, reasons);
  const iso = await inspectIso(found, parsed.entry, source, notes);
  const { image, kernel } = lookAtImages(found, source, verified, facts, reasons);
  const archives = await lookAtArchives(parsed, source, verified, trust.archives, reasons);
  notes.push(...archives.notes);
  if (verified?.cmdline === "") {
    notes.push("the command line is empty: the next kernel gets no root= and no console=");
  }
  reasons.attempt(() => verified?.requireUnchanged());
  const kernelSize = verified?.image.file.size ?? image?.report.size ?? 0;
  const need = { kernel: kernelSize, initrd: archives.size, copied: archives.copied };
  const tight = reasons.attempt(() => requireMemory(need, facts.memory));
  if (tight !== undefined) notes.push(tight);
  // What the kernel does not take is not read to its end for what would become of it.
  const isTaken = takenCause(Math.max(kernelSize, archives.size)) === undefined;
  if (
    verified !== undefined &&
    isTaken &&
    mayNotUnpack(
      { initrd: archives.size, unpacked: archives.unpacked },
      verified.cmdline,
      parsed.crash,
      facts.memory,
    )
  ) {
    const room = roomToUnpack(verified, parsed.crash, facts.memory);
    if (room?.fits === false && room.certain) reasons.add(cannot("load", room.cause));
    else if (room?.fits === false) notes.push(room.text);
  }
  const call = predictTheCall(parsed, facts, image, kernel, { ...need, kernel: kernelSize });
  predicted(call);

  const changed = (kernel ?? bareKernel(image))?.report;
  if (changed?.changedAfterSigning === true) notes.push(changedWarning(changed.path));
  const same = sameImage(image, kernel);
  return {
    source: sourceReport(found),
    entries: typeof entries === "string" ? null : entries,
    iso,
    image: image?.report ?? null,
    kernel: same ? null : (kernel?.report ?? null),
    initrds: archives.reports,
    cmdline: verified === undefined ? null : cmdlineReport(verified, parsed.crash),
    manifest: trust.manifest,
    trust: trust.report,
    verdict: verdictOf(reasons.all, [...measured.doubts, ...call.doubts], notes),
    unknown: {
      ...(typeof entries === "string" ? { entries } : {}),
      ...unknownOf(image, same ? undefined : kernel, verified, facts),
    },
    next: {
      screen:
        verified === undefined || parsed.crash || !isTaken ? null : await screenReport(verified),
      platforms: knownPlatforms(readPlatform(facts.identity.release)),
    },
    secrets: secretsAskedFor(parsed.secrets),
  };
}

async function screenReport(verified: Verified): Promise<ScreenReport | null> {
  const after = await screenAfter(verified);
  return after === undefined ? null : { ...after, hint: after.hint ?? null };
}

/** Where no policy can be read nothing is admitted: what is listed is no more than listed. */
function brokenGate(reasons: Reasons): Admission {
  const refuse = async () => {
    throw reasons.all.at(-1) ?? new TypeError("the gate could not be read");
  };
  return {
    required: true,
    fileSystems: [],
    admit: refuse,
    judgeWhole: refuse,
  };
}

function sourceReport({ found, kind, path }: FoundSource): SourceReport {
  return isTree(found)
    ? { path, size: 0, kind: "directory" }
    : { path: found.file.canonicalPath, size: found.file.size, kind };
}

/** The entries of a menu, or why they cannot be listed; null where SOURCE has no menu. */
async function listEntries(
  found: FoundSource,
  wanted: string | undefined,
  reasons: Reasons,
): Promise<readonly EntryReport[] | string | null> {
  const menu = await new Reasons().attemptAsync(() => found.menu());
  if (menu !== undefined) return inspectEntries(menu, wanted);
  return isTree(found.found) ? (reasons.all.at(-1)?.message ?? "it has no entries") : null;
}

/** The file that boots, and the kernel that is taken out of it. */
function lookAtImages(
  { found, kind }: FoundSource,
  source: Source | undefined,
  verified: Verified | undefined,
  facts: MachineFacts,
  reasons: Reasons,
): { readonly image: InspectedImage | undefined; readonly kernel: InspectedImage | undefined } {
  const demanded = demandsSignature(facts);
  const lookAt = (bytes: ByteSource, path: string) =>
    reasons.attempt(() => inspectImage(bytes, path, facts.keyrings, demanded));
  const given: OpenFile | undefined = isTree(found) || kind !== "image" ? undefined : found.file;
  const file = source?.kernel.file ?? given;
  const inside = verified?.image.file;
  return {
    image: file && lookAt(file, file.canonicalPath),
    kernel: inside && lookAt(inside, inside.path),
  };
}

/** Those of the stage that was reached; what was not opened yet is opened one by one. */
function lookAtArchives(
  request: ParsedLoadRequest,
  source: Source | undefined,
  verified: Verified | undefined,
  audited: readonly OpenFile[],
  reasons: Reasons,
): Promise<ArchivesInspected> {
  const opened = (verified?.initrds ?? source?.initrds)?.map(({ file }) => file);
  // An image may be large, and is looked at by its directories: its archives are unpacked by a load.
  const copied = source?.whole === undefined ? verified?.initrds : undefined;
  const partial = new Set(
    copied?.flatMap(({ file, expected }) =>
      isWhole(file) || expected !== undefined ? [] : [file],
    ),
  );
  return inspectArchives(
    opened ?? audited,
    source === undefined ? request.initrd : [],
    {
      followed: request.secrets.length > 0,
      lenient: request.damagedInitrd === "warn",
      isPartial: (archive) => partial.has(archive),
      copied: verified?.initrds.some(mustBeCopied) ?? false,
    },
    reasons,
  );
}

function predictTheCall(
  request: ParsedLoadRequest,
  facts: MachineFacts,
  image: InspectedImage | undefined,
  kernel: InspectedImage | undefined,
  sizes: { readonly kernel: number; readonly initrd: number },
): Prediction {
  const judgement = (kernel ?? bareKernel(image))?.judgement;
  if (judgement === undefined) return { reasons: [], doubts: [], notes: [] };
  return predictCall(`load ${shownSource(request.source)}`, facts, {
    judgement,
    kernelSize: sizes.kernel,
    kernelMemory: memoryToStart(kernel ?? image, sizes.kernel),
    initrdSize: sizes.initrd,
    crash: request.crash,
  });
}
