/** Archives and secrets joined in memory, the digests of signed ones taken of the copy. */
import { cannot } from "../../errors.ts";
import type { ByteSource } from "../../image/bytes.ts";
import { readBootconfig } from "../../initramfs/bootconfig.ts";
import type { InjectedArchive } from "../../initramfs/inject.ts";
import type { JoinPlan, Piece } from "../../initramfs/join.ts";
import { Memfd } from "../../linux/memfd.ts";
import { appendRange, type SourceFile } from "../../source/open-file.ts";
import type { Observer } from "../report.ts";
import { type Range, requireDigest } from "./copy.ts";
import type { HeldSecret } from "./secrets.ts";

export interface Joining {
  readonly plan: Extract<JoinPlan, { passThrough: false }>;
  /** What the plan was made of; of each its file in `initrds`. */
  readonly pieces: readonly Piece[];
  readonly initrds: readonly SourceFile[];
  readonly injection: InjectedArchive | undefined;
  readonly secrets: readonly HeldSecret[];
}

/**
 * Carries out a plan in a sealed file in memory. It and the windows on its secrets go on `held`, which
 * overwrites the secrets when it is disposed of.
 * @throws KexecError `file-changed`, `digest-mismatch`, `out-of-memory`, `io-error`
 */
export function joinArchives(
  { plan, pieces, initrds, injection, secrets }: Joining,
  held: DisposableStack,
  observer: Observer,
): Memfd {
  const joined = held.use(Memfd.create("initramfs"));
  join(joined, plan, initrds, injection, secrets, held, observer);
  requireDigests(joined, plan, pieces, initrds, observer);
  return joined;
}

function join(
  joined: Memfd,
  plan: Extract<JoinPlan, { passThrough: false }>,
  initrds: readonly SourceFile[],
  injection: InjectedArchive | undefined,
  secrets: readonly HeldSecret[],
  held: DisposableStack,
  observer: Observer,
): void {
  let done = 0;
  const onCopied = (bytes: number) => {
    done += bytes;
    observer.progress?.("joining the initramfs", done, plan.size, "join");
  };
  for (const segment of plan.segments) {
    switch (segment.from) {
      case "zeros":
        joined.appendZeros(segment.length);
        onCopied(segment.length);
        break;
      case "injected":
        if (injection !== undefined) inject(joined, injection, secrets, held);
        break;
      default: {
        const given = initrds[segment.piece];
        if (given === undefined) break;
        appendRange(joined, given.file, segment.offset, segment.length, onCopied);
      }
    }
  }
  if (secrets.length > 0) joined.sealAroundSecrets();
  else joined.seal();
}

/** The digest of each piece, taken of the copy, whichever way its parts were laid out. */
function requireDigests(
  joined: Memfd,
  plan: Extract<JoinPlan, { passThrough: false }>,
  pieces: readonly Piece[],
  initrds: readonly SourceFile[],
  observer: Observer,
): void {
  for (const [piece, { file, expected }] of initrds.entries()) {
    if (expected === undefined) continue;
    const path = file.canonicalPath;
    const ranges = plan.segments.filter((segment) => "piece" in segment && segment.piece === piece);
    requireDigest(joined, ranges, expected, path, observer);
    // The layout followed a bootconfig that was read before the copy: it must still be there.
    const found = readBootconfig(joinedPiece(joined, ranges, expected.size));
    if (found?.kind === "broken" || found?.offset !== pieces[piece]?.bootconfig?.offset) {
      throw cannot(`use ${path}`, {
        code: "file-changed",
        details: { path },
        why: "the file changed while it was read",
      });
    }
  }
}

/** A piece as it was before its parts were moved. */
function joinedPiece(joined: Memfd, ranges: readonly Range[], size: number): ByteSource {
  return {
    size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let start = 0;
      for (const range of ranges) {
        const from = Math.max(offset, start);
        const to = Math.min(offset + length, start + range.length);
        if (to > from) bytes.set(joined.read(range.at + from - start, to - from), from - offset);
        start += range.length;
      }
      return bytes;
    },
  };
}

function inject(
  joined: Memfd,
  injection: InjectedArchive,
  secrets: readonly HeldSecret[],
  held: DisposableStack,
): void {
  for (const part of injection.parts) {
    if ("bytes" in part) {
      joined.append(part.bytes);
      continue;
    }
    const memory = secrets[part.file]?.memory;
    if (memory === undefined) continue;
    const start = joined.size;
    joined.appendZeros(part.length);
    // The window is how the secret gets in and, past the seal, how it is overwritten.
    const window = joined.secretWindow(start, part.length);
    held.defer(() => {
      window.bytes.fill(0);
      window[Symbol.dispose]();
    });
    memory.copyTo(window.bytes);
  }
}
