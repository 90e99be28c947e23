/**
 * Power cuts: what QEMU's blklogwrites recorded of a disk, and the disk as it could be found after a cut at any of
 * its writes. The log's form: drivers/md/dm-log-writes.c, block/blklogwrites.c of QEMU.
 */
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { type Rng, seeded } from "../../unit/fuzz.ts";
import { temporaryPath } from "./host.ts";

const magic = 0x6a736677736872n;
const sector = 512;
/** What a disk writes whole: ext4's superblock has a sum and no copy in its journal, and is written so. */
const block = 4096;
/** LOG_FLUSH_FLAG, LOG_FUA_FLAG, LOG_DISCARD_FLAG */
const flushes = 1n;
const forced = 2n;
const discards = 4n;

interface Write {
  /** Bytes, on the disk and in the log. */
  readonly at: number;
  readonly from: number;
  readonly length: number;
  /** All that was written before it is on the disk. */
  readonly isFlush: boolean;
  /** It is on the disk itself, whatever follows. */
  readonly isForced: boolean;
}

/** QEMU's words for a disk of virtio whose writes are recorded. */
export function recordedDisk(image: string, log: string, index: number): string[] {
  const drive = [
    "driver=blklogwrites",
    `node-name=recorded${index}`,
    ...["file.driver=file", `file.filename=${image}`],
    ...["log.driver=file", `log.filename=${log}`],
  ].join(",");
  return ["-blockdev", drive, "-device", `virtio-blk-pci,drive=recorded${index}`];
}

/** The writes in a log, in their order. */
export function readLog(path: string): readonly Write[] {
  const fd = openSync(path, "r");
  const { size } = statSync(path);
  const header = Buffer.alloc(sector);
  readSync(fd, header, 0, sector, 0);
  if (header.readBigUInt64LE(0) !== magic) throw new Error(`${path} is no log of writes`);
  const unit = header.readUInt32LE(24);
  const writes: Write[] = [];
  for (let at = unit; at + unit <= size; ) {
    readSync(fd, header, 0, 32, at);
    const length = Number(header.readBigUInt64LE(8)) * unit;
    const flags = header.readBigUInt64LE(16);
    const isData = (flags & discards) === 0n;
    writes.push({
      at: Number(header.readBigUInt64LE(0)) * unit,
      from: at + unit,
      length: isData ? length : 0,
      isFlush: (flags & flushes) !== 0n,
      isForced: (flags & forced) !== 0n,
    });
    at += unit + (isData ? length : 0);
  }
  closeSync(fd);
  return writes;
}

/** A cut: which of the writes reached the disk, and how many bytes of the last. */
interface Cut {
  readonly kept: readonly Write[];
  readonly torn: number | undefined;
}

/**
 * The cut before write `index`. Of what was not flushed by then a disk may have written any part: all of it, all and
 * a piece of the next, or some.
 */
function cutAt(writes: readonly Write[], index: number, rng: Rng): Cut {
  const before = writes.slice(0, index);
  const flushed = before.findLastIndex(({ isFlush }) => isFlush) + 1;
  const next = writes[index];
  switch (rng.below(3)) {
    case 0:
      return { kept: before, torn: undefined };
    case 1: {
      const blocks = Math.ceil((next?.length ?? 0) / block);
      return next === undefined || blocks < 2
        ? { kept: before, torn: undefined }
        : { kept: [...before, next], torn: (1 + rng.below(blocks - 1)) * block };
    }
    default: {
      const kept = before.filter(
        ({ isForced }, place) => place < flushed || isForced || rng.below(2) === 0,
      );
      return { kept, torn: undefined };
    }
  }
}

export interface CutDisks {
  /** One file with all of the images, one behind the other. */
  readonly path: string;
  /** Bytes of one image. */
  readonly size: number;
  readonly count: number;
}

/** Images of `base` cut at `count` points, evenly over its writes. */
export function cutDisks(base: string, log: string, count: number, seed: number): CutDisks {
  const rng = seeded(seed);
  const writes = readLog(log);
  const size = statSync(base).size;
  const path = temporaryPath("cuts.img");
  const [target, source] = [openSync(path, "w"), openSync(log, "r")];
  const plain = readFileSync(base);
  ftruncateSync(target, size * count);
  for (let point = 0; point < count; point++) {
    const start = point * size;
    writeNonZero(target, plain, start);
    const index = Math.round((point * writes.length) / Math.max(1, count - 1));
    const { kept, torn } = cutAt(writes, index, rng);
    for (const [place, write] of kept.entries()) {
      const isLast = place === kept.length - 1;
      const length = isLast && torn !== undefined ? torn : write.length;
      if (length === 0) continue;
      const bytes = Buffer.alloc(length);
      readSync(source, bytes, 0, length, write.from);
      writeSync(target, bytes, 0, length, start + write.at);
    }
  }
  closeSync(target);
  closeSync(source);
  return { path, size, count };
}

const page = 65_536;
const zeros = Buffer.alloc(page);

function writeNonZero(target: number, bytes: Buffer, start: number): void {
  for (let at = 0; at < bytes.length; at += page) {
    const part = bytes.subarray(at, at + page);
    if (part.equals(zeros.subarray(0, part.length))) continue;
    writeSync(target, part, 0, part.length, start + at);
  }
}
