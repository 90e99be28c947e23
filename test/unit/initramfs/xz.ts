/** An xz stream whose blocks hold nothing that could be unpacked: The .xz File Format 1.2.1. */
import { concat } from "./samples.ts";

const u32 = (value: number) => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
};
const withCrc = (bytes: Uint8Array) => concat(bytes, u32(Bun.hash.crc32(bytes)));

function number(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 0x80);
  return [...bytes, rest];
}

/** @param check 0: none, 1: CRC32, 4: CRC64 */
export function makeXz(blocks: readonly Uint8Array[], check = 1): Uint8Array {
  const flags = Uint8Array.of(0, check);
  const header = concat(
    Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0),
    flags,
    u32(Bun.hash.crc32(flags)),
  );
  const padded = blocks.map((block) => concat(block, new Uint8Array((4 - (block.length % 4)) % 4)));
  const records = blocks.flatMap((block) => [...number(block.length), ...number(1000)]);
  const list = [0, ...number(blocks.length), ...records];
  while (list.length % 4 !== 0) list.push(0);
  const index = withCrc(Uint8Array.from(list));
  const tail = concat(u32(index.length / 4 - 1), flags);
  return concat(
    header,
    ...padded,
    index,
    u32(Bun.hash.crc32(tail)),
    tail,
    new TextEncoder().encode("YZ"),
  );
}
