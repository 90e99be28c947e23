/** Programs of EFI that a menu starts: a shell, another system's loader, or a UKI, which is a kernel. */
import { KexecError } from "../../errors.ts";
import { budgeted, ReadBudget } from "../../image/bytes.ts";
import { recogniseImage } from "../../image/recognise.ts";
import type { ReadEntry } from "../../menu/host.ts";
import type { HeldFile } from "../open-file.ts";

/** Bytes of one that are looked at. */
const mostBytes = 32 << 10;

/** The entry, with a problem where what it starts has no kernel in it. What cannot be read, the load says. */
export function judgeProgram(
  entry: ReadEntry,
  open: (place: NonNullable<ReadEntry["kernel"]>) => HeldFile | undefined,
): ReadEntry {
  const { chained, kernel, problem } = entry;
  if (!chained || kernel === undefined || problem !== undefined) return entry;
  try {
    using program = open(kernel);
    if (program === undefined) return entry;
    const { kind } = recogniseImage(budgeted(program, new ReadBudget(mostBytes)));
    if (kind !== "pe") return entry;
    const why = `it starts an EFI program without a kernel in it (${kernel.path})`;
    return { ...entry, problem: why };
  } catch (error) {
    if (error instanceof KexecError) return entry;
    throw error;
  }
}
