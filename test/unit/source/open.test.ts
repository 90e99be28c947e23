import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ErrorCode, KexecError } from "../../../src/errors.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { entriesReader, type ListedEntry } from "../../../src/source/entry/entries.ts";
import { Source, type Wanted } from "../../../src/source/open.ts";
import { findSource, isTree } from "../../../src/source/place.ts";
import { memoryWatch } from "../fuzz.ts";
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
  const found = await findSource(directory, held, {
    wait: 0,
    listener: {},
    admission: { required: false, fileSystems: undefined },
  });
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
    { source: root, initrd: [], ...wanted },
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
      ["broken.conf", undefined, undefined, 'line 1: a path has ".." in it'],
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
    expect((await open(boot, { source: entries })).kernel).toBe("EFI/Linux/image.efi");
    expect((await open(boot, { source: `${entries}/`, entry: "old" })).kernel).toBe("vmlinuz-1");
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
    await refusal("usage", boot, { entry: "new", source: join(boot, "vmlinuz-1") });
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
      "cannot load R: it is a directory with nothing in it that can be booted",
    );
    const other = partition({ "loader/entries/a.conf": `linux /a\narchitecture ${elsewhere}\n` });
    const { message, hint } = await refusal("file-not-found", other);
    expect(message).toBe("cannot choose a boot entry in R: its only entry cannot be booted here");
    expect(hint).toBe(`loader/entries/a.conf: it is for ${elsewhere}`);
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
    expect(message).toBe("cannot choose a boot entry in R: it has more than 4096 entries");
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
    return { root, source: join(root, "loader/entries/e.conf") };
  };

  test("counts paths from the directory that has loader/entries", async () => {
    const { root, source: kernel } = entry("linux /vmlinuz\noptions a\n");
    expect(await open(root, { source: kernel })).toMatchObject({ kernel: "vmlinuz", cmdline: "a" });
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
    expect(await open(root, { source: folder, entry: "e" })).toMatchObject({
      kernel: "boot/vmlinuz-1",
      initrds: ["boot/a/initrd"],
    });
    const missing = { kernel: folder, entry: "none" };
    expect((await refusal("file-not-found", root, missing)).message).toBe(
      "cannot open the kernel R/boot/none: no such file",
    );
    await refusal("file-not-found", root, { source: folder, entry: "out" });
  });

  test("elsewhere, from the directory that it is in; whatever its name", async () => {
    const root = partition({ "x/vmlinuz": kernel, "x/boot.txt": "linux /vmlinuz\n" });
    expect((await open(root, { source: join(root, "x/boot.txt") })).kernel).toBe("x/vmlinuz");
  });

  test("that leads to a UKI", async () => {
    const { root, source: kernel } = entry("uki /EFI/Linux/a.efi\n", {
      "EFI/Linux/a.efi": uki(""),
    });
    expect((await open(root, { source: kernel })).kernel).toBe("EFI/Linux/a.efi");
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
      'cannot load the boot entry R/loader/entries/e.conf: line 1: a path has ".." in it',
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
      `linux /vmlinuz\n#${"x".repeat(70_000)}`,
      "malformed-input",
      "cannot load the boot entry R/loader/entries/e.conf: it is larger than 65536 bytes",
    ],
  ] as const)("%p is refused", async (text, code, message) => {
    const { root, source: kernel } = entry(text);
    symlinkSync("/etc/passwd", join(root, "out"));
    expect((await refusal(code, root, { source: kernel })).message).toBe(message);
  });

  const archive = encodeArchive([{ type: "directory", path: "etc" }]);

  test.each([
    ["as it stands", "vmlinuz", "/vmlinuz"],
    ["with backslashes", "EFI/a/vmlinuz", "\\EFI\\a\\vmlinuz"],
    ["of /boot, mounted elsewhere", "vmlinuz", "/boot/vmlinuz"],
    ["of an ESP, mounted elsewhere", "EFI/a/vmlinuz", "/boot/efi/EFI/a/vmlinuz"],
    ["of a btrfs subvolume", "boot/vmlinuz", "/@/boot/vmlinuz"],
    ["of a btrfs subvolume that is /boot", "vmlinuz", "/@/boot/vmlinuz"],
    ["of Fedora's subvolume", "vmlinuz", "/root/boot/vmlinuz"],
    ["with a blank", "a b/vmlinuz", "/a b/vmlinuz"],
    ["with a name that is not UTF-8", "\udce4/vmlinuz", "/\udce4/vmlinuz"],
  ])("a path %s", async (_, file, path) => {
    const root = partition({ "loader/x": "x" });
    const written = (text: string) =>
      Buffer.from([...text].map((one) => (one === "\udce4" ? 0xe4 : one.charCodeAt(0))));
    const place = Buffer.concat([Buffer.from(`${root}/`), written(file)]);
    mkdirSync(place.subarray(0, place.lastIndexOf("/")), { recursive: true });
    writeFileSync(place, kernel);
    mkdirSync(join(root, "loader/entries"));
    const entry = join(root, "loader/entries/e.conf");
    writeFileSync(entry, written(`linux ${path}\n`));
    const { kernel: found, lines } = await open(root, { source: entry });
    expect(found).toBe(file);
    const plain = path.slice(1) === file;
    expect(lines.some((line) => line.includes("is found as"))).toBe(!plain);
  });

  test("a path that may mean several files is refused with all of them", async () => {
    const { root, source: path } = entry("linux /@/boot/linux\n", {
      linux: kernel,
      "boot/linux": kernel,
    });
    const { message, hint } = await refusal("file-not-found", root, { source: path });
    expect(message).toContain("several files may be meant");
    expect(hint).toBe("found: R/boot/linux, R/linux");
  });

  test("a path that means nothing is refused with every place", async () => {
    const { root, source: path } = entry("linux \\@\\boot\\none\n");
    const { hint } = await refusal("file-not-found", root, { source: path });
    for (const place of ["R/@/boot/none", "R/boot/none", "R/none"]) expect(hint).toContain(place);
  });

  test("several archives on a line, one with a blank in its name, and neither", async () => {
    const files = { "a.img": archive, "b.img": archive, "c d.img": archive };
    const { root, source: path } = entry(
      "linux /vmlinuz\ninitrd /a.img  /b.img\ninitrd /c d.img\n",
      files,
    );
    const { initrds } = await open(root, { source: path });
    expect(initrds).toEqual(["a.img", "b.img", "c d.img"]);
    const half = entry("linux /vmlinuz\ninitrd /a.img /none\n", files);
    const { message } = await refusal("file-not-found", half.root, half);
    expect(message).toBe("cannot open the initramfs R/none: no such file");
    const both = entry("linux /vmlinuz\ninitrd /c d.img\n", {
      ...files,
      c: archive,
      "d.img": archive,
    });
    await refusal("file-not-found", both.root, both);
  });

  test("archives that the options name are taken, as an EFI program would", async () => {
    const { root, source: path } = entry(
      "efi /vmlinuz\noptions initrd=\\a.img root=/dev/sda1 rw initrd=\\EFI\\b.img\n",
      { "a.img": archive, "EFI/b.img": archive },
    );
    expect(await open(root, { source: path })).toMatchObject({
      initrds: ["a.img", "EFI/b.img"],
      cmdline: "root=/dev/sda1 rw",
    });
    const missing = entry("efi /vmlinuz\noptions initrd=\\none root=x\n");
    await refusal("file-not-found", missing.root, missing);
    const inMemory = entry("linux /vmlinuz\noptions initrd=0x1000,4096 a\n");
    expect((await open(inMemory.root, inMemory)).cmdline).toBe("initrd=0x1000,4096 a");
  });

  test("an entry below a link, as ostree has them, counts from the path that was given", async () => {
    const root = partition({
      "ostree/vmlinuz": kernel,
      "loader.1/entries/e.conf": "linux /ostree/vmlinuz\n",
    });
    symlinkSync("loader.1", join(root, "loader"));
    symlinkSync(".", join(root, "boot"));
    for (const given of [
      "loader/entries/e.conf",
      "loader.1/entries/e.conf",
      "",
      "loader/entries",
      "boot",
    ]) {
      expect((await open(root, { source: join(root, given) })).kernel).toContain("ostree/vmlinuz");
    }
  });

  test("a whole root leads to the entries of its boot, and its absolute links stay inside", async () => {
    const root = partition({
      "boot/vmlinuz-1": kernel,
      "boot/loader/entries/e.conf": "linux /boot/vmlinuz\n",
    });
    symlinkSync("/boot/vmlinuz-1", join(root, "boot/vmlinuz"));
    expect((await open(root)).kernel).toBe("boot/vmlinuz");
    symlinkSync("/etc/passwd", join(root, "boot/out"));
    writeFileSync(join(root, "boot/loader/entries/z.conf"), "linux /out\n");
    await refusal("outside-folder", root, { entry: "z" });
  });

  describe("with GRUB's variables", () => {
    const text =
      "linux /vmlinuz\ninitrd /initrd.img $tuned_initrd\noptions root=UUID=1 ro $tuned_params\ngrub_users $grub_users\n";
    const grubenv = (variables: string) =>
      `# GRUB Environment Block\n${variables}`.padEnd(1024, "#");

    test("has their values from grubenv, and nothing for what is unset", async () => {
      const { root, source: path } = entry(text, {
        "initrd.img": archive,
        "tuned.img": archive,
        "grub2/grubenv": grubenv("tuned_params=isolcpus=1 skew_tick=1\ntuned_initrd=/tuned.img\n"),
      });
      expect(await open(root, { source: path })).toMatchObject({
        initrds: ["initrd.img", "tuned.img"],
        cmdline: "root=UUID=1 ro isolcpus=1 skew_tick=1",
      });
      writeFileSync(join(root, "grub2/grubenv"), grubenv("saved_entry=x\n"));
      const { initrds, cmdline, lines } = await open(root, { source: path });
      expect({ initrds, cmdline }).toEqual({ initrds: ["initrd.img"], cmdline: "root=UUID=1 ro" });
      expect(lines.filter((line) => line.includes("variable"))).toEqual([]);
    });

    test("says which have no value where that matters, or where grubenv is missing", async () => {
      const old = entry("linux /vmlinuz\noptions $kernelopts quiet\n", {
        "grub/grubenv": grubenv(""),
      });
      const unset = await open(old.root, old);
      expect(unset.cmdline).toBe("quiet");
      expect(unset.lines.join("\n")).toContain("$kernelopts is a variable of GRUB that is not set");
      const bare = entry(text, { "initrd.img": archive });
      const { cmdline, lines } = await open(bare.root, bare);
      expect(cmdline).toBe("root=UUID=1 ro");
      expect(lines.join("\n")).toContain("there is no grubenv beside it");
    });
  });

  test("what systemd-stub would take from beside a UKI is named, wherever the UKI was found", async () => {
    const root = partition({
      "EFI/Linux/a.efi": uki("ID=debian\n", ownMachine),
      "EFI/Linux/a.efi.extra.d/debug.addon.efi": "x",
      "EFI/Linux/a.efi.extra.d/root.cred": "x",
      "EFI/Linux/a.efi.extra.d/README": "x",
      "EFI/Linux/b.efi.extra.d/other.addon.efi": "x",
      "loader/addons/all.addon.efi": "x",
      "loader/entries/e.conf": "uki /EFI/Linux/a.efi\nsort-key z\n",
    });
    const names =
      "a.efi.extra.d/debug.addon.efi, EFI/Linux/a.efi.extra.d/root.cred, loader/addons/all.addon.efi";
    for (const wanted of [{ entry: "a.efi" }, { entry: "e" }]) {
      expect((await open(root, wanted)).lines.join("\n")).toContain(names);
    }
    const { lines } = await open(root, { source: join(root, "EFI/Linux/a.efi") });
    expect(lines.join("\n")).toContain(
      "a.efi.extra.d/root.cred, loader/addons/all.addon.efi go with it",
    );
    const bare = partition({ "vmlinuz.efi": kernel, "vmlinuz.efi.extra.d/a.addon.efi": "x" });
    expect((await open(bare, { source: join(bare, "vmlinuz.efi") })).lines).toEqual([]);
  });

  test("a menu takes what loader.conf says, and says what it does not follow", async () => {
    const root = partition({
      vmlinuz: kernel,
      "loader/loader.conf": "timeout 5\ndefault g-41.conf\n",
    });
    mkdirSync(join(root, "loader/entries"));
    for (const number of [41, 42, 43]) {
      writeFileSync(
        join(root, `loader/entries/g-${number}.conf`),
        `linux /vmlinuz\nversion ${number}\nsort-key nixos\noptions g=${number}\n`,
      );
    }
    expect((await open(root)).cmdline).toBe("g=41");
    writeFileSync(join(root, "loader/loader.conf"), "default gone.conf\n");
    const { cmdline, lines } = await open(root);
    expect(cmdline).toBe("g=43");
    expect(lines.join("\n")).toContain("default in loader.conf (gone.conf) names no boot entry");
  });

  test("an entry of any name is seen: the newest boots", async () => {
    const root = partition({
      vmlinuz: kernel,
      "loader/entries/old.conf": "version 1\nsort-key a\nlinux /vmlinuz\noptions old\n",
      "loader/entries/new kernel~@é.conf": "version 2\nsort-key a\nlinux /vmlinuz\noptions new\n",
    });
    expect((await open(root)).cmdline).toBe("new");
    expect((await open(root, { entry: "new kernel~@é" })).cmdline).toBe("new");
    mkdirSync(join(root, "loader/entries/folder.conf"));
    expect((await open(root)).lines.join("\n")).toContain("folder.conf is passed over");
  });

  test("with extra files says that they stay behind", async () => {
    const { root, source: kernel } = entry("linux /vmlinuz\nextra /a.cred\n");
    const { lines } = await open(root, { source: kernel });
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

describe("variables of GRUB in boot entries", () => {
  const block = (value: string) => `# GRUB Environment Block\na=${value}\n`;
  const entry = (options: string) => `linux /vmlinuz\noptions ${options}\n`;

  test("bring so many characters to an entry, and no more", async () => {
    const root = partition({
      "grub2/grubenv": block("v".repeat(60_000)),
      "loader/entries/a.conf": entry("x${a}y"),
      "loader/entries/b.conf": entry("$a".repeat(15_000)),
      "loader/entries/c.conf": `linux /vmlinuz\n${"initrd $a\n".repeat(64)}`,
      vmlinuz: "kernel",
    });
    const peak = memoryWatch();
    const why = "the values of its variables of GRUB have more than 65536 characters";
    expect((await listEntries(root)).map(({ id, problem }) => [id, problem])).toEqual([
      ["c.conf", `cannot read the boot entry loader/entries/c.conf: ${why}`],
      ["b.conf", `cannot read the boot entry loader/entries/b.conf: ${why}`],
      ["a.conf", undefined],
    ]);
    expect((await open(root, { entry: "a" })).cmdline).toBe(`x${"v".repeat(60_000)}y`);
    expect(open(root, { entry: "b" })).rejects.toThrow(why);
    expect(open(root, { entry: "c" })).rejects.toThrow(why);
    peak(1 << 20);
  });

  test("nor to all entries of a folder together", async () => {
    const entries = Array.from({ length: 100 }, (_, n) => [
      `loader/entries/${n}.conf`,
      entry("$a"),
    ]);
    const root = partition({
      "grub2/grubenv": block("v".repeat(60_000)),
      ...Object.fromEntries(entries),
    });
    const problems = (await listEntries(root)).map(({ problem }) => problem);
    expect(problems.filter((problem) => problem === undefined)).toHaveLength(69);
    expect(problems.filter((problem) => problem?.includes("in all entries"))).toHaveLength(31);
  });

  test("name so many archives, and no more", async () => {
    const root = partition({
      "grub2/grubenv": block("i ".repeat(30_000)),
      "loader/entries/a.conf": "linux /vmlinuz\ninitrd $a\n",
      vmlinuz: "kernel",
      i: "archive",
    });
    expect(open(root)).rejects.toThrow("its line names more than 64 files");
  });
});
