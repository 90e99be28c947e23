/** What a guest has to load: every kind of source, and bad ones. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveChunks } from "../../../src/initramfs/cpio.ts";
import { formatManifest } from "../../../src/trust/manifest.ts";
import { makePe, makeZboot, patched, type SectionPlan } from "../../unit/image/build.ts";
import { signerOf } from "../../unit/trust/signer.ts";
import { initrd, type Scene } from "../lib/aegis.ts";
import { type GuestEntry, text } from "../lib/initramfs.ts";

const bytes = (content: string) => new TextEncoder().encode(content);
const section = (name: string, content: Uint8Array | string): SectionPlan => ({
  name,
  content: typeof content === "string" ? bytes(content) : content,
});

/** An archive with one file. */
function archive(path: string, content: string): Uint8Array {
  const chunks = [...archiveChunks([text(path, content)])];
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}

const gzip = (content: Uint8Array) => Bun.gzipSync(Uint8Array.from(content));
const zstd = (content: Uint8Array) => Bun.zstdCompressSync(Uint8Array.from(content));

/**
 * Sections added to a stub by binutils, as the manual of systemd-stub shows it. No two of them may
 * have one name, and the host's binutils knows of x86 alone: the machine is written in afterwards.
 */
function byObjcopy(stub: Uint8Array, sections: readonly SectionPlan[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), "aegis-uki-"));
  try {
    const path = (name: string) => join(folder, name);
    writeFileSync(path("stub"), stub);
    const added = sections.flatMap(({ name, content }, index) => {
      writeFileSync(path(name), content);
      const address = `0x${((index + 1) * 0x1000_0000).toString(16)}`;
      return [`--add-section=${name}=${path(name)}`, `--change-section-vma=${name}=${address}`];
    });
    const made = Bun.spawnSync(["objcopy", ...added, path("stub"), path("uki")]);
    if (!made.success) throw new Error(`objcopy: ${made.stderr}`);
    return new Uint8Array(readFileSync(path("uki")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Writes IMAGE_FILE_MACHINE_* into a PE file. */
function forMachine(machine: number, pe: Uint8Array): Uint8Array {
  return patched(pe, [
    new DataView(pe.buffer, pe.byteOffset).getUint32(0x3c, true) + 4,
    2,
    machine,
  ]);
}

/** What a manifest says of a file in its folder. */
const listed = (path: string, content: Uint8Array) => ({
  path,
  size: content.length,
  sha256: new Bun.CryptoHasher("sha256").update(content).digest("hex"),
});

const machines = {
  "shared-x86_64": { machine: 0x8664, architecture: "x86_64", own: "x64", other: "aa64" },
  "shared-aarch64": { machine: 0xaa64, architecture: "aarch64", own: "AA64", other: "x64" },
} as const;

const signer = signerOf("5a".repeat(32));
const extra = archive("extra", "of the user\n");
const microcode = archive("microcode", "of .ucode\n");

/** What the first guest has to load, made once its kernel and the next initramfs are known. */
export function sources(name: keyof typeof machines, made: Scene, word: string): GuestEntry[] {
  const { machine, architecture, own, other } = machines[name];
  const image = new Uint8Array(readFileSync(made.nextKernel));
  const next = new Uint8Array(readFileSync(made.nextInitramfs));
  const file = (path: string, data: Uint8Array): GuestEntry => ({ type: "file", path, data });
  const pe = (sections: readonly SectionPlan[]) => forMachine(machine, makePe(sections));
  const packed = gzip(image);
  const bomb = new Uint8Array(600 << 20);
  bomb.set(image);
  const uki = forMachine(
    machine,
    byObjcopy(makePe([section(".text", "stub")]), [
      section(".cmdline", `${made.console} uki=${word} \n\0`),
      section(".linux", name === "shared-x86_64" ? image : makeZboot(packed)),
      section(".initrd", next),
      section(".ucode", microcode),
    ]),
  );
  const profiles = pe([
    section(".linux", packed),
    section(".initrd", next),
    section(".cmdline", "of the base"),
    section(".profile", "ID=main"),
    section(".profile", "ID=debug"),
    section(".cmdline", `${made.console} debug=${word}`),
    section(".ucode", microcode),
  ]);
  const packedToo = zstd(image);
  const manifest = formatManifest({
    format: "aegis-kexec/1",
    generation: 1,
    architecture,
    kernel: listed("kernel.zst", packedToo),
    initrds: [listed("initrd.img", next), listed("extra.img", extra)],
    cmdline: `${made.console} manifest=${word}`,
  });
  const table = sectionTable(uki);
  const firstSection = new DataView(uki.buffer, uki.byteOffset).getUint32(table + 20, true);
  return [
    // In place of the scene's own, which announces itself by another token.
    { type: "host-file", path: initrd, source: made.nextInitramfs },
    file("/boot/kernel.gz", packed),
    file("/boot/kernel.zst", packedToo),
    text("/boot/boot.json", manifest),
    text("/boot/boot.json.minisig", signer.minisign(bytes(manifest))),
    file("/boot/kernel.zboot", makeZboot(zstd(image), "zstd22")),
    file("/boot/extra.img", extra),
    file("/esp/EFI/Linux/image.efi", uki),
    file("/esp/EFI/Linux/profiles.efi", profiles),
    text(
      "/esp/loader/entries/new+2-1.conf",
      `title New\nversion 2\nsort-key a\narchitecture ${own}\nlinux /kernel\ninitrd /next.img\ninitrd /extra.img\noptions ${made.console}\noptions entry=${word}\n`,
    ),
    text("/esp/loader/entries/old.conf", "version 1\nsort-key a\nlinux /none\n"),
    text("/esp/loader/entries/bad+0-3.conf", "version 9\nsort-key a\nlinux /none\n"),
    text("/etc/org.pub", signer.minisignKey()),
    text("/esp/EFI/Linux/image.efi.minisig", signer.minisign(uki)),
    file("/bad/flipped.efi", patched(uki, [uki.length - 600, 1, (uki.at(-600) ?? 0) ^ 1])),
    text("/bad/flipped.efi.minisig", signer.minisign(uki)),
    text("/boot/kernel.gz.minisig", signer.minisign(packed)),
    text("/esp/loader/entries/uki.conf", "version 1\nsort-key b\nuki /EFI/Linux/image.efi\n"),
    text("/esp/loader/entries/efi.conf", "sort-key b\nefi /EFI/Linux/image.efi\n"),
    file("/esp/extra.img", extra),
    { type: "host-file", path: "/esp/kernel", source: made.nextKernel },
    { type: "host-file", path: "/esp/next.img", source: made.nextInitramfs },
    // What follows must load nothing.
    file("/bad/half.gz", packed.subarray(0, packed.length >> 1)),
    file("/bad/junk.gz", Uint8Array.from([...packed, 1, 2, 3])),
    file("/bad/zeros.gz", gzip(new Uint8Array(600 << 20))),
    // Like a kernel at its beginning: only that is unpacked to its end
    file("/bad/bomb.gz", gzip(bomb)),
    file("/bad/bomb.zst", zstd(bomb)),
    file("/bad/kernel.xz", Uint8Array.from([0xfd, ...bytes("7zXZ"), 0, 1, 2, 3, 4, 5])),
    file("/bad/empty.efi", pe([section(".initrd", next.subarray(0, 512))])),
    file("/bad/overlap.efi", patched(uki, [table + 40 + 20, 4, firstSection])),
    file("/bad/outside.efi", patched(uki, [table + 40 + 16, 4, 0x7fff_ff00])),
    text("/bad/missing.conf", "linux /none\n"),
    text("/bad/initrd.conf", "linux /half.gz\ninitrd /none\n"),
    text("/bad/up.conf", "linux /../boot/vmlinuz\n"),
    text("/bad/other.conf", `linux /half.gz\narchitecture ${other}\n`),
    text("/bad/tree.conf", "linux /half.gz\ndevicetree /a.dtb\n"),
  ];
}

/** Where the section headers begin. */
function sectionTable(pe: Uint8Array): number {
  const view = new DataView(pe.buffer, pe.byteOffset, pe.byteLength);
  const header = view.getUint32(0x3c, true);
  return header + 24 + view.getUint16(header + 20, true);
}
