import { expect, test } from "bun:test";
import { type ArchiveKind, identifyArchive } from "../../../src/initramfs/archive.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { needing } from "../../needs.ts";
import { bytes, concat } from "./samples.ts";

const archive = encodeArchive([{ type: "file", path: "f", data: bytes("data") }]);

async function packed(...command: string[]): Promise<Uint8Array> {
  const child = Bun.spawn(command, { stdin: archive, stdout: "pipe" });
  return new Uint8Array(await new Response(child.stdout).arrayBuffer());
}

const tools: readonly [ArchiveKind, boolean, string | undefined, string[]][] = [
  ["gzip", true, "CONFIG_RD_GZIP", ["gzip", "-c"]],
  ["zstd", true, "CONFIG_RD_ZSTD", ["zstd", "-c"]],
  ["xz", true, "CONFIG_RD_XZ", ["xz", "-c"]],
  ["lzma", true, "CONFIG_RD_LZMA", ["xz", "--format=lzma", "-c"]],
  ["bzip2", true, "CONFIG_RD_BZIP2", ["bzip2", "-c"]],
  ["lz4-legacy", true, "CONFIG_RD_LZ4", ["lz4", "-l", "-c"]],
  ["lz4", false, undefined, ["lz4", "-c"]],
];
for (const [kind, kernelReads, option, command] of tools) {
  needing(command[0] ?? "").test(`what the tools write is known: ${kind}`, async () => {
    expect(identifyArchive(await packed(...command))).toEqual({ kind, kernelReads, option });
  });
}

test.each<[ArchiveKind, boolean, Uint8Array]>([
  ["newc", true, archive],
  ["newc-checksum", true, bytes("070702")],
  ["odc", false, bytes("070707")],
  ["old-binary", false, Uint8Array.of(0xc7, 0x71)],
  ["old-binary", false, Uint8Array.of(0x71, 0xc7)],
  ["unknown", false, bytes("\u007fELF")],
  ["unknown", false, bytes("07070")],
  ["unknown", false, new Uint8Array(0)],
  ["unknown", false, new Uint8Array(512)],
])("plain and foreign: %s, %p", (kind, kernelReads, head) => {
  expect(identifyArchive(head)).toEqual({ kind, kernelReads, option: undefined });
});

test("zeros in front are skipped, but a plain archive stays aligned", () => {
  for (const zeros of [0, 4, 8]) {
    expect(identifyArchive(concat(new Uint8Array(zeros), archive)).kernelReads).toBe(true);
  }
  for (const zeros of [1, 2, 3, 5]) {
    const found = identifyArchive(concat(new Uint8Array(zeros), archive));
    expect(found).toMatchObject({ kind: "newc", kernelReads: false });
    const gzip = concat(new Uint8Array(zeros), Uint8Array.of(0x1f, 0x8b, 8));
    expect(identifyArchive(gzip)).toMatchObject({ kind: "gzip", kernelReads: true });
  }
});

test("a skippable frame in front hides zstd from the kernel", () => {
  const frame = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4);
  const zstd = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
  expect(identifyArchive(concat(frame, zstd))).toMatchObject({ kind: "zstd", kernelReads: false });
});
