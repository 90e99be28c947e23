/** One kernel descriptor, one initramfs descriptor, one command line: what the system call takes. */

import { mayNotUnpack, requireMemory } from "../../diagnosis/memory-need.ts";
import { cannot } from "../../errors.ts";
import type { InjectedArchive } from "../../initramfs/inject.ts";
import { type Piece, planJoin } from "../../initramfs/join.ts";
import { type Memory, readMemory } from "../../machine/kernel.ts";
import { isWhole, type OpenFile, type SourceFile } from "../../source/open-file.ts";
import type { ManifestFile } from "../../trust/manifest.ts";
import type { ArchiveLoaded, Observer } from "../report.ts";
import { type Examined, emptyWarning, examineArchive } from "./archives.ts";
import type { Secrets } from "./secrets.ts";
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
    readonly archives: readonly ArchiveLoaded[],
    private readonly held: DisposableStack,
  ) {}

  /**
   * Joins the archives and puts the secrets behind them. One archive alone is not copied.
   * @param lenient An archive that is cut or followed by junk is a warning where nothing is lost by it.
   * @param crash It is for a crash kernel.
   * @throws KexecError of `examineArchive`, `planInjection`, `planJoin`, `requireMemory` and `Memfd`
   */
  static async from(
    verified: Verified,
    secrets: Secrets,
    lenient: boolean,
    observer: Observer,
    crash = false,
  ): Promise<Assembled> {
    const { initrds } = verified;
    const kernel = verified.image.file;
    const injection = secrets.held.length === 0 ? undefined : await planSecrets(secrets);
    const joined = initrds.length > 1 || injection !== undefined;
    const pieces: Piece[] = [];
    const archives: ArchiveLoaded[] = [];
    const examined: Examined[] = [];
    let [index, unpacked, mustCopy] = [-1, 0, false];
    for (const initrd of initrds) {
      const { file, expected } = initrd;
      index++;
      mustCopy ||= mustBeCopied(initrd);
      const followed = injection !== undefined || index < initrds.length - 1;
      const copied = joined || !(isWhole(file) || expected !== undefined);
      const one = await examineArchive(file, { followed, copied, lenient });
      if (one.problem !== undefined) {
        // Not even its digest makes the kernel take what is too large.
        if (expected === undefined || one.problem.code === "file-too-large") throw one.problem;
        await requireSigned(file, expected, (copy) =>
          examineArchive(copy, { followed, copied, lenient }),
        );
        throw one.problem;
      }
      for (const line of one.warnings) observer.warn?.(line);
      unpacked += one.unpacked;
      examined.push(one);
      pieces.push(one.piece);
      archives.push({
        path: file.canonicalPath,
        size: file.size,
        unchecked: one.unchecked ?? null,
      });
    }
    const empty = injection === undefined ? emptyWarning(examined) : undefined;
    if (empty !== undefined) observer.warn?.(empty);
    const plan = planJoin(pieces, injection === undefined ? [] : [injection.size]);
    const memory = readMemory();
    const tight = requireMemory(
      {
        kernel: kernel.size,
        initrd: plan.size,
        copied: plan.passThrough && !mustCopy ? 0 : plan.size,
      },
      memory,
    );
    if (tight !== undefined) observer.warn?.(tight);
    if (mayNotUnpack({ initrd: plan.size, unpacked }, verified.cmdline, crash, memory)) {
      await requireRoom(verified, crash, memory, observer);
    }

    using held = new DisposableStack();
    const [first] = initrds;
    let initrdFd = first?.file.fd;
    if (!plan.passThrough && plan.size > 0) {
      const { joinArchives } = await import("./join-archives.ts");
      initrdFd = joinArchives(
        { plan, pieces, initrds, injection, secrets: secrets.held },
        held,
        observer,
      ).fd;
    } else if (first?.expected !== undefined) {
      const { copyChecked } = await import("./copy.ts");
      initrdFd = held.use(copyChecked(first.file, first.expected, "initramfs", observer)).fd;
    } else if (first !== undefined && !isWhole(first.file)) {
      const { copySealed } = await import("./copy.ts");
      initrdFd = held.use(copySealed(first.file, "initramfs", observer)).fd;
    }
    verified.requireUnchanged();
    return new Assembled(verified, kernel.fd, initrdFd, plan.size, archives, held.move());
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
}

/**
 * Whether a file that looks wrong is what its manifest says: where not, that is the cause. What was
 * looked at could change under the look, so that the copy whose digest is taken is looked at again.
 * @throws KexecError `digest-mismatch`, `file-changed` and those of `copyChecked`
 */
async function requireSigned(
  file: OpenFile,
  expected: ManifestFile,
  examine: (copy: OpenFile) => Promise<Examined>,
): Promise<void> {
  const { copyChecked } = await import("./copy.ts");
  using copy = copyChecked(file, expected, "initramfs", {});
  const { problem } = await examine(copy);
  if (problem !== undefined) return;
  throw cannot(`use ${file.path}`, {
    code: "file-changed",
    details: { path: file.path },
    why: "the file changed while it was read",
    hint: "wait until whatever writes it has finished",
  });
}

/** @throws KexecError `no-room` where it is certain that the next kernel cannot unpack it */
async function requireRoom(
  verified: Verified,
  crash: boolean,
  memory: Memory,
  observer: Observer,
): Promise<void> {
  const { roomToUnpack } = await import("../next/unpack-room.ts");
  const verdict = roomToUnpack(verified, crash, memory);
  if (verdict === undefined || verdict.fits) return;
  if (verdict.certain) throw cannot("load", verdict.cause);
  observer.warn?.(verdict.text);
}

async function planSecrets(secrets: Secrets): Promise<InjectedArchive> {
  const { planInjection } = await import("../../initramfs/inject.ts");
  return planInjection(
    secrets.held.map(({ destination, mode, memory }) => ({
      destination,
      mode,
      size: memory.size,
    })),
  );
}

/** What is verified or is a part of a file goes to the kernel as a copy, even alone. */
export function mustBeCopied({ file, expected }: SourceFile): boolean {
  return expected !== undefined || !isWhole(file);
}
