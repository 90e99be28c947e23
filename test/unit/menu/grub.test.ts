/** GRUB's script language as menus use it: GRUB's manual, "Writing full configuration files directly". */
import { describe, expect, test } from "bun:test";
import { readGrubMenu } from "../../../src/menu/grub/menu.ts";
import type { GrubStart } from "../../../src/menu/grub/start.ts";
import { addWrite, type ReadEntry, type ReadMenu } from "../../../src/menu/host.ts";
import { mutate, processorTime, seeded } from "../fuzz.ts";
import { type Trees, treesHost } from "./hosts.ts";

const files = { "/vmlinuz": "k", "/initrd.img": "i", "/ucode.img": "u" };

function read(config: string, more: Trees = {}, start: Partial<GrubStart> = {}): ReadMenu {
  const { disk = {}, ...others } = more;
  const host = treesHost(
    { disk: { ...files, "/boot/grub/grub.cfg": config, ...disk }, ...others },
    {
      disk: { uuid: "ABCD-1234", label: "BOOT" },
      other: { uuid: "1111-2222", label: "other disk" },
    },
  );
  const menu = readGrubMenu(host, {
    config: { device: "disk", path: "/boot/grub/grub.cfg" },
    platform: "efi",
    cpu: "x86_64",
    ...start,
  });
  if (menu === undefined) throw new Error("no menu");
  return menu;
}

/** The command line of the only entry, whose block has `lines`. */
function cmdlineOf(lines: string, before = "", more: Trees = {}): string | undefined {
  const { entries } = read(`${before}\nmenuentry x a b {\n${lines}\n}\n`, more);
  return entries[0]?.cmdline;
}

const place = (path: string, device = "disk") => ({ device, path });
const titles = ({ entries }: ReadMenu) => entries.map(({ title }) => title);

function grubenv(lines: string): string {
  return `# GRUB Environment Block\n${lines}`.padEnd(1024, "#");
}

describe("an entry", () => {
  test("has kernel, archives and command line, and says where it stands", () => {
    const { entries, notes } = read(
      "# a comment\nmenuentry 'A title' --class debian --id=one --unrestricted {\n" +
        "\tlinux\t/vmlinuz root=UUID=1  ro quiet\n\tinitrd /ucode.img /initrd.img\n}\n",
    );
    expect(notes).toEqual([]);
    const expected: ReadEntry = {
      id: "one",
      ownId: "one",
      title: "A title",
      menus: [],
      number: "0",
      from: "/boot/grub/grub.cfg:2",
      kernel: place("/vmlinuz"),
      chained: false,
      initrds: [place("/ucode.img"), place("/initrd.img")],
      cmdline: "root=UUID=1 ro quiet",
      deviceTree: undefined,
      problem: undefined,
      writes: [],
    };
    expect(entries).toEqual([expected]);
  });

  test("has its id where its users are those of a variable that is not set", () => {
    const { entries } = read(
      "menuentry 'RHEL 8' --class kernel --unrestricted --users $grub_users --id a { linux /vmlinuz }",
    );
    expect(entries).toMatchObject([{ id: "a", title: "RHEL 8" }]);
  });

  test("is named by its title where it has no id, and by its submenus", () => {
    const { entries } = read(
      "menuentry 'a > b' { linux /vmlinuz }\nsubmenu Old --id old {\n menuentry x { linux /vmlinuz }\n}\n",
    );
    expect(entries.map(({ id, number, menus }) => [id, number, menus])).toEqual([
      ["a >> b", "0", []],
      ["old>x", "1>0", ["Old"]],
    ]);
  });

  test.each([
    ["linux16 /vmlinuz a", "a"],
    ["linuxefi /vmlinuz a\ninitrdefi /initrd.img", "a"],
    ["linux (disk)/vmlinuz a", "a"],
    ["linux ($root)/vmlinuz root=$root", "root=disk"],
    ["linux /vmlinuz a; initrd /initrd.img", "a"],
    ["linux /vmlinuz a \\\n  b", "a b"],
    ["linux /vmlinuz a\nlinux /vmlinuz b", "b"],
    ["linux //vmlinuz a", "a"],
    // Fedora's and RHEL's GRUB: a label with a blank reaches the kernel as it is written.
    ["linux /vmlinuz root=live:CDLABEL=A\\x20B", "root=live:CDLABEL=A\\x20B"],
    ['linux /vmlinuz "inst.stage2=hd:LABEL=A\\x20B" \\xyz', "inst.stage2=hd:LABEL=A\\x20B xyz"],
  ])("boots by %p", (lines, cmdline) => {
    expect(cmdlineOf(lines)).toBe(cmdline);
    expect(read(`menuentry x {\n${lines}\n}`).entries[0]?.problem).toBeUndefined();
  });

  test.each([
    ["chainloader +1", "it starts the boot sector of a disk"],
    ["multiboot /vmlinuz", "it starts a Multiboot kernel (multiboot)"],
    ["multiboot2 /vmlinuz\nmodule2 /vmlinuz a", "it starts a Multiboot kernel (multiboot2)"],
    ["xen_hypervisor /vmlinuz\nxen_module /vmlinuz", "it starts the Xen hypervisor"],
    ["fwsetup", "it opens the firmware's setup"],
    ["halt", "it switches the machine off"],
    ["reboot", "it restarts the machine"],
    ["exit", "it goes back to the firmware"],
    ["echo hello", "it loads no kernel"],
    ["linux /missing", "its kernel /missing cannot be used: it is not there"],
    ["linux /vmlinuz\ninitrd /missing", "its initramfs /missing cannot be used: it is not there"],
    ["linux", "linux names no file"],
    ["initrd /initrd.img", "initrd stands before the kernel"],
    ["linux /vmlinuz\ninitrd newc:/etc/x:/initrd.img", "GRUB packs a file into its initramfs"],
    ["set root='hd0,gpt2'\nlinux /elsewhere", "it is on GRUB's device hd0,gpt2"],
    ["search --set=root --fs-uuid 9-9\nlinux /vmlinuz", "file system with UUID=9-9, which is not"],
    ["search --set=root --label 'my disk'\nlinux /a", "file system with LABEL=my disk, which is"],
    ["while true; do true; done", "it takes too many steps"],
  ])("that does %p says that it cannot be booted", (lines, problem) => {
    // The menu names its own file system, so that no other is taken for it.
    const { entries } = read(`# ABCD-1234\nmenuentry x {\n${lines}\n}`);
    expect(entries[0]?.problem).toContain(problem);
  });

  test("that starts another program of EFI has it as its kernel: it may be a UKI", () => {
    const { entries } = read("menuentry x {\n chainloader /vmlinuz a b\n}");
    expect(entries[0]).toMatchObject({ chained: true, kernel: place("/vmlinuz"), cmdline: "a b" });
    expect(entries[0]?.problem).toBeUndefined();
  });

  test("wants a device tree on arm64 alone", () => {
    const config = "menuentry x {\n linux /vmlinuz\n devicetree /initrd.img\n}";
    expect(read(config).entries[0]?.problem).toBeUndefined();
    const arm = read(config, {}, { cpu: "arm64" }).entries[0];
    expect(arm?.deviceTree).toEqual(place("/initrd.img"));
    expect(arm?.problem).toContain("device tree");
  });
});

describe("words", () => {
  test.each([
    ["'a b' c", '"a b" c'],
    ["'a$x' \"b$x\" c$x", "a$x bX cX"],
    ["${x}y $xy $x", "Xy X"],
    ['""', ""],
    ["$empty a", "a"],
    ["$words", "one two"],
    ['"$words"', '"one  two"'],
    ["a\\ b \\$x", '"a b" $x'],
    ['"a\\$b" "c\\"d" "e\\\\f" "g\\h"', 'a$b c\\"d e\\\\f g\\\\h'],
    ['$"text $x"', '"text X"'],
    ["a#b", "a#b"],
    ["a # b", "a"],
    ["a'b'\"c\"d", "abcd"],
    ["$1 $2 $3 $# $4", "x a b 3"],
    ["$@", "x a b"],
    ["if then fi", "if then fi"],
    ["a=b,c=d;", "a=b,c=d"],
  ])("%p come to %p", (words, expected) => {
    const before = "set x=X\nset empty=\nset words='one  two'\n";
    expect(cmdlineOf(`linux /vmlinuz ${words}`, before)).toBe(expected);
  });

  test("patterns come to files, in order; what matches nothing stays", () => {
    const more = { disk: { "/kernels/k-2": "", "/kernels/k-1": "", "/kernels/x": "" } };
    const config =
      "for k in /kernels/k-*; do menuentry $k { linux $1 }; done\n" +
      "menuentry none { linux /vmlinuz /none/* '/kernels/*' }\n" +
      "for d in (*)/kernels/x; do menuentry $d { linux $1 }; done\n";
    const menu = read(config, more);
    expect(titles(menu)).toEqual(["/kernels/k-1", "/kernels/k-2", "none", "(disk)/kernels/x"]);
    expect(menu.entries[2]?.cmdline).toBe("/none/* /kernels/*");
    expect(menu.entries[0]?.kernel).toEqual(place("/kernels/k-1"));
  });
});

describe("statements", () => {
  test.each([
    ["if true; then set r=a; else set r=b; fi", "a"],
    ["if false; then set r=a; elif true; then set r=b; else set r=c; fi", "b"],
    ["if ! true; then set r=a; else set r=b; fi", "b"],
    ["if [ x$grub_platform = xefi -a $grub_cpu == x86_64 ]; then r=a; fi", "a"],
    ["if [ -f /vmlinuz ]; then r=f; fi; if [ -d /boot ]; then r=$r'd'; fi", "fd"],
    ["if [ -s /vmlinuz -a -e /boot -a ! -e /none ]; then r=a; fi", "a"],
    ['if [ -z "$none" -a -n "$root" ]; then r=a; fi', "a"],
    ['if [ "$none" ]; then r=a; else r=b; fi', "b"],
    ["if [ 2 -lt 10 -a 0x10 -eq 16 ]; then r=a; fi", "a"],
    ["if [ vmlinuz-2 -plt vmlinuz-11 ]; then r=a; fi", "a"],
    ["if test a = b -o '(' a = a ')'; then r=a; fi", "a"],
    [
      "for i in 1 2 3 4; do if [ $i = 2 ]; then continue; fi; if [ $i = 4 ]; then break; fi; r=$r$i; done",
      "13",
    ],
    ["i=0; while [ $i != 3 ]; do increment i; r=$r$i; done", "123"],
    ['until [ "$r" = aaa ]; do r=a$r; done', "aaa"],
    ["function f { r=$1$2; return 1; r=never; }; if f a b; then r=x; fi", "ab"],
    ["function f { shift; r=$1; }; f a b", "b"],
    ["function f { setparams $2 $1; r=$1; }; f a b", "b"],
    ["false; r=$?", "1"],
    ["unknown_command a; r=after", "after"],
    ["regexp --set=1:r '^(.*)-[0-9]+$' linux-6", "linux"],
    ["regexp -s r '([[:digit:]]+)' ab12cd", "12"],
    ["if regexp '^a' b; then r=a; else r=b; fi", "b"],
    ['eval "r=$grub_cpu"', "x86_64"],
    ["probe -s r --fs-uuid $root", "ABCD-1234"],
    ["probe --label --set=r ($root)", "BOOT"],
    ["search --no-floppy --set=r --label 'other disk'", "other"],
    ["search --label --set r 'other disk'", "other"],
    ["search -n -u -s r 1111-2222 --hint hd0,gpt1", "other"],
    ["search --file --no-floppy --set=r /only-there", "other"],
    ["search.fs_uuid abcd-1234 r hd0,msdos1", "disk"],
    ["search --fs-uuid --set 1111-2222; r=$root", "other"],
    ["if search --file /only-there --set=x; then r=$x; fi", "other"],
    ["set root=(other); r=$root", "other"],
    ["r=a\nif keystatus --shift; then r=b; fi", "a"],
    ["if cpuid -l; then r=64; fi", "64"],
    ["source $prefix/more.cfg", "more"],
    ["if [ ${config_directory} = (disk)/boot/grub ]; then r=a; fi", "a"],
    ['if [ "${config_directory}" = "(disk)/boot/grub" ]; then r=a; fi', "a"],
    ["unset r; export r; r=a", "a"],
  ])("%p gives %p", (script, expected) => {
    const more = {
      disk: { "/boot/grub/more.cfg": "r=more" },
      other: { "/only-there": "" },
    };
    expect(cmdlineOf("linux (disk)/vmlinuz $r", script, more)).toBe(expected);
  });

  test("a broken one is noted with its line, and takes no other with it", () => {
    const { notes, entries } = read(
      "set a=1 && set b=2\nmenuentry x { linux /vmlinuz $a }\nfi\nif true; then\n",
    );
    expect(notes).toEqual([
      "/boot/grub/grub.cfg:1: GRUB has no &",
      "/boot/grub/grub.cfg:3: fi is out of place",
      "/boot/grub/grub.cfg:5: the script ends inside of a block",
    ]);
    expect(entries[0]?.cmdline).toBe("");
  });

  test("line ends of Windows and a mark of the order of bytes are no part of the words", () => {
    const { entries } = read("\ufeffset a=1\r\nmenuentry 'x' {\r\n linux /vmlinuz $a\r\n}\r\n");
    expect(entries[0]).toMatchObject({ title: "x", cmdline: "1" });
  });
});

describe("menus", () => {
  const three = "menuentry a { linux /vmlinuz 1 }\nmenuentry b --id B { linux /vmlinuz 2 }\n";

  test.each([
    ["", 0, "the first entry: no default is set"],
    ["default=1", 1, "default=1"],
    ["default=B", 1, "default=B"],
    ["default=b", 1, "default=b"],
    ["default=9", 0, "the first entry: default=9 names none"],
    ["default=gone", 0, "the first entry: default=gone names none"],
    ["default='2>1'", 3, "default=2>1"],
    ["default='old>c'", 2, "default=old>c"],
    ["default='Old>D'", 3, "default=Old>D"],
    ["default=2", 2, "default=2"],
  ])("with %p start entry %p", (before, index, why) => {
    const old =
      "submenu Old --id old { menuentry c { linux /vmlinuz }\nmenuentry D { linux /vmlinuz } }";
    expect(read(`${before}\n${three}${old}\n`)).toMatchObject({ default: index, why });
  });

  test("fall back to entries by number", () => {
    expect(read(`fallback="1 0"\ntimeout=7\n${three}`)).toMatchObject({
      fallback: [1, 0],
      timeout: 7,
    });
  });

  test("of configfile stand in for the one that leads there; exported variables go with them", () => {
    const stub =
      "search --fs-uuid --set=root ABCD-1234\nset prefix=($root)/grub\nexport x\nx=1\ny=2\nconfigfile $prefix/grub.cfg\nmenuentry never { linux /vmlinuz }";
    const more = { disk: { "/grub/grub.cfg": "menuentry real { linux /vmlinuz x=$x y=$y }" } };
    const menu = read(stub, more);
    expect(titles(menu)).toEqual(["real"]);
    expect(menu.entries[0]?.cmdline).toBe("x=1 y=");
  });

  test("of configfile in an entry are listed below it, and one that leads back is not", () => {
    const more = {
      disk: {
        "/boot/grub/more.cfg":
          "menuentry back { configfile /boot/grub/grub.cfg }\nmenuentry m { linux /vmlinuz }",
      },
    };
    const { entries } = read(`${three}menuentry More { configfile $prefix/more.cfg }`, more);
    expect(entries.map(({ id, problem }) => [id, problem])).toEqual([
      ["a", undefined],
      ["B", undefined],
      ["More>back", "it goes back to the menu of /boot/grub/grub.cfg"],
      ["More>m", undefined],
    ]);
  });

  test("of a copy on another file system: the files beside it are taken", () => {
    const config =
      "search --set=root --fs-uuid 9999-0000\nmenuentry x { linux /vmlinuz a }\n" +
      "search --set=o --fs-uuid 8888-0000\nmenuentry y { linux ($o)/vmlinuz }";
    const { entries, notes } = read(config);
    expect(entries.map(({ kernel, problem }) => [kernel?.device, problem !== undefined])).toEqual([
      ["disk", false],
      ["!1", true],
    ]);
    expect(notes[0]).toContain("the file system with UUID=9999-0000 is taken for the one");
  });

  test("sub-entries see what an entry's block set in no other entry", () => {
    const menu = read(
      "menuentry a { v=1; linux /vmlinuz $v }\nmenuentry b { linux /vmlinuz v=$v }",
    );
    expect(menu.entries.map(({ cmdline }) => cmdline)).toEqual(["1", "v="]);
  });
});

describe("grubenv", () => {
  // The head of what grub-mkconfig writes.
  const header = `if [ -s $prefix/grubenv ]; then set have_grubenv=true; load_env; fi
if [ "\${next_entry}" ] ; then
   set default="\${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="\${saved_entry}"
fi
function savedefault { if [ -z "\${boot_once}" ]; then saved_entry="\${chosen}"; save_env saved_entry; fi; }
function recordfail { set recordfail=1; if [ -n "\${have_grubenv}" ]; then if [ -z "\${boot_once}" ]; then save_env recordfail; fi; fi; }
menuentry a { savedefault; linux /vmlinuz }
submenu s { menuentry 'b>c' { recordfail; savedefault; linux /vmlinuz } }
`;
  const readWith = (lines: string, start: Partial<GrubStart> = {}) =>
    read(header, { disk: { "/boot/grub/grubenv": grubenv(lines) } }, start);
  const written = (menu: ReadMenu, index: number) => {
    const entry = menu.entries[index];
    if (entry === undefined) throw new Error("no entry");
    return entry.writes
      .reduce(addWrite, [...menu.writes])
      .map(({ file, variables }) => [file.path, Object.fromEntries(variables)]);
  };

  test("names the default, and what the entry would save", () => {
    const menu = readWith("saved_entry=s>b>>c\n");
    expect(menu).toMatchObject({ default: 1, why: "saved_entry in grubenv", oneShot: false });
    expect(menu.writes).toEqual([]);
    expect(written(menu, 1)).toEqual([
      ["/boot/grub/grubenv", { recordfail: "1", saved_entry: "s>b>>c" }],
    ]);
  });

  test("a next entry is taken once: it is written back empty, and nothing is saved", () => {
    const menu = readWith("saved_entry=a\nnext_entry=1>0\n");
    expect(menu).toMatchObject({ default: 1, why: "next_entry in grubenv", oneShot: true });
    expect(written(menu, 1)).toEqual([["/boot/grub/grubenv", { next_entry: "" }]]);
  });

  test("a next entry that could not be written back is not taken", () => {
    const menu = readWith("saved_entry=a\nnext_entry=1>0\n", {
      withoutVariables: new Set(["next_entry"]),
    });
    expect(menu).toMatchObject({ default: 0, why: "saved_entry in grubenv", oneShot: false });
  });

  test("Fedora's count of failed boots goes down", () => {
    const config = `load_env
if [ -n "\${boot_counter}" -a "\${boot_success}" = "0" ]; then
  if [ "\${boot_counter}" = "0" -o "\${boot_counter}" = "-1" ]; then set default=1; set boot_counter=-1
  else decrement boot_counter; fi
  save_env boot_counter
fi
menuentry a { linux /vmlinuz }
menuentry b { linux /vmlinuz }`;
    const at = (count: string) =>
      read(config, {
        disk: { "/boot/grub/grubenv": grubenv(`boot_success=0\nboot_counter=${count}\n`) },
      });
    expect(at("2")).toMatchObject({ default: 0 });
    expect(Object.fromEntries(at("2").writes[0]?.variables ?? [])).toEqual({ boot_counter: "1" });
    expect(at("0")).toMatchObject({ default: 1 });
  });
});

describe("boot entries by blscfg", () => {
  const entries = {
    "/loader/entries/m-5.6.6-300.fc32.conf":
      'title Fedora (5.6.6)\nlinux /vmlinuz\ninitrd /ucode.img $tuned_initrd\ninitrd /initrd.img\noptions $kernelopts $tuned_params x="a b"\n',
    "/loader/entries/m-5.6.10-300.fc32.conf": "title Fedora (5.6.10)\nlinux /vmlinuz\n",
    "/loader/entries/m-0-rescue.conf": "title Rescue\nlinux /vmlinuz\noptions ${kernelopts}\n",
  };

  test("are in RPM's order, newest first, with the variables of the script", () => {
    const menu = read(
      "kernelopts='root=UUID=1 ro'\ndefault_kernelopts=fallback\ndefault=m-5.6.6-300.fc32\nblscfg",
      { disk: entries },
    );
    expect(menu.entries.map(({ id, cmdline }) => [id, cmdline])).toEqual([
      ["m-5.6.10-300.fc32", "fallback"],
      ["m-5.6.6-300.fc32", 'root=UUID=1 ro "x=a b"'],
      ["m-0-rescue", "root=UUID=1 ro"],
    ]);
    expect(menu.entries[1]?.initrds).toEqual([place("/ucode.img"), place("/initrd.img")]);
    expect(menu).toMatchObject({ default: 1, why: "default=m-5.6.6-300.fc32" });
  });

  test("are found by blsdir, or below /boot", () => {
    const moved = Object.fromEntries(
      Object.entries(entries).map(([path, text]) => [`/boot${path}`, text]),
    );
    expect(read("blscfg", { disk: moved }).entries).toHaveLength(3);
    // A copy of Fedora's disk: what GRUB calls it is not known, and its entries are here.
    expect(read("set root='hd0,gpt2'\nblscfg", { disk: moved }).entries).toHaveLength(3);
    expect(read("blsdir=/boot/loader/entries\nblscfg", { disk: moved }).entries).toHaveLength(3);
  });
});

describe("bounds", () => {
  test.each([
    "while true; do true; done",
    "function f { f; }; f",
    "a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do a=$a$a; done",
    "source /boot/grub/grub.cfg",
    "set i=0; while true; do menuentry m$i { linux /vmlinuz }; increment i; done",
    `${"if true; then ".repeat(200)} true ${"; fi".repeat(200)}`,
    "menuentry x { configfile /boot/grub/grub.cfg }",
    "regexp '(a*)*b' aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  ])("%p ends, and says so", (script) => {
    const before = processorTime();
    const menu = read(script);
    expect(processorTime() - before).toBeLessThan(3000);
    const said = [...menu.notes, ...menu.entries.map(({ problem }) => problem ?? "")].join("\n");
    expect(said).not.toBe("");
  });

  test("a menu's cost grows with its entries and no faster", () => {
    const entry = (number: number) =>
      `menuentry 'k${number}' --id e${number} {\n search --no-floppy --fs-uuid --set=root ABCD-1234\n linux /vmlinuz-${number} root=UUID=1\n initrd /initrd.img\n}\n`;
    const callsFor = (count: number) => {
      const config = Array.from({ length: count }, (_, number) => entry(number)).join("");
      const kernels = Array.from({ length: count }, (_, n) => [`/vmlinuz-${n}`, ""] as const);
      const host = treesHost(
        { disk: { ...files, ...Object.fromEntries(kernels), "/grub.cfg": config } },
        { disk: { uuid: "abcd-1234" } },
      );
      const start = { config: place("/grub.cfg"), platform: "efi", cpu: "x86_64" } as const;
      const menu = readGrubMenu(host, start);
      expect(menu?.entries).toHaveLength(count);
      expect(menu?.entries.every(({ problem }) => problem === undefined)).toBe(true);
      return host.calls;
    };
    expect(callsFor(1000)).toBeLessThanOrEqual(12 * callsFor(100));
  });

  test("damaged menus never throw", () => {
    const random = seeded(2);
    const config = new TextEncoder().encode(
      'if [ -s $prefix/grubenv ]; then\n load_env\nfi\nfunction f { r="$1"; }\nfor i in 1 2; do f $i; done\n' +
        'menuentry \'a\' --id "b" { search --set=root --label BOOT\n linux /vmlinuz ${r} "x $r"\n initrd /initrd.img }\n',
    );
    for (let round = 0; round < 1500; round += 1) {
      const text = new TextDecoder().decode(mutate(config, random));
      read(text);
    }
  });
});
