/** `--progress json` and `--progress-fd N`: where the phases of the work are told. */
import { statusOfGiven } from "../../linux/secret-memory.ts";
import { ProgressLines } from "../output/progress-lines.ts";
import { lineWriter, STDERR, STDOUT } from "../output/streams.ts";
import { quoted, usageError } from "./parse.ts";

/**
 * @param json standard output carries one object, and nothing beside it
 * @throws KexecError `usage`
 */
export function progressLines(
  form: string | undefined,
  fd: string | undefined,
  json: boolean,
): ProgressLines {
  if (form !== undefined && form !== "json") {
    const why = `--progress takes json, not "${quoted(form)}"`;
    throw usageError(undefined, why, "write --progress json");
  }
  const descriptor = fd === undefined ? STDERR : Number(fd);
  if (descriptor === STDOUT && json) {
    const why = "--progress-fd 1 is standard output, which carries the object of --json alone";
    throw usageError(undefined, why, "name another descriptor: --progress-fd 3 3>FILE");
  }
  const status = descriptor > 0xffff ? -1 : statusOfGiven(descriptor);
  // Of an unknown kind are the runtime's own.
  if (typeof status === "number" || /^(unknown|directory)/.test(status.type)) {
    const why = `--progress-fd ${descriptor} is no descriptor that can be written`;
    throw usageError(undefined, why, `open it: --progress-fd ${descriptor} ${descriptor}>FILE`);
  }
  return new ProgressLines(lineWriter(descriptor));
}
