/** Configurations of syslinux and its kin: syslinux' doc/syslinux.txt and doc/menu.txt. */
import { describe, expect, test } from "bun:test";
import type { ReadMenu } from "../../../src/menu/host.ts";
import { readSyslinuxMenu } from "../../../src/menu/syslinux/menu.ts";
import { memoryWatch, mutate, processorTime, seeded } from "../fuzz.ts";
import { treesHost } from "./hosts.ts";

const files = {
  "/boot/vmlinuz": "k",
  "/boot/initrd.img": "i",
  "/boot/ucode.img": "u",
  "/vmlinuz": "k",
  "/initrd.img": "i",
};

function read(config: string, more: Record<string, string> = {}, cpu = "x86_64"): ReadMenu {
  const host = treesHost({ disk: { ...files, "/boot/syslinux.cfg": config, ...more } });
  const menu = readSyslinuxMenu(host, {
    config: { device: "disk", path: "/boot/syslinux.cfg" },
    cpu,
  });
  if (menu === undefined) throw new Error("no menu");
  return menu;
}

const first = (config: string) => read(config).entries[0];
const paths = (config: string) => first(config)?.initrds.map(({ path }) => path);

describe("a label", () => {
  test("in full, keywords in any case", () => {
    const { entries, notes } = read(
      "# comment\nLABEL one\n  Menu Label ^First entry\n  LINUX vmlinuz\n  INITRD ucode.img,initrd.img\n  APPEND root=/dev/sda1 ro\n",
    );
    expect(notes).toEqual([]);
    expect(entries).toEqual([
      {
        id: "one",
        ownId: "one",
        title: "First entry",
        menus: [],
        number: "0",
        from: "/boot/syslinux.cfg:2",
        kernel: { device: "disk", path: "/boot/vmlinuz" },
        chained: false,
        initrds: [
          { device: "disk", path: "/boot/ucode.img" },
          { device: "disk", path: "/boot/initrd.img" },
        ],
        cmdline: "root=/dev/sda1 ro",
        deviceTree: undefined,
        problem: undefined,
        writes: [],
      },
    ]);
  });

  test.each([
    ["append initrd=initrd.img a", ["/boot/initrd.img"], "initrd=initrd.img a"],
    [
      "append initrd=none initrd=ucode.img,/initrd.img",
      ["/boot/ucode.img", "/initrd.img"],
      "initrd=none initrd=ucode.img,/initrd.img",
    ],
    ["initrd /boot/initrd.img\nappend a --- b", ["/boot/initrd.img"], "a --- b"],
    ["initrd \\boot\\initrd.img", ["/boot/initrd.img"], ""],
    ["initrd ../initrd.img", ["/initrd.img"], ""],
    ["append a\nappend b", [], "b"],
    [
      'append a="x   y" b=p\u00a0q\tdyndbg="file  z +p" ',
      [],
      'a="x   y" b=p\u00a0q dyndbg="file  z +p"',
    ],
    ["append a=${x}  ${y}\tb  c", [], "b  c"],
  ])("with %p", (lines, initrds, cmdline) => {
    const config = `label x\nkernel vmlinuz\n${lines}\n`;
    expect(paths(config)).toEqual(initrds);
    expect(first(config)).toMatchObject({ cmdline, problem: undefined });
  });

  test("is its own kernel where none is named, and words behind a kernel are its command line", () => {
    expect(first("label vmlinuz\nappend a")).toMatchObject({ cmdline: "a", problem: undefined });
    expect(first("label x\nkernel vmlinuz one two\nappend three")?.cmdline).toBe("one two three");
  });

  test("has what is appended for all, unless it says its own or none", () => {
    const { entries } = read(
      "append global\nlabel a\nkernel vmlinuz\nlabel b\nkernel vmlinuz\nappend -\nlabel c\nkernel vmlinuz\nappend own\n",
    );
    expect(entries.map(({ cmdline }) => cmdline)).toEqual(["global", "", "own"]);
  });

  test("has names that are found from above: a folder of a network server", () => {
    const { entries } = read("label x\nkernel boot/vmlinuz\ninitrd boot/initrd.img\n");
    expect(entries[0]).toMatchObject({
      kernel: { path: "/boot/vmlinuz" },
      initrds: [{ path: "/boot/initrd.img" }],
      problem: undefined,
    });
  });

  test.each([
    ["localboot 0x80", "it boots from a disk of the machine (LOCALBOOT)"],
    ["kernel chain.c32\nappend hd0", "it starts another boot loader (chain.c32)"],
    ["com32 /x/mboot.c32\nappend xen.gz --- vmlinuz", "it starts a Multiboot kernel (mboot.c32)"],
    ["kernel hdt.c32", "it starts a program of syslinux (hdt.c32)"],
    ["kernel memdisk\ninitrd dos.img", "it starts an image as if it were a disk of the BIOS"],
    ["kernel memtest.bin", "it starts a boot sector or a program of the BIOS (memtest.bin)"],
    ["boot x.bs", "it starts a boot sector or a program of the BIOS (boot x.bs)"],
    ["fit image.itb", "it starts an image of U-Boot (fit image.itb)"],
    ["kernel gone", "its kernel /boot/gone cannot be used: it is not there"],
    ["kernel vmlinuz\ninitrd gone", "its initramfs /boot/gone cannot be used: it is not there"],
    ["kernel vmlinuz\nmenu disable", "its menu does not let it be chosen"],
    ["config gone.cfg", "it goes to the menu of /boot/gone.cfg"],
    ["kernel vesamenu.c32", "it shows its own menu"],
    ["com32 ifcpu64.c32\nappend a64 -- a32", "it stands for the entry a64"],
  ])("with %p cannot be booted", (lines, problem) => {
    expect(first(`label x\n${lines}\n`)?.problem).toContain(problem);
  });

  test("of linux.c32 has its kernel in its command line", () => {
    expect(first("label x\ncom32 linux.c32\nappend vmlinuz initrd=initrd.img a")).toMatchObject({
      kernel: { path: "/boot/vmlinuz" },
      cmdline: "initrd=initrd.img a",
      problem: undefined,
    });
  });

  test("leaves out what U-Boot alone could resolve, and says so", () => {
    const { entries, notes } = read(
      "label x\nlinux vmlinuz\nappend ${cbootargs} quiet root=/dev/a dev=$1\n",
    );
    expect(entries[0]?.cmdline).toBe("quiet root=/dev/a dev=$1");
    expect(notes.join()).toContain(":1: ${cbootargs} is left out: it has a variable of U-Boot");
  });

  test("of mboot.c32 has the Multiboot kernel, and no modules", () => {
    const lines = "kernel mboot.c32\nappend vmlinuz console=none --- initrd.img a --- initrd.img";
    expect(first(`label x\n${lines}\n`)).toMatchObject({
      kernel: { path: "/boot/vmlinuz" },
      initrds: [],
      cmdline: "console=none",
    });
  });

  test("wants a device tree on arm64 alone", () => {
    const config = "label x\nlinux vmlinuz\nfdtdir /usr/lib/dtb/\n";
    expect(read(config).entries[0]?.problem).toBeUndefined();
    expect(read(config, {}, "arm64").entries[0]?.problem).toContain("fdtdir /usr/lib/dtb/");
  });
});

describe("the default", () => {
  const labels = "label a\nkernel vmlinuz\nappend 1\nlabel B\nkernel vmlinuz\nappend 2\n";

  test.each([
    ["", 0, "the first entry: no default is set"],
    ["default B\n", 1, "DEFAULT B"],
    ["default b\n", 1, "DEFAULT b"],
    ["default gone\n", 0, "the first entry: DEFAULT gone names none"],
    ["ui menu.c32\ndefault B\n", 1, "DEFAULT B"],
    ["default vesamenu.c32\n", 0, "the first entry: no default is set"],
    ["default a\ntimeout 50\nontimeout B\n", 1, "ONTIMEOUT B"],
    ["default a\nontimeout B\n", 0, "DEFAULT a"],
  ])("after %p", (head, index, why) => {
    expect(read(`${head}${labels}`)).toMatchObject({ default: index, why });
  });

  test("is what MENU DEFAULT marks, in a submenu too, where a menu is shown", () => {
    expect(read(`ui menu.c32\n${labels}menu default\n`)).toMatchObject({
      default: 1,
      why: "MENU DEFAULT",
    });
    const nested =
      "ui menu.c32\nlabel a\nkernel vmlinuz\nmenu begin more\nmenu default\nlabel b\nkernel vmlinuz\nlabel c\nmenu default\nkernel vmlinuz\nmenu end\n";
    expect(read(nested)).toMatchObject({ default: 2, why: "MENU DEFAULT" });
  });

  test("may have words behind it, or be a kernel", () => {
    const menu = read(`default B extra\n${labels}`);
    expect(menu.entries[menu.default ?? -1]?.cmdline).toBe("2 extra");
    const implicit = read("default vmlinuz root=/dev/sda1\n");
    expect(implicit.entries[implicit.default ?? -1]).toMatchObject({
      kernel: { path: "/boot/vmlinuz" },
      cmdline: "root=/dev/sda1",
    });
  });

  test("is not one that the menu hides", () => {
    expect(read(`label h\nmenu hide\nkernel vmlinuz\n${labels}`).default).toBe(1);
  });

  test("goes through programs that tell machines apart, and to other configurations", () => {
    const arch = read(
      "default select\nlabel select\ncom32 whichsys.c32\nappend -pxe- pxe -sys- sys -iso- sys\nlabel pxe\nconfig pxe.cfg\nlabel sys\nconfig sys.cfg\n",
      {
        "/boot/sys.cfg":
          "ui vesamenu.c32\ndefault arch\ninclude head.cfg\nlabel arch\nmenu label Arch\nlinux vmlinuz\nappend a=b\n",
        "/boot/head.cfg": "menu title Arch Linux\ntimeout 150\n",
      },
    );
    expect(arch.entries[arch.default ?? -1]).toMatchObject({
      id: "arch",
      title: "Arch",
      menus: ["sys"],
      cmdline: "a=b",
    });
    expect(arch.why).toBe("DEFAULT select");
  });

  test("has seconds: they are written in tenths", () => {
    expect(read("timeout 50\nlabel a\nkernel vmlinuz\n").timeout).toBe(5);
  });
});

describe("menus", () => {
  test("in menus, by BEGIN and by INCLUDE with a name, have ids of their own", () => {
    const { entries } = read(
      "label a\nkernel vmlinuz\nmenu begin more\nmenu title More of it\nlabel a\nkernel vmlinuz\nmenu end\nmenu include more.cfg Third\nlabel a\nkernel vmlinuz\n",
      { "/boot/more.cfg": "label a\nkernel vmlinuz\n" },
    );
    expect(entries.map(({ id, menus }) => [id, ...menus])).toEqual([
      ["a"],
      ["more>a", "More of it"],
      ["Third>a", "Third"],
      ["a#2"],
    ]);
  });

  test("pass over help texts, SAY, colours, and say what is not known", () => {
    const { entries, notes } = read(
      "say hello\nmenu color title * #FF *\nlabel a\ntext help\nlabel never\nendtext\nkernel vmlinuz\nfrobnicate 1\n",
    );
    expect(entries.map(({ id }) => id)).toEqual(["a"]);
    expect(notes).toEqual(["/boot/syslinux.cfg:8: frobnicate is not known here"]);
  });

  test("say what of a line is not read as it stands", () => {
    const { entries, notes } = read(
      `label a\nkernel vmlinuz\nappend a=\ufffd\nlabel b\nkernel vmlinuz\nappend ${"x".repeat(4096)}\n`,
    );
    expect(entries.map(({ cmdline }) => cmdline)).toEqual(["a=\ufffd", "x".repeat(4089)]);
    expect(notes).toEqual([
      "/boot/syslinux.cfg:3: it is not UTF-8: U+FFFD stands for what is none",
      "/boot/syslinux.cfg:6: what is behind 4096 characters is left out",
    ]);
  });

  test("include each file once, and end", () => {
    const { entries, notes } = read(
      "include syslinux.cfg\ninclude gone.cfg\nlabel a\nkernel vmlinuz\n",
    );
    expect(entries).toHaveLength(1);
    expect(notes).toEqual(["/boot/gone.cfg is left out: it is not there"]);
  });

  test("lead back without end", () => {
    const before = processorTime();
    const more = Object.fromEntries(
      Array.from({ length: 200 }, (_, n) => [
        `/boot/${n}.cfg`,
        `include ${n + 1}.cfg\nlabel l${n}\nconfig ${n + 2}.cfg\n`,
      ]),
    );
    expect(read("include 0.cfg\nlabel back\nconfig syslinux.cfg\n", more).notes).not.toEqual([]);
    expect(processorTime() - before).toBeLessThan(2000);
  });

  test("in menus deeper than 32 are left out, and said to be", () => {
    const before = processorTime();
    const peak = memoryWatch();
    const levels = 25_000;
    const label = (name: string) => `label ${name}\nkernel vmlinuz\nmenu default\n`;
    const begin = "menu begin x\nmenu default\n";
    const config = [
      ...[begin.repeat(32), label("deep"), begin, label("deeper"), "menu start\n"],
      ...[begin.repeat(levels), label("deepest"), "menu end\n".repeat(levels + 1)],
      ...[label("deep again"), "menu end\n".repeat(32), label("top")],
    ].join("");
    const { entries, notes } = read(config);
    expect(entries.map(({ ownId }) => ownId)).toEqual(["deep", "deep again", "top"]);
    expect(entries.map(({ menus }) => menus.length)).toEqual([32, 32, 0]);
    expect(notes).toEqual(["/boot/syslinux.cfg:68: its menu is left out: it stands in 32 others"]);
    peak(config.length);
    expect(processorTime() - before).toBeLessThan(3000);
  });

  test("whose defaults lead in a circle have none", () => {
    const circle = { "/boot/b.cfg": "default x\nlabel y\nkernel vmlinuz\n" };
    expect(read("default x\nlabel x\nconfig b.cfg\n", circle)).toMatchObject({ default: 0 });
  });

  test("of many labels of one name in menus of long ones, in time", () => {
    const before = processorTime();
    const { entries, notes } = read(
      `${`menu begin ${"m".repeat(4000)}\n`.repeat(30)}${"label a\nkernel vmlinuz\n".repeat(4100)}`,
    );
    expect(new Set(entries.map(({ id }) => id)).size).toBe(4096);
    expect(notes).toEqual(["its labels behind the first 4096 are left out"]);
    expect(processorTime() - before).toBeLessThan(3000);
  });

  test("damaged never throw", () => {
    const random = seeded(3);
    const start = new TextEncoder().encode(
      "default b\nui menu.c32\nlabel a\nmenu label ^A\nkernel vmlinuz\nappend initrd=initrd.img,ucode.img x\nmenu begin m\nlabel b\ncom32 linux.c32\nappend vmlinuz\nmenu end\ninclude more.cfg T\n",
    );
    for (let round = 0; round < 2000; round += 1) {
      read(new TextDecoder().decode(mutate(start, random)), { "/boot/more.cfg": "label c\n" });
    }
  });
});
