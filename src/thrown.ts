/** What was thrown, as the error that is told. */
import { cannot, KexecError } from "./errors.ts";
import { version } from "./version.ts";

/** A KexecError as it is; anything else is a bug in this program, but for memory that ran out. */
export function asKexecError(thrown: unknown): KexecError {
  if (thrown instanceof KexecError) return thrown;
  if (thrown instanceof SuppressedError) return both(thrown);
  const what = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  // What the engine throws when an allocation fails; the machine is small, not the program wrong.
  if (thrown instanceof RangeError && /out of memory|allocation failed/i.test(thrown.message)) {
    const why = `this process was not given memory (${what})`;
    const hint = "give the machine more memory, or use a smaller initramfs";
    return cannot("go on", { code: "out-of-memory", why, hint }, { cause: thrown });
  }
  return new KexecError("internal-error", {
    message: `internal error: ${what}`,
    hint: `this is a bug in aegis-kexec ${version}: please report it, with what --verbose adds`,
    cause: thrown,
  });
}

/** An error of cleaning up after an error, as one KexecError; anything else as it is. */
export function withoutSuppressed(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? both(thrown) : thrown;
}

/** The first error says what failed, the second what is left behind, and what to do about that. */
function both(thrown: SuppressedError): KexecError {
  const first = asKexecError(thrown.suppressed);
  const second = asKexecError(thrown.error);
  const errno = first.errno ?? second.errno;
  const hint = second.hint ?? first.hint;
  return new KexecError(first.code, {
    message: `${first.message}; ${second.message}`,
    kernelLog: first.kernelLog,
    cause: thrown.suppressed,
    errno,
    hint,
    action: second.hint === null ? first.action : second.action,
    details: { ...second.details, ...first.details },
  });
}
