import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ErrorCode, KexecError } from "../../../src/errors.ts";
import { entriesReader, type ListedEntry } from "../../../src/source/entries.ts";
import { Source, type Wanted } from "../../../src/source/open.ts";
import { findSource, isTree } from "../../../src/source/place.ts";
import { ascii, makeBzImage, makePe } from "../image/build.ts";

const machine = process.arch === "x64" ? "x86_64" : "aarch64";
const [here, elsewhere] = machine === "x86_64" ? ["x64", "aa64"] : ["aa64", "x64"];

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** The boot entries of a directory, in order. */
async function listEntries(directory: string): Promise<readonly ListedEntry[]> {
  using held = new DisposableStack();
  const found = await findSource(directory, held);
  if (!isTree(found)) throw new Error("it is no directory");
  return entriesReader.menu(found, { architecture: machine, held }).list().entries;
}

type Content = string | Uint8Array;

/** A partition with these files. */
function partition(files: Readonly<Record<string, Content>>): string {
  const root = mkdtempSync(join(tmpdir(), "aegis-open-"));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

/** What is opened, with paths relative to the partition. */
async function open(root: string, wanted: Partial<Wanted> = {}) {
  const lines: string[] = [];
  using source = await Source.open(
    { kernel: root, initrd: [], ...wanted },
    { warn: (line) => lines.push(line), note: (line) => lines.push(line) },
  );
  const short = (path: string) => path.replace(`${root}/`, "");
  return {
    kernel: short(source.kernel.file.path),
    initrds: source.initrds.map(({ file }) => short(file.path)),
    cmdline: source.cmdline,
    entry: source.entry && short(source.entry.path),
    lines: lines.map(short),
  };
}

async function refusal(code: ErrorCode, root: string, wanted: Partial<Wanted> = {}) {
  try {
    await open(root, wanted);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect({ code: error.code, message: error.message }).toMatchObject({ code });
    return {
      message: error.message.replaceAll(root, "R"),
      hint: error.hint?.replaceAll(root, "R"),
    };
  }
  throw new Error("it was not refused");
}

const kernel = makeBzImage();
const uki = (osRelease: string, architecture = 0x8664) => {
  const pe = makePe([
    { name: ".osrel", content: ascii(osRelease) },
    { name: ".linux", content: kernel },
  ]);
  new DataView(pe.buffer, pe.byteOffset).setUint16(68, architecture, true);
  return pe;
};
const [ownMachine, otherMachine] = machine === "x86_64" ? [0x8664, 0xaa64] : [0xaa64, 0x8664];

const boot = partition({
  "vmlinuz-1": kernel,
  "vmlinuz-2": kernel,
  "a/initrd": "one",
  "a/ucode": "two",
  "given.img": "three",
  "loader/entries/old.conf": "linux /vmlinuz-1\nversion 1\nsort-key debian\n",
  "loader/entries/new+3-1.conf":
    "title New\nlinux /vmlinuz-2\ninitrd /a/ucode\ninitrd a/initrd\noptions root=a\noptions quiet\nversion 2\nsort-key debian\n",
  "loader/entries/bad+0-3.conf": "linux /vmlinuz-1\nversion 9\nsort-key debian\n",
  "loader/entries/far.conf": `linux /none\narchitecture ${elsewhere}\nsort-key a\n`,
  "loader/entries/tree.conf": "linux /vmlinuz-1\ndevicetree /x.dtb\nsort-key a\n",
  "loader/entries/broken.conf": "linux /../x\nsort-key a\n",
  "loader/entries/README": "linux /vmlinuz-1\n",
  "EFI/Linux/image.efi": uki(
    'ID=debian\nIMAGE_ID="appliance"\nPRETTY_NAME=Debian\nVERSION_ID=13\n',
    ownMachine,
  ),
  "EFI/Linux/other.efi": uki("ID=a\n", otherMachine),
  "EFI/Linux/shell.efi": makePe([{ name: ".text", content: ascii("x") }]),
});

describe("a directory of boot entries", () => {
  test("lists them in order, with what is wrong", async () => {
    const all = await listEntries(boot);
    const listed = all.map(({ path, title, triesLeft, problem }) => [
      path.replace(/^.*\//, ""),
      title,
      triesLeft,
      problem,
    ]);
    const tree = "it wants a device tree (devicetree), and kexec passes on the running one";
    expect(listed).toEqual([
      ["tree.conf", undefined, undefined, tree],
      ["other.efi", "a", undefined, `it is for ${elsewhere}`],
      ["far.conf", undefined, undefined, `it is for ${elsewhere}`],
      ["image.efi", "Debian", undefined, undefined],
      ["new+3-1.conf", "New", 3, undefined],
      ["old.conf", undefined, undefined, undefined],
      ["shell.efi", undefined, undefined, "it is not a UKI: it has no .linux section"],
      ["broken.conf", undefined, undefined, 'a path has ".." in it'],
      ["bad+0-3.conf", undefined, 0, undefined],
    ]);
    const usable = all.filter(({ problem }) => problem === undefined);
    expect(usable.map(({ id }) => id)).toEqual(["image.efi", "new.conf", "old.conf", "bad.conf"]);
  });

  test("leads to its default, past those that cannot be booted", async () => {
    const { kernel, initrds, cmdline, lines } = await open(boot);
    expect({ kernel, initrds, cmdline }).toEqual({
      kernel: "EFI/Linux/image.efi",
      initrds: [],
      cmdline: undefined,
    });
    expect(lines.join("\n")).toContain("loader/entries/tree.conf is passed over");
  });

  test("may be named by its loader/entries", async () => {
    const entries = join(boot, "loader/entries");
    expect((await open(boot, { kernel: entries })).kernel).toBe("EFI/Linux/image.efi");
    expect((await open(boot, { kernel: `${entries}/`, entry: "old" })).kernel).toBe("vmlinuz-1");
    expect(await listEntries(entries)).toEqual(await listEntries(boot));
  });

  test.each(["new", "new.conf", "NEW", "new+3-1.conf"])("--entry %s", async (entry) => {
    expect(await open(boot, { entry, initrd: [join(boot, "given.img")] })).toMatchObject({
      kernel: "vmlinuz-2",
      initrds: ["a/ucode", "a/initrd", "given.img"],
      cmdline: "root=a quiet",
      entry: "loader/entries/new+3-1.conf",
    });
  });

  test("--entry of a bad one, and of a UKI", async () => {
    expect((await open(boot, { entry: "bad" })).kernel).toBe("vmlinuz-1");
    expect((await open(boot, { entry: "image.efi" })).kernel).toBe("EFI/Linux/image.efi");
  });

  test("--entry that is not there, or not for a directory", async () => {
    const { message, hint } = await refusal("file-not-found", boot, { entry: "newest" });
    expect(message).toBe("cannot find the boot entry newest in R");
    expect(hint).toContain("new.conf");
    await refusal("usage", boot, { entry: "new", kernel: join(boot, "vmlinuz-1") });
  });

  test("passes over an EFI program that is no kernel; one that is not there stops", async () => {
    const root = partition({
      vmlinuz: kernel,
      "memtest.efi": makePe([{ name: ".text", content: ascii("x") }]),
      "a.efi": uki("", ownMachine),
      "loader/entries/memtest.conf": "efi /memtest.efi\n",
      "loader/entries/arch.conf": "efi /a.efi\n",
      "loader/entries/a.conf": "efi /vmlinuz\n",
    });
    const { kernel: chosen, lines } = await open(root);
    expect(chosen).toBe("a.efi");
    expect(lines).toContain(
      "the boot entry loader/entries/memtest.conf is passed over: it starts an EFI program without a kernel in it (memtest.efi)",
    );
    expect((await open(root, { entry: "a" })).kernel).toBe("vmlinuz");
    writeFileSync(join(root, "loader/entries/z.conf"), "efi /none\n");
    await refusal("file-not-found", root);
  });

  test("without entries, or with none that fits", async () => {
    expect((await refusal("file-not-found", partition({ vmlinuz: kernel }))).message).toBe(
      "cannot load R: it is a directory without boot entries",
    );
    const other = partition({ "loader/entries/a.conf": `linux /a\narchitecture ${elsewhere}\n` });
    const { message, hint } = await refusal("file-not-found", other);
    expect(message).toBe("cannot choose a boot entry in R: none of its 1 can be booted here");
    expect(hint).toBe(`the first of them, loader/entries/a.conf: it is for ${elsewhere}`);
  });

  test("with 10,000 of them: no default, but any that is named, in time", async () => {
    const root = partition({ vmlinuz: kernel });
    const entries = join(root, "loader/entries");
    mkdirSync(entries, { recursive: true });
    for (let index = 0; index < 10_000; index++) {
      writeFileSync(join(entries, `entry-${index}.conf`), "linux /vmlinuz\n");
    }
    const start = performance.now();
    const { message, hint } = await refusal("file-too-large", root);
    expect(message).toBe("cannot choose a boot entry in R: it has more than 4096");
    expect(hint).toBe("name one with --entry, or give its file");
    expect((await open(root, { entry: "entry-9876" })).entry).toBe(
      "loader/entries/entry-9876.conf",
    );
    // Of the search alone, on a busy machine: a scan that reads them all takes minutes.
    expect(performance.now() - start).toBeLessThan(20_000);
  }, 60_000);
});

describe("an entry's file", () => {
  const entry = (text: string, files: Readonly<Record<string, Content>> = {}) => {
    const root = partition({ vmlinuz: kernel, "loader/entries/e.conf": text, ...files });
    return { root, kernel: join(root, "loader/entries/e.conf") };
  };

  test("counts paths from the directory that has loader/entries", async () => {
    const { root, kernel } = entry("linux /vmlinuz\noptions a\n");
    expect(await open(root, { kernel })).toMatchObject({ kernel: "vmlinuz", cmdline: "a" });
  });

  test("or from above it, where that is no partition of its own; never out of it", async () => {
    const root = partition({
      vmlinuz: kernel,
      "boot/vmlinuz-1": kernel,
      "boot/a/initrd": "one",
      "boot/loader/entries/e.conf": "linux /boot/vmlinuz-1\ninitrd /boot/a/initrd\n",
      "boot/loader/entries/out.conf": "linux /vmlinuz\n",
      "boot/loader/entries/none.conf": "linux /boot/none\n",
    });
    const folder = join(root, "boot");
    expect(await open(root, { kernel: folder, entry: "e" })).toMatchObject({
      kernel: "boot/vmlinuz-1",
      initrds: ["boot/a/initrd"],
    });
    const missing = { kernel: folder, entry: "none" };
    expect((await refusal("file-not-found", root, missing)).message).toBe(
      "cannot open the kernel R/boot/none: no such file",
    );
    await refusal("file-not-found", root, { kernel: folder, entry: "out" });
  });

  test("elsewhere, from the directory that it is in; whatever its name", async () => {
    const root = partition({ "x/vmlinuz": kernel, "x/boot.txt": "linux /vmlinuz\n" });
    expect((await open(root, { kernel: join(root, "x/boot.txt") })).kernel).toBe("x/vmlinuz");
  });

  test("that leads to a UKI", async () => {
    const { root, kernel } = entry("uki /EFI/Linux/a.efi\n", { "EFI/Linux/a.efi": uki("") });
    expect((await open(root, { kernel })).kernel).toBe("EFI/Linux/a.efi");
  });

  test.each([
    ["linux /none\n", "file-not-found", "cannot open the kernel R/none: no such file"],
    [
      "linux /vmlinuz\ninitrd /none\n",
      "file-not-found",
      "cannot open the initramfs R/none: no such file",
    ],
    [
      "linux /loader\n",
      "not-a-regular-file",
      "cannot use R/loader as the kernel: it is a directory, not a regular file",
    ],
    [
      "linux /../vmlinuz\n",
      "outside-folder",
      'cannot load the boot entry R/loader/entries/e.conf: a path has ".." in it',
    ],
    [
      "linux /out\n",
      "outside-folder",
      "cannot open the kernel R/out: a symbolic link in its path leads out of the folder",
    ],
    [
      "title nothing\n",
      "malformed-input",
      "cannot load the boot entry R/loader/entries/e.conf: it names no kernel: it has no linux, efi or uki line",
    ],
    [
      "linux /vmlinuz\ninitrd /initrd.img $tuned_initrd\n",
      "malformed-input",
      "cannot load the boot entry R/loader/entries/e.conf: its initrd initrd.img $tuned_initrd has a variable of GRUB, and its value is not in the entry",
    ],
    [
      `linux /vmlinuz\n#${"x".repeat(70_000)}`,
      "malformed-input",
      "cannot load the boot entry R/loader/entries/e.conf: it is larger than 65536 bytes",
    ],
  ] as const)("%p is refused", async (text, code, message) => {
    const { root, kernel } = entry(text);
    symlinkSync("/etc/passwd", join(root, "out"));
    expect((await refusal(code, root, { kernel })).message).toBe(message);
  });

  test("with extra files says that they stay behind", async () => {
    const { root, kernel } = entry("linux /vmlinuz\nextra /a.cred\n");
    const { lines } = await open(root, { kernel });
    expect(lines).toContain("loader/entries/e.conf: its extra files do not reach the next kernel");
  });

  test("for another machine, or with a device tree", async () => {
    const other = entry(`linux /vmlinuz\narchitecture ${elsewhere}\n`);
    expect((await refusal("wrong-architecture", other.root, other)).message).toBe(
      `cannot load the boot entry R/loader/entries/e.conf: it is for ${elsewhere}, and this machine is ${machine}`,
    );
    const own = entry(`linux /vmlinuz\narchitecture ${here?.toUpperCase()}\n`);
    expect((await open(own.root, own)).kernel).toBe("vmlinuz");
    const tree = entry("linux /vmlinuz\ndevicetree-overlay /a.dtbo\n");
    expect((await refusal("kernel-unsuitable", tree.root, tree)).message).toContain(
      "(devicetree-overlay)",
    );
  });
});
