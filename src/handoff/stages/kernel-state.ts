/** What the kernel tells of itself, held against what was done. */
import { KexecError } from "../../errors.ts";
import { readKexecFact } from "../../machine/kernel.ts";
import { valueIn } from "../../machine/reading.ts";

/**
 * Holds what the kernel tells of itself against what a call came to.
 * @throws KexecError `io-error`
 */
export function requireState(fact: "loaded" | "crashLoaded", wanted: boolean): void {
  const found = valueIn(readKexecFact(fact));
  if (found === undefined || found === wanted) return;
  throw new KexecError("io-error", {
    message: `kexec_file_load(2) came back without an error, and the kernel says that ${wanted ? "nothing" : "something"} is loaded`,
    hint: "something else loads or unloads kernels, or stands between this program and the kernel: find it before you go on",
  });
}
