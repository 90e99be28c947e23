/** One kernel descriptor, one initramfs descriptor, one command line: what the system call takes. */

import { requireMemory } from "../../diagnosis/memory-need.ts";
import { KexecError } from "../../errors.ts";
import { archiveHeadLength, identifyArchive } from "../../initramfs/archive.ts";
import { readBootconfig } from "../../initramfs/bootconfig.ts";
import type { InjectedArchive } from "../../initramfs/inject.ts";
import { type Piece, planJoin } from "../../initramfs/join.ts";
import { readMemory } from "../../machine/kernel.ts";
import { isWhole, type OpenFile, type SourceFile } from "../../source/open-file.ts";
import type { Observer } from "../report.ts";
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
    private readonly held: DisposableStack,
  ) {}

  /**
   * Joins the archives and puts the secrets behind them. One archive alone is not copied.
   * @throws KexecError of `planInjection`, `planJoin`, `requireMemory` and `Memfd`
   */
  static async from(verified: Verified, secrets: Secrets, observer: Observer): Promise<Assembled> {
    const { initrds } = verified;
    const kernel = verified.image.file;
    const injection = secrets.held.length === 0 ? undefined : await planSecrets(secrets);
    const alone = initrds.length === 1 && injection === undefined;
    const pieces = initrds.map(({ file }) => describe(file, alone, observer));
    const plan = planJoin(pieces, injection === undefined ? [] : [injection.size]);
    const mustCopy = initrds.some(mustBeCopied);
    requireMemory(
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
    return new Assembled(verified, kernel.fd, initrdFd, plan.size, held.move());
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
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

/** What the kernel will make of an archive; a doubt is a warning, for the kernel decides. */
function describe(file: OpenFile, alone: boolean, observer: Observer): Piece {
  const archive = identifyArchive(file.read(0, Math.min(archiveHeadLength, file.size)));
  if (archive.kind === "unknown") {
    observer.warn?.(`${file.canonicalPath} does not look like an initramfs archive`);
  } else if (!archive.kernelReads) {
    observer.warn?.(`${file.canonicalPath} is ${archive.kind}, which the kernel does not unpack`);
  }
  const bootconfig = readBootconfig(file);
  if (bootconfig?.kind === "broken") {
    const problem = `${file.canonicalPath} ends in a broken bootconfig: ${bootconfig.why}`;
    // The kernel leaves such a trailer where it is, and unpacks nothing that follows it.
    if (!alone) {
      throw new KexecError("malformed-input", {
        message: `cannot join the initramfs archives: ${problem}`,
        hint: "take it off by `bootconfig -d FILE`, or write it anew",
      });
    }
    observer.warn?.(problem);
    return { size: file.size };
  }
  return { size: file.size, bootconfig };
}
