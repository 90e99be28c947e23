/** One kernel descriptor, one initramfs descriptor, one command line: what the system call takes. */
import { KexecError } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { archiveHeadLength, identifyArchive } from "../initramfs/archive.ts";
import { readBootconfig } from "../initramfs/bootconfig.ts";
import { type InjectedArchive, planInjection } from "../initramfs/inject.ts";
import { type JoinPlan, type Piece, planJoin } from "../initramfs/join.ts";
import { readMemory } from "../linux/machine.ts";
import { Memfd } from "../linux/memfd.ts";
import { isWhole, type Part } from "../source/part.ts";
import { copyChecked, copySealed, type Range, requireDigest } from "./copy.ts";
import type { Observer } from "./report.ts";
import { requireRoom } from "./room.ts";
import type { HeldSecret, Secrets } from "./secrets.ts";
import type { Verified } from "./verify.ts";

/**
 * What goes to the kernel. Only `Assembled.from` makes one, and only of what was verified.
 * Dispose of it to overwrite the secrets in it and to close what it opened.
 */
export class Assembled implements Disposable {
  private constructor(
    readonly verified: Verified,
    readonly kernelFd: number,
    readonly initrdFd: number | undefined,
    /** Bytes of the whole initramfs. */
    readonly initrdSize: number,
    private readonly held: DisposableStack,
  ) {}

  /**
   * Joins the archives and puts the secrets behind them. One archive alone is not copied.
   * @throws KexecError of `planInjection`, `planJoin`, `requireRoom` and `Memfd`
   */
  static from(verified: Verified, secrets: Secrets, observer: Observer): Assembled {
    const { initrds } = verified;
    const kernel = verified.image.file;
    const injection =
      secrets.held.length === 0
        ? undefined
        : planInjection(
            secrets.held.map(({ destination, mode, memory }) => ({
              destination,
              mode,
              size: memory.size,
            })),
          );
    const alone = initrds.length === 1 && injection === undefined;
    const pieces = initrds.map((part) => describe(part, alone, observer));
    const plan = planJoin(pieces, injection === undefined ? [] : [injection.size]);
    const mustCopy = initrds.some((part) => part.expected !== undefined || !isWhole(part));
    requireRoom(
      {
        kernel: kernel.size,
        initrd: plan.size,
        copied: plan.passThrough && !mustCopy ? 0 : plan.size,
      },
      readMemory(),
    );

    using held = new DisposableStack();
    const [first] = initrds;
    let initrdFd = first?.file.fd;
    if (!plan.passThrough && plan.size > 0) {
      const joined = held.use(Memfd.create("initramfs"));
      join(joined, plan, initrds, injection, secrets.held, held, observer);
      requireDigests(joined, plan, pieces, initrds, observer);
      initrdFd = joined.fd;
    } else if (first?.expected !== undefined) {
      initrdFd = held.use(copyChecked(first.file, first.expected, "initramfs", observer)).fd;
    } else if (first !== undefined && !isWhole(first)) {
      const { file, offset, size } = first;
      initrdFd = held.use(copySealed(file, offset, size, "initramfs", observer)).fd;
    }
    return new Assembled(verified, kernel.fd, initrdFd, plan.size, held.move());
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
}

/** What the kernel will make of an archive; a doubt is a warning, for the kernel decides. */
function describe(part: Part, alone: boolean, observer: Observer): Piece {
  const archive = identifyArchive(part.read(0, Math.min(archiveHeadLength, part.size)));
  if (archive.kind === "unknown") {
    observer.warn?.(`${part.path} does not look like an initramfs archive`);
  } else if (!archive.kernelReads) {
    observer.warn?.(`${part.path} is ${archive.kind}, which the kernel does not unpack`);
  }
  const bootconfig = readBootconfig(part);
  if (bootconfig?.kind === "broken") {
    const problem = `${part.path} ends in a broken bootconfig: ${bootconfig.problem}`;
    // The kernel leaves such a trailer where it is, and unpacks nothing that follows it.
    if (!alone) {
      throw new KexecError("malformed-input", {
        message: `cannot join the initramfs archives: ${problem}`,
        hint: "take it off by `bootconfig -d FILE`, or write it anew",
      });
    }
    observer.warn?.(problem);
    return { size: part.size };
  }
  return { size: part.size, bootconfig };
}

function join(
  joined: Memfd,
  plan: Extract<JoinPlan, { passThrough: false }>,
  initrds: readonly Part[],
  injection: InjectedArchive | undefined,
  secrets: readonly HeldSecret[],
  held: DisposableStack,
  observer: Observer,
): void {
  let done = 0;
  const onCopied = (bytes: number) => {
    done += bytes;
    observer.progress?.("joining the initramfs", done, plan.size);
  };
  for (const segment of plan.segments) {
    switch (segment.from) {
      case "zeros":
        joined.appendZeros(segment.length);
        break;
      case "injected":
        if (injection !== undefined) inject(joined, injection, secrets, held);
        break;
      default: {
        const part = initrds[segment.piece];
        if (part === undefined) break;
        joined.appendFile(part.file, part.offset + segment.offset, segment.length, onCopied);
      }
    }
  }
  joined.seal();
}

/** The digest of each piece, taken of the copy, whichever way its parts were laid out. */
function requireDigests(
  joined: Memfd,
  plan: Extract<JoinPlan, { passThrough: false }>,
  pieces: readonly Piece[],
  initrds: readonly Part[],
  observer: Observer,
): void {
  for (const [piece, { path, expected }] of initrds.entries()) {
    if (expected === undefined) continue;
    const ranges = plan.segments.filter((segment) => "piece" in segment && segment.piece === piece);
    requireDigest(joined, ranges, expected, path, observer);
    // The layout followed a bootconfig that was read before the copy: it must still be there.
    const found = readBootconfig(joinedPiece(joined, ranges, expected.size));
    if (found?.kind === "broken" || found?.offset !== pieces[piece]?.bootconfig?.offset) {
      throw new KexecError("file-changed", {
        message: `cannot use ${path}: the file changed while it was read`,
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
    const window = joined.window(start, part.length, true);
    held.defer(() => {
      window.bytes.fill(0);
      window[Symbol.dispose]();
    });
    memory.copyTo(window.bytes);
  }
}
