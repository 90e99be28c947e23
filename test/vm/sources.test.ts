/** Every kind of source, as the next kernel sees it; and sources that load nothing. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveChunks } from "../../src/initramfs/cpio.ts";
import { makePe, makeZboot, patched, type SectionPlan } from "../unit/image/build.ts";
import { signerOf } from "../unit/trust/signer.ts";
import { errorOf, initrd, type Scene, scene, unique } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import type { KernelName } from "./lib/kernels.ts";
import { vmSuite } from "./lib/suite.ts";

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

/** Sections added to a stub by binutils, as the manual of systemd-stub shows it. */
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

const machines = {
  "shared-x86_64": { machine: 0x8664, own: "x64", other: "aa64" },
  "shared-aarch64": { machine: 0xaa64, own: "AA64", other: "x64" },
} as const;

const signer = signerOf("5a".repeat(32));
const extra = archive("extra", "of the user\n");
const microcode = archive("microcode", "of .ucode\n");

/** What the first guest has to load, made once its kernel and the next initramfs are known. */
function sources(name: keyof typeof machines, made: Scene, word: string): GuestEntry[] {
  const { machine, own, other } = machines[name];
  const image = new Uint8Array(readFileSync(made.nextKernel));
  const next = new Uint8Array(readFileSync(made.nextInitramfs));
  const file = (path: string, data: Uint8Array): GuestEntry => ({ type: "file", path, data });
  const pe = (sections: readonly SectionPlan[]) => patched(makePe(sections), [68, 2, machine]);
  const parts = [
    section(".cmdline", `${made.console} uki=${word} \n\0`),
    section(".linux", name === "shared-x86_64" ? image : makeZboot(gzip(image))),
    section(".initrd", next),
    section(".ucode", microcode),
  ];
  const uki =
    name === "shared-x86_64"
      ? byObjcopy(makePe([section(".text", "stub")]), parts)
      : pe([
          section(".text", "stub"),
          ...parts,
          section(".profile", "ID=main"),
          section(".profile", "ID=debug"),
          section(".cmdline", `${made.console} debug=${word}`),
        ]);
  const packed = gzip(image);
  const table = sectionTable(uki);
  const firstSection = new DataView(uki.buffer, uki.byteOffset).getUint32(table + 20, true);
  return [
    // In place of the scene's own, which announces itself by another token.
    { type: "host-file", path: initrd, source: made.nextInitramfs },
    file("/boot/kernel.gz", packed),
    file("/boot/kernel.zst", zstd(image)),
    file("/boot/kernel.zboot", makeZboot(zstd(image), "zstd22")),
    file("/boot/extra.img", extra),
    file("/esp/EFI/Linux/image.efi", uki),
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
    file("/esp/extra.img", extra),
    { type: "host-file", path: "/esp/kernel", source: made.nextKernel },
    { type: "host-file", path: "/esp/next.img", source: made.nextInitramfs },
    // What follows must load nothing.
    file("/bad/half.gz", packed.subarray(0, packed.length >> 1)),
    file("/bad/junk.gz", Uint8Array.from([...packed, 1, 2, 3])),
    file("/bad/bomb.gz", gzip(new Uint8Array(600 << 20))),
    file("/bad/bomb.zst", zstd(new Uint8Array(600 << 20))),
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

for (const name of ["shared-x86_64", "shared-aarch64"] as const satisfies readonly KernelName[]) {
  const word = randomUUID();
  let made: Scene | undefined;
  const given = () => {
    made ??= scene({ first: name });
    return made;
  };
  const start = () => scene({ first: name, entries: sources(name, given(), word) }).start();

  vmSuite(`sources on ${name}`, { needs: [name, "tool:objcopy"], start, timeout: 300 }, (test) => {
    const refused = async (guest: Guest, words: string, exit: number, code: string) => {
      const start = performance.now();
      const result = await guest.run(`aegis-kexec load ${words} --json`, { timeout: 120 });
      const error = errorOf(result.stdout);
      expect({ words, ...error }).toMatchObject({ words, exit, code });
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
      return { error, seconds: (performance.now() - start) / 1000 };
    };

    test("bad ones load nothing, each with its own words", async (guest) => {
      const table = [
        ["/bad/half.gz --cmdline x", 8, "kernel-truncated"],
        ["/bad/junk.gz --cmdline x", 4, "malformed-input"],
        ["/bad/bomb.gz --cmdline x", 9, "out-of-memory"],
        ["/bad/bomb.zst --cmdline x", 9, "out-of-memory"],
        ["/bad/kernel.xz --cmdline x", 8, "kernel-unsuitable"],
        ["/bad/empty.efi", 8, "not-a-kernel"],
        ["/bad/overlap.efi", 4, "malformed-input"],
        ["/bad/outside.efi", 8, "kernel-truncated"],
        ["/bad/missing.conf", 4, "file-not-found"],
        ["/bad/initrd.conf", 4, "file-not-found"],
        ["/bad/up.conf", 5, "outside-folder"],
        ["/bad/other.conf", 8, "wrong-architecture"],
        ["/bad/tree.conf", 8, "kernel-unsuitable"],
        ["/bad", 4, "file-not-found"],
        ["/esp --entry none", 4, "file-not-found"],
        ["/esp --entry old", 4, "file-not-found"],
        ["/boot/vmlinuz --entry new", 2, "usage"],
        ["/boot/vmlinuz --profile 1", 2, "usage"],
        ["/esp/EFI/Linux/image.efi --profile 7", 2, "usage"],
      ] as const;
      for (const [words, exit, code] of table) await refused(guest, words, exit, code);
      const { error } = await refused(guest, "/bad/kernel.xz", 8, "kernel-unsuitable");
      expect(error["hint"]).toBe("unpack it first: xz -dc /bad/kernel.xz > kernel");
    });

    test("10,000 entries are refused in time, and one of them is found by name", async (guest) => {
      await guest.check(
        "mkdir -p /many/loader/entries; cd /many/loader/entries; i=0; while [ $i -lt 10000 ]; do echo 'linux /none' >e$i.conf; i=$((i+1)); done",
        { timeout: 120 },
      );
      const { seconds } = await refused(guest, "/many", 4, "file-too-large");
      expect(seconds).toBeLessThan(30);
      const { error } = await refused(guest, "/many --entry e9999", 4, "file-not-found");
      expect(error["message"]).toBe("cannot open the kernel /many/none: no such file");
    });

    test("a load says what was in what", async (guest) => {
      const shown = await guest.check(`aegis-kexec load /boot/kernel.zst --cmdline x --json`);
      const format = name === "shared-x86_64" ? "bzImage" : "arm64 Image";
      expect(JSON.parse(shown)).toMatchObject({
        loaded: true,
        kernel: { path: "/boot/kernel.zst", format: `${format} (zstd)` },
      });
      await guest.check("aegis-kexec unload");
    });

    const packed = ["/boot/kernel.gz", "/boot/kernel.zst"];
    if (name === "shared-aarch64") packed.push("/boot/kernel.zboot");
    for (const path of packed) {
      test(path, async (guest) => {
        const cmdline = `${given().console} ${unique()}`;
        const up = await guest.handoff(
          `aegis-kexec boot ${path} --initrd ${initrd} --initrd /boot/extra.img --cmdline '${cmdline}'`,
        );
        expect(up).toMatchObject({ token: given().token, cmdline });
        expect(await guest.check("cat /extra")).toBe("of the user\n");
        await guest.stop();
      });
    }

    test("a UKI: kernel, microcode, initramfs, command line, and one archive more", async (guest) => {
      const up = await guest.handoff(
        "aegis-kexec boot /esp/EFI/Linux/image.efi --initrd /boot/extra.img",
      );
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} uki=${word}`,
      });
      expect(await guest.check("cat /microcode /extra")).toBe("of .ucode\nof the user\n");
      await guest.stop();
    });

    if (name === "shared-aarch64") {
      test("another profile of a UKI", async (guest) => {
        const up = await guest.handoff("aegis-kexec boot /esp/EFI/Linux/image.efi --profile 1");
        expect(up.cmdline).toBe(`${given().console} debug=${word}`);
        await guest.stop();
      });
    }

    test("a directory's default entry", async (guest) => {
      const up = await guest.handoff("aegis-kexec boot /esp");
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} entry=${word}`,
      });
      expect(await guest.check("cat /extra")).toBe("of the user\n");
      await guest.stop();
    });

    test("an entry by name that leads to a signed UKI", async (guest) => {
      const up = await guest.handoff("aegis-kexec boot /esp --entry uki --trust /etc/org.pub");
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} uki=${word}`,
      });
      expect(await guest.check("cat /microcode")).toBe("of .ucode\n");
      await guest.stop();
    });

    test("an entry by name that leads to a UKI, with another command line", async (guest) => {
      const cmdline = `${given().console} ${unique()}`;
      const up = await guest.handoff(`aegis-kexec boot /esp --entry uki --cmdline '${cmdline}'`);
      expect(up).toMatchObject({ token: given().token, cmdline });
      await guest.stop();
    });
  });
}
