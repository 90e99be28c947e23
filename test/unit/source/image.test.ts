import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ErrorCode, KexecError } from "../../../src/errors.ts";
import { matchesSignature, readAuthenticode } from "../../../src/image/authenticode.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { readPe } from "../../../src/image/pe.ts";
import { InputFile } from "../../../src/linux/file.ts";
import { KernelSource } from "../../../src/source/image.ts";
import type { OpenFile } from "../../../src/source/open-file.ts";
import { largestUnpacked } from "../../../src/source/unpack.ts";
import { testOfKernel } from "../../needs.ts";
import { memoryWatch, mutate, processorTime, seeded } from "../fuzz.ts";
import {
  ascii,
  concat,
  makeArm64,
  makeBzImage,
  makePe,
  makeZboot,
  patched,
  peCertificateEntry,
  type SectionPlan,
  winCertificate,
  withCertificates,
} from "../image/build.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-image-"));
afterAll(() => rmSync(folder, { recursive: true }));

let number = 0;
function written(bytes: Uint8Array, name = `image-${number++}`): InputFile {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return InputFile.open(path, "kernel");
}

interface Wish {
  readonly architecture?: "x86_64" | "aarch64";
  readonly profile?: number;
  readonly limit?: number;
  readonly warnings?: string[];
}

/** Opens the image, and gives back what the kernel would get. */
async function opened(file: OpenFile, wish: Wish = {}) {
  const { architecture = "x86_64", profile, limit = largestUnpacked, warnings = [] } = wish;
  using source = await KernelSource.open(
    file,
    { architecture, profile, limit: () => limit },
    { warn: (line) => warnings.push(line) },
  );
  return {
    bytes: source.file.read(0, source.file.size),
    format: source.format,
    sameFile: source.file === file,
    archives: source.archives.map((part) => ({
      path: part.path.slice(folder.length + 1).replace(/^.*#/, ""),
      text: new TextDecoder().decode(part.read(0, part.size)),
    })),
    cmdline: source.cmdline,
  };
}

async function open(bytes: Uint8Array, wish: Wish = {}) {
  using file = written(bytes);
  return await opened(file, wish);
}

async function refusal(code: ErrorCode, bytes: Uint8Array, wish: Wish = {}, name?: string) {
  using file = written(bytes, name);
  try {
    await opened(file, wish);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^cannot [^\n]+[^.\n]$/);
    return {
      message: error.message.replaceAll(`${folder}/`, ""),
      hint: error.hint?.replaceAll(`${folder}/`, ""),
    };
  }
  throw new Error("it was not refused");
}

const kernel = makeBzImage(20_000);
const gzip = (bytes: Uint8Array) => Bun.gzipSync(Uint8Array.from(bytes));
const zstd = (bytes: Uint8Array) => Bun.zstdCompressSync(Uint8Array.from(bytes));
const section = (name: string, content: Uint8Array | string): SectionPlan => ({
  name,
  content: typeof content === "string" ? ascii(content) : content,
});

/** `makePe` makes programs for x86_64. */
const forArm64 = (pe: Uint8Array) => patched(pe, [64 + 4, 2, 0xaa64]);

describe("a bare kernel", () => {
  test("is the file itself: nothing is copied", async () => {
    expect(await open(kernel)).toMatchObject({ sameFile: true, format: "bzImage", archives: [] });
  });

  test("has no profiles", async () => {
    const { message } = await refusal("usage", kernel, { profile: 0 }, "bare");
    expect(message).toBe("cannot use profile 0 of bare: it is not a UKI");
  });
});

describe("what is no kernel is named", () => {
  test.each([
    [
      "memtest.efi",
      makePe([{ name: ".text", content: ascii("MemTest86+ v7") }]),
      "it is a memory test (Memtest86+), not Linux",
    ],
    [
      "extlinux.conf",
      ascii("default l0\nlabel l0\n\tlinux a\n"),
      "it is a configuration of syslinux (extlinux.conf, isolinux.cfg), not a kernel image",
    ],
    ["initrd", ascii(`070701${"0".repeat(104)}`), "it is an initramfs, not a kernel image"],
    [
      "elf",
      concat(Uint8Array.of(0x7f), ascii("ELF"), new Uint8Array(60)),
      "it is an ELF file, such as a vmlinux, which the kernel does not load",
    ],
    [
      "shell",
      makePe([section(".text", "shell")]),
      "it is an EFI program without a kernel in it (no .linux section)",
    ],
    ["zeros", new Uint8Array(512), "it is not a kernel image: it begins with zeros"],
    ["text", ascii("hello"), "it is not a kernel image"],
  ])("%s", async (name, bytes, what) => {
    const { message } = await refusal("not-a-kernel", bytes, {}, name);
    expect(message).toBe(`cannot start ${name}: ${what}`);
  });
});

test("iPXE, which is a bzImage of an old protocol, is called by its name", async () => {
  const ipxe = patched(makeBzImage(), [0x206, 2, 0x0207], [0x500, 4, 0x45585069]);
  const { message } = await refusal("kernel-unsuitable", ipxe, {}, "ipxe.lkrn");
  expect(message).toStartWith("cannot start ipxe.lkrn: it is iPXE, not Linux: ");
});

describe("a compressed kernel", () => {
  test.each([
    ["gzip", gzip],
    ["zstd", zstd],
  ] as const)("%s with zeros behind it, and with junk behind those", async (_, pack) => {
    for (const zeros of [16, 4096, 70_000]) {
      const padded = concat(pack(kernel), new Uint8Array(zeros));
      expect((await open(padded)).bytes).toEqual(kernel);
      await refusal("malformed-input", concat(padded, Uint8Array.of(1), new Uint8Array(99)));
    }
  });

  test.each([
    ["gzip", gzip],
    ["zstd", zstd],
  ] as const)("%s", async (name, pack) => {
    const image = await open(pack(kernel));
    expect(image.bytes).toEqual(kernel);
    expect(image).toMatchObject({ format: `bzImage (${name})`, sameFile: false });
    const arm = await open(pack(makeArm64()), { architecture: "aarch64" });
    expect(arm.format).toBe(`arm64 Image (${name})`);
  });

  test("in several members is all of them", async () => {
    const [a, b] = [kernel.subarray(0, 9000), kernel.subarray(9000)];
    expect((await open(concat(gzip(a), gzip(b)))).bytes).toEqual(kernel);
    expect((await open(concat(zstd(a), zstd(b)))).bytes).toEqual(kernel);
  });

  test.each([
    ["gzip", gzip],
    ["zstd", zstd],
  ] as const)("cut short anywhere (%s)", async (name, pack) => {
    const packed = pack(kernel);
    for (const cut of [1, 5, 9, packed.length >> 1, packed.length - 12]) {
      const { message } = await refusal(
        "kernel-truncated",
        packed.subarray(0, -cut),
        {},
        `${name}-cut`,
      );
      expect(message).toBe(`cannot unpack ${name}-cut: its ${name} stream is cut short`);
    }
  });

  test.each([
    ["gzip", gzip],
    ["zstd", zstd],
  ] as const)("damaged, or followed by something (%s)", async (_name, pack) => {
    const packed = pack(kernel);
    const damaged = patched(packed, [packed.length - 6, 1, (packed[packed.length - 6] ?? 0) ^ 4]);
    await refusal("malformed-input", damaged);
    await refusal("malformed-input", concat(packed, ascii("something else")));
  });

  test.each([
    ["gzip", gzip],
    ["zstd", zstd],
  ] as const)("a bomb ends at the limit (%s)", async (_name, pack) => {
    const bomb = pack(concat(kernel, new Uint8Array(64 << 20)));
    expect(bomb.length).toBeLessThan(100_000);
    const { message } = await refusal("out-of-memory", bomb, { limit: 4 << 20 }, "bomb");
    expect(message).toStartWith("cannot unpack bomb: it unpacks to more than 4 MiB");
    // What is no kernel by its beginning is not unpacked up to the limit.
    const zeros = pack(new Uint8Array(64 << 20));
    await refusal("not-a-kernel", zeros, { limit: 1 << 20 }, "zeros");
  });

  test("by zstd --long, which Bun does not undo, is refused with the command that unpacks it", async () => {
    // RFC 8878: a frame with a window of 2^(10 + exponent), and one raw block, the last.
    const framed = (exponent: number) =>
      concat(
        Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3),
        patched(new Uint8Array(4), [0, 4, (kernel.length << 3) | 1]).subarray(0, 3),
        kernel,
      );
    expect((await open(framed(17))).bytes).toEqual(kernel);
    const { message, hint } = await refusal("kernel-unsuitable", framed(18), {}, "long.zst");
    expect(message).toBe(
      "cannot unpack long.zst: its zstd stream was made with a window of more than 128 MiB",
    );
    expect(hint?.replaceAll("''", "")).toBe("unpack it first: zstd -dc --long=31 long.zst > long");
  });

  test("all that is unpacked on the way counts as one", async () => {
    const mebibyte = new Uint8Array(1 << 20);
    // A skippable frame (RFC 8878, 3.1.2): what is inside is passed over.
    const skipped = concat(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0x10, 0), mebibyte);
    const twice = gzip(concat(skipped, zstd(makeBzImage(1 << 20))));
    expect((await open(twice, { limit: 5 << 19 })).format).toBe("bzImage (gzip, zstd)");
    await refusal("out-of-memory", twice, { limit: 3 << 19 });
  });

  test("of nothing, and of what is no kernel", async () => {
    await refusal("malformed-input", gzip(new Uint8Array(0)));
    await refusal("not-a-kernel", gzip(ascii("hello")));
    await refusal("wrong-architecture", gzip(makeArm64()));
  });

  test("packed over and over", async () => {
    expect((await open(gzip(zstd(kernel)))).format).toBe("bzImage (gzip, zstd)");
    let packed = kernel;
    for (let round = 0; round < 5; round++) packed = gzip(packed);
    const { message } = await refusal("kernel-unsuitable", packed, {}, "onion");
    expect(message).toBe("cannot unpack onion: it is packed more than 4 times over");
  });

  test.each([
    ["vmlinuz.xz", [0xfd, ...ascii("7zXZ"), 0], "xz", "xz -dc vmlinuz.xz > vmlinuz"],
    ["Image.lz4", [0x02, 0x21, 0x4c, 0x18], "lz4", "lz4 -dc Image.lz4 > Image"],
    ["Image.frame", [0x04, 0x22, 0x4d, 0x18], "lz4", "lz4 -dc Image.frame > Image.frame.unpacked"],
    ["a b.bz2", [...ascii("BZh9")], "bzip2", "bzip2 -dc 'a b.bz2' > 'a b'"],
    ["vmlinuz.lzma", [0x5d, 0, 0, 0x80, 0], "lzma", "xz -dc --format=lzma vmlinuz.lzma > vmlinuz"],
  ])("%s is refused with the command that unpacks it", async (name, magic, format, command) => {
    const bytes = concat(Uint8Array.from(magic), new Uint8Array(64).fill(1));
    const { message, hint } = await refusal("kernel-unsuitable", bytes, {}, name);
    expect(message).toBe(
      `cannot unpack ${name}: it is compressed by ${format}; gzip and zstd are unpacked here`,
    );
    // The command is for a shell: the folder of this test is inside the quotes.
    expect(hint?.replaceAll("''", "")).toBe(`unpack it first: ${command}`);
  });
});

describe("a zboot image", () => {
  /** An arm64 Image that is a signed PE file too, as distributions ship it. */
  const signed = (() => {
    const pe = forArm64(makePe([section(".text", new Uint8Array(3000).fill(7))]));
    const image = withCertificates(pe, winCertificate(ascii("a signature of 28 characters")));
    return patched(image, [16, 8, 0x20_0000], [24, 8, 0b1010], [56, 4, 0x644d5241]);
  })();
  const arm64 = { architecture: "aarch64" } as const;

  test.each([
    ["gzip", gzip],
    ["zstd", zstd],
  ] as const)("is unpacked (%s)", async (name, pack) => {
    const image = await open(
      makeZboot(pack(makeArm64()), name === "zstd" ? "zstd22" : name),
      arm64,
    );
    expect(image.bytes).toEqual(makeArm64());
    expect(image.format).toBe(`arm64 Image (zboot, ${name})`);
  });

  test("keeps the inner signature byte for byte, and nothing behind it", async () => {
    const padded = concat(signed, new Uint8Array(70_000));
    expect((await open(makeZboot(gzip(padded)), arm64)).bytes).toEqual(signed);
  });

  testOfKernel("debian-arm64", "keeps the signature of Debian's kernel valid", async ({ path }) => {
    const image = new Uint8Array(readFileSync(path));
    // Filled up to the size in memory, as Makefile.zboot does.
    const padded = new Uint8Array(Number(new DataView(image.buffer).getBigUint64(16, true)));
    padded.set(image);
    const { bytes } = await open(makeZboot(gzip(padded)), arm64);
    expect(padded.length).toBeGreaterThan(image.length);
    expect(Buffer.compare(bytes, image)).toBe(0);
    const pe = readPe(bytesOf(bytes));
    if (pe?.kind !== "pe") throw new Error("no PE file");
    const signature = readAuthenticode(bytesOf(bytes), pe)?.signatures[0];
    expect(signature && matchesSignature(bytesOf(bytes), pe, signature)).toBe(true);
  });

  test("is not trimmed where there is no signature, or other bytes behind it", async () => {
    const plain = concat(makeArm64(), new Uint8Array(5000));
    expect((await open(makeZboot(gzip(plain)), arm64)).bytes).toEqual(plain);
    const followed = concat(signed, new Uint8Array(5000), ascii("!"));
    expect((await open(makeZboot(gzip(followed)), arm64)).bytes).toEqual(followed);
    const outside = patched(signed, [peCertificateEntry + 4, 4, 0xffff_ffff]);
    expect((await open(makeZboot(gzip(outside)), arm64)).bytes).toEqual(outside);
  });

  test("of another compression", async () => {
    const payload = concat(Uint8Array.of(0xfd), ascii("7zXZ\0"), new Uint8Array(58));
    const { hint } = await refusal("kernel-unsuitable", makeZboot(payload, "xzkern"), arm64, "z");
    expect(hint).toBe("unpack it first: tail -c +129 z | head -c 64 | xz -dc > z.unpacked");
    const { message } = await refusal(
      "kernel-unsuitable",
      makeZboot(ascii("??????"), "best"),
      arm64,
      "y",
    );
    expect(message).toBe('cannot unpack y: its compression "best" is not known here');
  });

  test("whose payload lies outside", async () => {
    await refusal("kernel-truncated", makeZboot(gzip(makeArm64())).subarray(0, -1), arm64);
  });
});

describe("a UKI", () => {
  const uki = makePe([
    section(".text", "the stub"),
    section(".osrel", "ID=test\n"),
    section(".cmdline", "root=LABEL=A\tquiet \n\0\0"),
    section(".initrd", "initramfs"),
    section(".linux", kernel),
    section(".ucode", "microcode"),
    section(".profile", "ID=main"),
    section(".profile", "ID=debug"),
    section(".cmdline", "debug"),
    section(".initrd", "another"),
  ]);

  test("is its kernel, its archives and its command line", async () => {
    const image = await open(uki);
    expect(image.bytes).toEqual(kernel);
    expect(image).toMatchObject({
      format: "bzImage (UKI)",
      sameFile: false,
      archives: [
        { path: ".ucode", text: "microcode" },
        { path: ".initrd", text: "initramfs" },
      ],
      cmdline: "root=LABEL=A quiet",
    });
  });

  test("has profiles", async () => {
    expect(await open(uki, { profile: 0 })).toMatchObject({ cmdline: "root=LABEL=A quiet" });
    const debug = await open(uki, { profile: 1 });
    expect(debug.cmdline).toBe("debug");
    expect(debug.archives.map(({ text }) => text)).toEqual(["microcode", "another"]);
    const { message, hint } = await refusal("usage", uki, { profile: 2 }, "uki");
    expect(message).toBe("cannot use profile 2 of uki: it has only 2");
    expect(hint).toBe("its profiles are 0 (main), 1 (debug)");
    const bare = makePe([section(".linux", kernel)]);
    expect((await refusal("usage", bare, { profile: 1 }, "one")).message).toBe(
      "cannot use profile 1 of one: it has no profiles",
    );
  });

  test("may lack everything but a kernel, which may be packed", async () => {
    const image = await open(makePe([section(".linux", zstd(kernel))]));
    expect(image.bytes).toEqual(kernel);
    expect(image).toMatchObject({
      format: "bzImage (UKI, zstd)",
      archives: [],
      cmdline: undefined,
    });
    const zboot = forArm64(makePe([section(".linux", makeZboot(gzip(makeArm64())))]));
    expect((await open(zboot, { architecture: "aarch64" })).format).toBe(
      "arm64 Image (UKI, zboot, gzip)",
    );
  });

  test("brings a device tree in vain", async () => {
    const warnings: string[] = [];
    const uki = forArm64(makePe([section(".linux", makeArm64()), section(".dtb", "tree")]));
    await open(uki, { warnings, architecture: "aarch64" });
    expect(warnings.join()).toContain("brings a device tree (.dtb), which is not used");
  });

  test("for another machine", async () => {
    const { message } = await refusal(
      "wrong-architecture",
      uki,
      { architecture: "aarch64" },
      "x86",
    );
    expect(message).toBe("cannot load x86: it is a UKI for x86_64, and this machine is aarch64");
    await refusal("wrong-architecture", makePe([section(".linux", makeArm64())]));
  });

  test.each([
    ["a NUL inside", "a\0b", "its .cmdline section has a NUL character inside"],
    ["a control character", "a\u001bb", "its .cmdline section has a control character inside"],
    ["no UTF-8", "\u00ff", undefined],
    ["too much", "x".repeat(65537), "its .cmdline section is longer than 65536 bytes"],
  ])("whose command line has %s", async (_what, text, problem) => {
    const content = problem === undefined ? Uint8Array.of(0x61, 0xff) : ascii(text);
    const bytes = makePe([section(".linux", kernel), section(".cmdline", content)]);
    const { message } = await refusal("malformed-input", bytes, {}, "line");
    expect(message).toBe(`cannot load line: ${problem ?? "its .cmdline section is not UTF-8"}`);
  });

  test("that is none: without .linux, overlapping, pointing outside", async () => {
    await refusal("not-a-kernel", makePe([section(".initrd", "x"), section(".cmdline", "y")]));
    const table = 64 + 24 + 112 + 16 * 8;
    const overlapping = patched(uki, [table + 40 + 20, 4, 1024], [table + 20, 4, 1024]);
    await refusal("malformed-input", overlapping);
    const outside = patched(uki, [table + 4 * 40 + 20, 4, 0x7fff_0000]);
    await refusal("kernel-truncated", outside);
  });

  test("with a bare kernel's header is a bare kernel: that is what the kernel would see", async () => {
    const both = patched(uki, [0x202, 4, 0x5372_6448], [0x1f1, 1, 1], [0x1fe, 2, 0xaa55]);
    await refusal("kernel-unsuitable", both);
  });
});

describe("mutations are opened or refused, in time", () => {
  const samples = {
    gzip: gzip(makeBzImage()),
    zstd: zstd(makeBzImage()),
    zboot: makeZboot(gzip(makeArm64())),
    uki: makePe([
      section(".cmdline", "quiet"),
      section(".initrd", "initramfs"),
      section(".linux", makeBzImage()),
      section(".profile", "ID=a"),
      section(".cmdline", "debug"),
    ]),
  };
  test.each(Object.entries(samples))(
    "%s",
    async (name, sample) => {
      const rng = seeded(name.length);
      const architecture = name === "zboot" ? "aarch64" : "x86_64";
      let refused = 0;
      let [slowest, largest] = [0, 0];
      const checkMemory = memoryWatch();
      for (let round = 0; round < 2000; round++) {
        const bytes = mutate(sample, rng);
        const file: OpenFile = memoryFile(bytes);
        largest = Math.max(largest, bytes.length);
        const start = processorTime();
        try {
          using source = await KernelSource.open(
            file,
            { architecture, profile: undefined, limit: () => 1 << 20 },
            {},
          );
          for (const part of source.archives) part.read(0, part.size);
        } catch (error) {
          if (!(error instanceof KexecError)) throw error;
          expect(error.exit === 4 || error.exit === 8 || error.exit === 9).toBe(true);
          refused += 1;
        }
        slowest = Math.max(slowest, processorTime() - start);
      }
      expect(refused).toBeGreaterThan(200);
      expect(slowest).toBeLessThan(1000);
      checkMemory(largest);
    },
    60_000,
  );
});

/** A file whose descriptor is that of a real one, for the parts that the system copies. */
function memoryFile(bytes: Uint8Array): OpenFile {
  const path = join(folder, "mutated");
  writeFileSync(path, bytes.length === 0 ? ascii("\0") : bytes);
  return InputFile.open(path, "kernel");
}
