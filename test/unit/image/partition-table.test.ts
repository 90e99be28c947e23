/** PARTUUID= of GPT and MBR tables. */
import { expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { partitionUuid } from "../../../src/image/partition-table.ts";

/** As sgdisk(8) writes it, as far as it is read. */
function gpt(blockSize: number): Uint8Array {
  const disk = new Uint8Array(blockSize * 40);
  const view = new DataView(disk.buffer);
  disk.set(new TextEncoder().encode("EFI PART"), blockSize);
  view.setBigUint64(blockSize + 72, 2n, true);
  view.setUint32(blockSize + 80, 128, true);
  view.setUint32(blockSize + 84, 128, true);
  const guid = Uint8Array.fromHex("78563412bc9af0de0123456789abcdef");
  disk.set(guid, blockSize * 2 + 128 + 16);
  return disk;
}

test("the UUID of a GPT partition", () => {
  for (const blockSize of [512, 4096]) {
    const disk = bytesOf(gpt(blockSize));
    expect(partitionUuid(disk, 2, blockSize)).toBe("12345678-9abc-def0-0123-456789abcdef");
    for (const none of [0, 1, 129, -1, 1.5]) {
      expect(partitionUuid(disk, none, blockSize)).toBeUndefined();
    }
  }
});

test("the UUID of an MBR partition", () => {
  const disk = new Uint8Array(1024);
  disk.set([0x78, 0x56, 0x34, 0x02], 440);
  expect(partitionUuid(bytesOf(disk), 5, 512)).toBeUndefined();
  disk.set([0x55, 0xaa], 510);
  expect(partitionUuid(bytesOf(disk), 5, 512)).toBe("02345678-05");
  expect(partitionUuid(bytesOf(disk), 17, 512)).toBe("02345678-11");
});

test("damaged tables give a UUID or none", () => {
  const rounds = Number(process.env["AEGIS_FUZZ"] ?? 300);
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < rounds; round++) {
    const disk = gpt(512).slice(0, random(512 * 40));
    for (let count = 0; count < 8 && disk.length > 600; count++) {
      disk[512 + random(88)] = random(256);
    }
    const uuid = partitionUuid(bytesOf(disk), 1 + random(130), 512);
    expect(uuid ?? "0").toMatch(/^[0-9a-f-]+$/);
  }
});
