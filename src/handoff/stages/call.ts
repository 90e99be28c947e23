/** kexec_file_load(2), and what its coming back means. */

import type { LoadAttempt } from "../../diagnosis/evidence.ts";
import { errnoName, errnoText } from "../../errno.ts";
import { KexecError } from "../../errors.ts";
import { kexecFileLoad, kexecFileUnload, knowsDebug } from "../../linux/kexec.ts";
import { KernelLog } from "../../linux/kmsg.ts";
import { libc } from "../../linux/libc.ts";
import { readIdentity } from "../../machine/kernel.ts";
import { shownSource } from "../../source/place.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";
import type { Assembled } from "./assemble.ts";
import { requireState } from "./kernel-state.ts";
import { finalizeHandover } from "./kexec-handover.ts";

/** Unloads what carries a secret and will not be used. @throws KexecError where it stays loaded */
export function unloadSecret(crash: boolean): void {
  const result = kexecFileUnload(crash, true);
  if (result === 0) return;
  throw new KexecError("io-error", {
    message: `the kernel that carries a secret could not be unloaded: ${errnoText(-result).toLowerCase()}`,
    errno: errnoName(-result),
    hint: "run aegis-kexec unload, or reboot: the secret is in memory until then",
  });
}

/** The system call. Returns the milliseconds it took; throws when it failed. */
export async function call(
  assembled: Assembled,
  request: ParsedLoadRequest,
  limitBefore: number | undefined,
  observer: Observer,
): Promise<number> {
  const finalized = request.crash ? undefined : await finalizeHandover(observer);
  const kernelSize = assembled.verified.image.file.size;
  observer.note?.(
    `giving the kernel ${kernelSize} bytes of image and ${assembled.initrdSize} bytes of initramfs by kexec_file_load(2)`,
  );
  const size = kernelSize + assembled.initrdSize;
  const step = "giving the kernel its files";
  observer.progress?.(step, 0, size, "call");
  using log = KernelLog.fromNow();
  const { cmdline } = assembled.verified;
  const debug = request.debug && knowsDebug(readIdentity().release);
  const start = performance.now();
  const result = kexecFileLoad({
    kernelFd: assembled.kernelFd,
    initrdFd: assembled.initrdFd,
    cmdline,
    crash: request.crash,
    debug,
    patient: limitBefore === undefined || limitBefore < 0,
  });
  const milliseconds = Math.round(performance.now() - start);
  const kernelLog = result < 0 || observer.note !== undefined ? log.lines() : [];
  if (result < 0) {
    finalized?.[Symbol.dispose]();
    const attempt: LoadAttempt = {
      name: shownSource(request.source),
      crash: request.crash,
      debug,
      kernelSize,
      initrdSize: assembled.initrdSize,
      limitBefore,
    };
    const { architecture } = libc();
    const { diagnoseLoad } = await import("../../diagnosis/diagnose.ts");
    const { readLoadEvidence } = await import("../evidence.ts");
    const evidence = readLoadEvidence(architecture, errnoName(-result), assembled.kernelFd);
    throw diagnoseLoad(-result, attempt, evidence, kernelLog);
  }
  observer.progress?.(step, size, size, "call");
  for (const line of kernelLog) observer.note?.(`kernel: ${line}`);
  requireState(request.crash ? "crashLoaded" : "loaded", true);
  return milliseconds;
}
