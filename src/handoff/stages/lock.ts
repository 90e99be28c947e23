/** `--lock`: nothing replaces what was loaded until the machine is restarted. */
import { errnoName, errnoText } from "../../errno.ts";
import { cannot } from "../../errors.ts";
import { writeWord } from "../../linux/descriptor.ts";
import { kexecFileUnload } from "../../linux/kexec.ts";

/**
 * Sets kernel.kexec_load_disabled. When that fails, what was loaded is dropped: the caller asked
 * for a kernel that nothing can replace, and has none.
 */
export function lock(crash: boolean): void {
  const path = "/proc/sys/kernel/kexec_load_disabled";
  const result = writeWord(path, "1\n");
  if (result === 0) return;
  const unloaded = kexecFileUnload(crash, true) === 0;
  const why = `${path}: ${errnoText(-result).toLowerCase()}`;
  const hint = unloaded
    ? "the kernel was unloaded again: mount /proc writable, or do without --lock"
    : "the kernel is still loaded, and not locked: drop it by aegis-kexec unload";
  const errno = errnoName(-result);
  throw cannot("lock the loaded kernel", { code: "io-error", why, hint }, { errno });
}
