/** What the kernel will make of each archive of an initramfs: the one judgement of `load` and `inspect`. */
import { takenCause } from "../../diagnosis/memory-need.ts";
import { cannot, type KexecError } from "../../errors.ts";
import type { ByteSource } from "../../image/bytes.ts";
import { type Archive, archiveHeadLength, identifyArchive } from "../../initramfs/archive.ts";
import { readBootconfig } from "../../initramfs/bootconfig.ts";
import { type Framing, readFraming } from "../../initramfs/framing.ts";
import type { Piece } from "../../initramfs/join.ts";
import type { FramingFault } from "../../initramfs/walked.ts";
import { Window } from "../../initramfs/window.ts";

/** An archive, open. */
export interface OpenArchive extends ByteSource {
  /** What messages call it. */
  readonly canonicalPath: string;
}

/** Where an archive lies in the whole initramfs. */
export interface Place {
  /** Something comes behind it: another archive, or a secret. */
  readonly followed: boolean;
  /** It is copied, so that its bytes pass through this process anyway. */
  readonly copied: boolean;
  /** A fault is told and not refused, unless something that follows would be lost by it. */
  readonly lenient: boolean;
}

export interface Examined extends Archive {
  readonly piece: Piece;
  /** Why it must not be loaded. */
  readonly problem: KexecError | undefined;
  /** Doubts: the kernel decides. */
  readonly warnings: readonly string[];
  /** The compression that hides whether it is whole; undefined where that was seen. */
  readonly unchecked: string | undefined;
  /** It has microcode or ACPI tables, and nothing else. */
  readonly earlyOnly: boolean;
  /** Bytes that it unpacks to, roughly. */
  readonly unpacked: number;
}

/** Bytes that the gzip archives of a file may unpack to while their ends are looked for: two seconds. */
const mostUnpacked = 2 ** 32;
/** Gzip archives of a file whose ends are looked for: each costs a read of some size. */
const mostGzip = 1000;

/** Looks at one archive as far as that goes without unpacking it; gzip is unpacked where it is copied. */
export async function examineArchive(archive: OpenArchive, place: Place): Promise<Examined> {
  const { canonicalPath: path, size } = archive;
  const head = archive.read(0, Math.min(archiveHeadLength, size));
  const identified = identifyArchive(head);
  const warnings: string[] = [];
  const examined = {
    ...identified,
    piece: { size },
    problem: undefined,
    warnings,
    unchecked: undefined,
    earlyOnly: false,
    unpacked: 0,
  };
  const tooLarge = takenCause(size);
  if (tooLarge !== undefined) {
    const details = { path, ...tooLarge.details };
    return { ...examined, problem: cannot(`use the initramfs ${path}`, { ...tooLarge, details }) };
  }
  const bootconfig = readBootconfig(archive);
  if (bootconfig?.kind === "broken") {
    const problem = `${path} ends in a broken bootconfig: ${bootconfig.why}`;
    // The kernel leaves such a trailer where it is, and unpacks nothing that follows it.
    if (place.followed || place.copied) {
      const hint = "take it off by `bootconfig -d FILE`, or write it anew";
      return { ...examined, problem: cannotJoin(problem, hint) };
    }
    warnings.push(problem);
  }
  const piece = bootconfig?.kind === "broken" ? { size } : { size, bootconfig };
  const zeros = head.every((byte) => byte === 0);
  const oddity = zeros ? undefined : oddityOf(path, identified);
  if (oddity !== undefined) {
    if (place.followed) return { ...examined, problem: cannotJoin(oddity, lostHint) };
    return { ...examined, piece, warnings: [...warnings, oddity] };
  }
  const end = bootconfig?.kind === "bootconfig" ? bootconfig.offset : size;
  const window = new Window(archive, end);
  const first = readFraming(archive, 0, end, window);
  const framing = place.copied ? await framingBehind(first, archive, window) : first;
  const { fault, unchecked, doubts, nothing, earlyOnly, unpacked } = framing;
  if (nothing) warnings.push(`${path} has nothing but zeros in it`);
  for (const doubt of doubts) warnings.push(`${path}: ${doubt}`);
  // A trailer that the kernel does not take for one is no archive either: it was told above.
  const known = fault !== undefined && bootconfig?.kind === "broken" && fault.kind === "junk";
  const error = fault === undefined || known ? undefined : faultOf(path, fault);
  const refused = error !== undefined && (place.followed || !place.lenient);
  if (error !== undefined && !refused) {
    warnings.push(error.message.replace("cannot use the initramfs ", ""));
  }
  return {
    ...examined,
    piece,
    problem: refused ? error : undefined,
    warnings,
    unchecked: unchecked?.compression,
    earlyOnly,
    unpacked,
  };
}

/** Of the whole initramfs: what the kernel reads before it unpacks is no system. */
export function emptyWarning(examined: readonly Examined[]): string | undefined {
  for (const { earlyOnly } of examined) if (!earlyOnly) return undefined;
  if (examined.length === 0) return undefined;
  return "the initramfs has microcode or ACPI tables alone: the next kernel finds no init in it";
}

/** The framing behind gzip archives, which are unpacked to find their ends. */
async function framingBehind(
  first: Framing,
  archive: OpenArchive,
  window: Window,
): Promise<Framing> {
  const { end } = window;
  let framing = first;
  let unpacked = 0;
  for (let count = 0; framing.unchecked?.compression === "gzip"; count++) {
    if (count === mostGzip) break;
    const { at } = framing.unchecked;
    const { gunzip } = await import("../../source/gunzip.ts");
    const within = { size: end, read: archive.read.bind(archive) };
    const found = await gunzip(within, at, ({ length }) => {
      unpacked += length;
      return unpacked <= mostUnpacked;
    });
    if (found.kind === "stopped") break;
    if (found.kind !== "whole") return { ...framing, fault: found, unchecked: undefined };
    const { unpacked: before } = framing;
    framing = readFraming(archive, found.end, end, window);
    framing = { ...framing, unpacked: before + framing.unpacked };
  }
  return framing;
}

const lostHint = "the kernel would unpack nothing that follows it: make it anew, or leave it out";

function oddityOf(path: string, { kind, kernelReads }: Archive): string | undefined {
  if (kind === "unknown") return `${path} does not look like an initramfs archive`;
  return kernelReads ? undefined : `${path} is ${kind}, which the kernel does not unpack`;
}

function cannotJoin(problem: string, hint: string): KexecError {
  return cannot("join the initramfs archives", { code: "malformed-input", why: problem, hint });
}

const what: Readonly<Record<FramingFault["kind"], string>> = {
  cut: "it is cut short",
  junk: "something follows that the kernel does not unpack",
  broken: "it is damaged",
};

function faultOf(path: string, { kind, at, why }: FramingFault): KexecError {
  return cannot(`use the initramfs ${path}`, {
    code: "malformed-input",
    details: { path, rule: `it ${why}, at byte ${at}` },
    why: `${what[kind]}: it ${why}, at byte ${at}`,
    hint:
      kind === "junk"
        ? "take off what is behind the archive, or make it anew: the kernel stops there"
        : "copy it again, or make it anew (update-initramfs -u, dracut -f): was its file system full?",
  });
}
