/** Boot menus and kernels of folders as sources. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { manifest } from "../../../src/handoff/manifest.ts";
import { menuKindOf } from "../../../src/source/menus/find.ts";
import { FoundSource, Source } from "../../../src/source/open.ts";
import type { OpenFile } from "../../../src/source/open-file.ts";
import { processorTime } from "../fuzz.ts";
import { makePe } from "../image/build.ts";
import { pack, plant } from "../image/iso-build.ts";

const scratch = mkdtempSync(join(tmpdir(), "aegis-menus-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let folders = 0;
function folder(files: Readonly<Record<string, string>>): string {
  const root = join(scratch, String(folders++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** What is booted: the text of kernel and archives, and the command line. */
async function booted(path: string, entry?: string) {
  const warnings: string[] = [];
  const listener = { warn: (line: string) => warnings.push(line) };
  using source = await Source.open({ source: path, initrd: [], entry }, listener);
  const text = ({ file }: { file: { path: string } }) => readFileSync(file.path, "utf8");
  const { kernel, initrds, cmdline } = source;
  return { kernel: text(kernel), initrds: initrds.map(text), cmdline, warnings };
}

async function listed(path: string) {
  using found = await FoundSource.find({ source: path });
  const menu = await found.menu();
  return { kind: found.kind, ...(await menu?.list()) };
}

const grub = `set default=1
menuentry A --id a { search --fs-uuid --set=root 9-9; linux /vmlinuz-1 a; initrd /initrd-1 /ucode }
submenu More { menuentry B { search --fs-uuid --set=root 9-9; linux /boot/vmlinuz-2 b; initrd /boot/initrd-2 } }
menuentry Setup { fwsetup }
`;
const kernels = {
  "vmlinuz-1": "kernel 1",
  "vmlinuz-2": "kernel 2",
  "initrd-1": "archive 1",
  "initrd-2": "archive 2",
  ucode: "microcode",
};
const inBoot = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`boot/${name}`, text]));
const second = { kernel: "kernel 2", initrds: ["archive 2"], cmdline: "b" };

describe("GRUB's menu", () => {
  const trees: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ["of a boot partition", { ...kernels, "grub/grub.cfg": grub }, ""],
    ["of Fedora's", { ...kernels, "grub2/grub.cfg": grub }, ""],
    ["of a system", inBoot({ ...kernels, "grub/grub.cfg": grub }), ""],
    ["of a system's /boot", inBoot({ ...kernels, "grub/grub.cfg": grub }), "boot"],
    ["by its file", inBoot({ ...kernels, "grub/grub.cfg": grub }), "boot/grub/grub.cfg"],
    ["beside its kernels", { ...kernels, "grub.cfg": grub }, "grub.cfg"],
    [
      "by a stub on the partition of EFI",
      {
        ...kernels,
        "grub/grub.cfg": grub,
        "EFI/debian/grub.cfg":
          "search.fs_uuid 9-9 root\nset prefix=($root)'/grub'\nconfigfile $prefix/grub.cfg\n",
      },
      "EFI/debian/grub.cfg",
    ],
  ];
  test.each(trees)("%s boots its default", async (_, files, path) => {
    expect(await booted(join(folder(files), path))).toMatchObject(second);
  });

  test("has entries by id, by title and by number, and says which cannot be booted", async () => {
    const path = folder({ ...kernels, "grub/grub.cfg": grub });
    const first = { kernel: "kernel 1", initrds: ["archive 1", "microcode"], cmdline: "a" };
    expect(await booted(path, "a")).toMatchObject(first);
    expect(await booted(path, "A")).toMatchObject(first);
    expect(await booted(path, "0")).toMatchObject(first);
    expect(await booted(path, "More>B")).toMatchObject(second);
    expect(await booted(path, "B")).toMatchObject(second);
    expect(booted(path, "Setup")).rejects.toThrow("it opens the firmware's setup");
    const { kind, entries, why } = await listed(path);
    expect({ kind, why }).toEqual({ kind: "boot menu", why: "default=1" });
    expect(entries?.map((entry) => [entry.id, entry.default, entry.from, entry.problem])).toEqual([
      ["a", false, "grub/grub.cfg:2", undefined],
      ["More>B", true, "grub/grub.cfg:3", undefined],
      ["Setup", false, "grub/grub.cfg:4", "it opens the firmware's setup"],
    ]);
  });

  test("falls back where the default cannot be booted", async () => {
    const path = folder({
      ...kernels,
      "grub/grub.cfg": `fallback=1\ndefault=Setup\n${grub.replace("set default=1\n", "")}`,
    });
    expect(await booted(path)).toMatchObject(second);
  });

  test("that shows nothing says why", async () => {
    const path = folder({ "grub/grub.cfg": "configfile /gone.cfg\n" });
    expect(booted(path)).rejects.toThrow("/gone.cfg is left out: it is not there");
  });
});

describe("the menu of syslinux and U-Boot", () => {
  const extlinux =
    "default l1\nlabel l0\nlinux vmlinuz-1\ninitrd initrd-1\nappend a\nlabel l1\nmenu label Two\nlinux /boot/vmlinuz-2\ninitrd /boot/initrd-2\nappend b\n";
  const trees: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ["of a board", inBoot({ ...kernels, "extlinux/extlinux.conf": extlinux }), ""],
    ["of a board's /boot", inBoot({ ...kernels, "extlinux/extlinux.conf": extlinux }), "boot"],
    ["by its file", { ...kernels, "extlinux.conf": extlinux }, "extlinux.conf"],
    [
      "of a network server",
      {
        ...inBoot(kernels),
        "boot/amd64/screens/syslinux.cfg": "include boot/amd64/screens/menu.cfg\ndefault l1\n",
        "boot/amd64/screens/menu.cfg":
          "label l1\nlinux boot/vmlinuz-2\ninitrd boot/initrd-2\nappend b\n",
      },
      "boot/amd64/screens/syslinux.cfg",
    ],
    [
      "by its file in a folder",
      { ...kernels, "extlinux/extlinux.conf": extlinux },
      "extlinux/extlinux.conf",
    ],
  ];
  test.each(trees)("%s boots its default", async (_, files, path) => {
    expect(await booted(join(folder(files), path))).toMatchObject(second);
  });
});

test("a menu's own loop devices are the images that it names, of each entry its own", async () => {
  const path = folder({
    // What is far behind counts too.
    "grub/grub.cfg": `isos=/isos
${`${"#".repeat(1000)}\n`.repeat(100)}for name in a b gone; do
menuentry "$name" "$isos/$name.iso" {
  loopback loop "$2"
  set root=(loop)
  linux (loop)/live/vmlinuz boot=live findiso="$2"
  initrd /live/initrd
}
done
menuentry none { linux (loop)/live/vmlinuz }
`,
  });
  mkdirSync(join(path, "isos"));
  for (const name of ["a", "b"]) {
    plant(join(path, name), { "live/vmlinuz": `kernel ${name}`, "live/initrd": `archive ${name}` });
    pack(join(path, name), join(path, "isos", `${name}.iso`));
  }
  writeFileSync(join(path, "isos/gone.iso"), "no image");
  const { entries } = await listed(path);
  expect(entries?.map(({ kernel, problem }) => [kernel, problem])).toEqual([
    ["/isos/a.iso:/live/vmlinuz", undefined],
    ["/isos/b.iso:/live/vmlinuz", undefined],
    ["/live/vmlinuz", expect.stringContaining("GRUB's device loop")],
    ["/live/vmlinuz", expect.stringContaining("GRUB's device loop")],
  ]);
  await expect(manifest({ kernel: path, entry: "a", generation: 1 })).rejects.toThrow(
    "its files are inside of an ISO image",
  );
  for (const name of ["a", "b"]) {
    using source = await Source.open({ source: path, initrd: [], entry: name }, {});
    const text = ({ file }: { file: OpenFile }) =>
      new TextDecoder().decode(file.read(0, file.size));
    expect([text(source.kernel), ...source.initrds.map(text), source.cmdline]).toEqual([
      `kernel ${name}`,
      `archive ${name}`,
      `boot=live findiso=/isos/${name}.iso`,
    ]);
  }
});

test("several menus: the first is taken, and the others are told", async () => {
  const path = folder({
    ...kernels,
    "grub/grub.cfg": grub,
    "extlinux/extlinux.conf": "label l0\nlinux /vmlinuz-1\n",
  });
  const { warnings, ...what } = await booted(path);
  expect(what).toMatchObject(second);
  expect(warnings).toContain("grub/grub.cfg is taken, and not extlinux/extlinux.conf");
});

test("boot entries come before menus, which are told where they are menus of their own", async () => {
  const entries = {
    ...kernels,
    "loader/entries/a.conf": "title A\nlinux /vmlinuz-2\ninitrd /initrd-2\noptions b\n",
  };
  const { warnings, ...what } = await booted(folder({ ...entries, "grub/grub.cfg": grub }));
  expect(what).toMatchObject(second);
  expect(warnings.join()).toMatch(/the boot entries of \S+ are taken, and not grub\/grub\.cfg$/);
  const shown = { "grub2/grub.cfg": "insmod blscfg\nblscfg\n" };
  const stub = { "EFI/fedora/grub.cfg": "set prefix=($dev)/grub2\nconfigfile $prefix/grub.cfg\n" };
  expect((await booted(folder({ ...entries, ...shown, ...stub }))).warnings).toEqual([]);
});

test("a default that cannot be booted is passed over, and that is told", async () => {
  const path = folder({ ...kernels, "grub/grub.cfg": grub.replace("default=1", "default=Setup") });
  const { warnings, ...what } = await booted(path);
  expect(what).toMatchObject({ kernel: "kernel 1", cmdline: "a" });
  expect(warnings).toContain("the menu entry Setup is passed over: it opens the firmware's setup");
});

test("another system's loader is told from a UKI, and passed over", async () => {
  const path = folder({
    ...kernels,
    "grub/grub.cfg": `default=win
menuentry Windows --id win { chainloader /EFI/Microsoft/bootmgfw.efi }
menuentry UKI --id uki { chainloader /EFI/arch/a.efi }
${grub.replace("set default=1", "")}`,
  });
  const text = (name: string) => ({ name, content: new TextEncoder().encode("x".repeat(600)) });
  mkdirSync(join(path, "EFI/Microsoft"), { recursive: true });
  mkdirSync(join(path, "EFI/arch"), { recursive: true });
  writeFileSync(join(path, "EFI/Microsoft/bootmgfw.efi"), makePe([text(".text")]));
  writeFileSync(join(path, "EFI/arch/a.efi"), makePe([text(".linux"), text(".osrel")]));
  const { entries } = await listed(path);
  expect(entries?.slice(0, 2).map(({ id, problem }) => [id, problem])).toEqual([
    ["win", "it starts an EFI program without a kernel in it (/EFI/Microsoft/bootmgfw.efi)"],
    ["uki", undefined],
  ]);
});

test("kernels without a menu: the newest that has its initramfs, and its root is not guessed", async () => {
  const path = folder({
    "vmlinuz-6.1": "old",
    "initrd.img-6.1": "old archive",
    "vmlinuz-6.10": "new",
    "initrd.img-6.10": "new archive",
    "vmlinuz-6.11": "alone",
  });
  expect(await booted(path)).toMatchObject({ kernel: "new", initrds: ["new archive"] });
  expect(await booted(path, "vmlinuz-6.1")).toMatchObject({ kernel: "old" });
  expect(booted(path, "vmlinuz-6.11")).rejects.toThrow("no initramfs of its version");
  expect((await listed(path)).kind).toBe("kernels");
});

test.each([
  [grub, "GRUB menu"],
  ["set timeout=5\nconfigfile /boot/grub/grub.cfg\n", "GRUB menu"],
  ["if [ -f $prefix/x ]; then\nsource $prefix/x\nfi\n", "GRUB menu"],
  ["search.fs_uuid 1-2 root\n", "GRUB menu"],
  ["insmod all_video\n", "GRUB menu"],
  ["LABEL a\n  LINUX /vmlinuz\n", "syslinux menu"],
  ["default vesamenu.c32\ninclude menu.cfg\n", "syslinux menu"],
  ["UI menu.c32\nMENU TITLE x\nLABEL a\nKERNEL k\n", "syslinux menu"],
  ["title Fedora\nlinux /vmlinuz\ninitrd /initrd.img\noptions root=UUID=1\n", undefined],
  ["title set x=1\nlinux /vmlinuz\n", undefined],
  ["linux /vmlinuz\n", undefined],
  ["# menuentry\n", undefined],
  ["hello\n", undefined],
  ['echo "\u001b[31mx"\nmenuentry A {\n linux /vmlinuz\n}\n', "GRUB menu"],
  ["say \u0007\nLABEL a\n  LINUX /vmlinuz\n", "syslinux menu"],
  ["menuentry A {\n\0", undefined],
])("%p is %p", (text, kind) => {
  expect(String(menuKindOf(text))).toBe(String(kind));
});

test("a menu with control characters is read by its file as by its folder", async () => {
  const config = `echo "\u001b[31mx"\n${grub}`;
  const path = folder({ ...kernels, "grub/grub.cfg": config });
  expect((await listed(join(path, "grub/grub.cfg"))).kind).toBe("boot menu");
  expect(await booted(join(path, "grub/grub.cfg"))).toMatchObject(second);
  expect(await booted(path)).toMatchObject(second);
});

test.each(["\n", " ", "\t", " \n", "menu \n", "set a ", "label \n"])(
  "what a text with %p without end is, is told in time",
  async (piece) => {
    const before = processorTime();
    const text = `x\n${piece.repeat(Math.floor(65_500 / piece.length))}z`;
    expect(String(menuKindOf(text))).toBe("undefined");
    const path = folder({ "grub/grub.cfg": text, "loader/entries/a.conf": "linux /k\n", k: "k" });
    expect((await listed(path)).warnings?.join()).toContain("and not grub/grub.cfg");
    expect(processorTime() - before).toBeLessThan(1500);
  },
);
