/** Whether the next kernel has room to unpack its initramfs, by headers alone. */

import type { Architecture } from "../../architecture.ts";
import { type NextMemory, nextMemory } from "../../diagnosis/next-memory.ts";
import { fileShare, judgeRoom, type UnpackVerdict } from "../../diagnosis/unpack-room.ts";
import { unpackedSize } from "../../initramfs/size/unpacked.ts";
import { type Memory, readKexecFact } from "../../machine/kernel.ts";
import { readMemoryRanges } from "../../machine/memory-ranges.ts";
import { valueIn } from "../../machine/reading.ts";
import type { Verified } from "../stages/verify.ts";

/**
 * @param memory What this machine has; of a crash kernel counts what is reserved for it.
 * @returns undefined where it is not known how much memory there will be
 */
export function roomToUnpack(
  { image: { kernel, file }, initrds, cmdline }: Pick<Verified, "image" | "initrds" | "cmdline">,
  crash: boolean,
  memory: Memory,
): UnpackVerdict | undefined {
  const reserved = crash ? valueIn(readKexecFact("crashSize")) : undefined;
  const total = valueIn(memory.total);
  if (crash ? reserved === undefined : total === undefined) return undefined;
  const { image, limit } = kernel;
  const sizes = initrds.map((archive) => unpackedSize(archive.file));
  const need = {
    archive: initrds.reduce((sum, archive) => sum + archive.file.size, 0),
    least: sizes.reduce((sum, { least }) => sum + least, 0),
    likely: sizes.reduce<number | undefined>(
      (sum, { likely }) => (sum === undefined || likely === undefined ? undefined : sum + likely),
      0,
    ),
    kernel: Math.max(file.size, image.kind === "bzimage" ? image.initSize : image.imageSize),
  };
  return judgeRoom(need, memoryOf(cmdline, limit.architecture, reserved, total ?? 0), {
    share: fileShare(cmdline),
    crash,
  });
}

function memoryOf(
  cmdline: string,
  architecture: Architecture,
  reserved: number | undefined,
  total: number,
): NextMemory {
  const ranges = readMemoryRanges();
  if (ranges !== undefined) return nextMemory(ranges, cmdline, architecture, reserved);
  // This kernel has put aside what the next one may not: nothing is certain of so much.
  const guess = nextMemory([{ start: 0, end: 2 * total }], cmdline, architecture, reserved);
  return reserved === undefined ? { ...guess, likely: Math.min(guess.likely, total) } : guess;
}
