/** Drops the loaded kernel. */

import { diagnoseUnload } from "../diagnosis/diagnose.ts";
import { kexecFileUnload } from "../linux/kexec.ts";
import { KernelLog } from "../linux/kmsg.ts";
import { libc } from "../linux/libc.ts";
import { readKexecState } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";
import { readEvidence } from "./evidence.ts";
import type { UnloadReport } from "./report.ts";
import { parseUnloadRequest, type UnloadRequest } from "./request.ts";
import { requireState } from "./stages/kernel-state.ts";

/**
 * Drops the loaded kernel, or the crash kernel. Nothing loaded is not an error: the report says so.
 * @throws KexecError `no-capability`, `kexec-disabled`, `load-limit-reached`, `busy`,
 *   `no-kexec-file`, `not-permitted`, `io-error`, `usage`
 */
export async function unload(request: UnloadRequest = {}): Promise<UnloadReport> {
  const { architecture } = libc();
  const { crash } = parseUnloadRequest(request);
  const state = readKexecState();
  const wasLoaded = valueIn(crash ? state.crashLoaded : state.loaded) ?? null;
  const limit = valueIn(crash ? state.loadLimitPanic : state.loadLimitReboot);
  using log = KernelLog.fromNow();
  const result = kexecFileUnload(crash, limit === undefined || limit < 0);
  if (result < 0) {
    throw diagnoseUnload(-result, crash, readEvidence(architecture), limit, log.lines());
  }
  requireState(crash ? "crashLoaded" : "loaded", false);
  return { target: crash ? "crash" : "reboot", wasLoaded };
}
