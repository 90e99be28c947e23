/** What was thrown, as the error that is told. */
import { KexecError } from "../errors.ts";
import { version } from "../version.ts";

/** A KexecError as it is; anything else is a bug in this program, but for memory that ran out. */
export function failureOf(thrown: unknown): KexecError {
  if (thrown instanceof KexecError) return thrown;
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  // What the engine throws when an allocation fails; the machine is small, not the program wrong.
  if (thrown instanceof RangeError && /out of memory|allocation failed/i.test(thrown.message)) {
    return new KexecError("out-of-memory", {
      message: `cannot go on: this process was not given memory (${what})`,
      hint: "give the machine more memory, or use a smaller initramfs",
      cause: thrown,
    });
  }
  return new KexecError("internal-error", {
    message: `internal error: ${what}`,
    hint: `this is a bug in aegis-kexec ${version}: please report it, with what --verbose adds`,
    cause: thrown,
  });
}
