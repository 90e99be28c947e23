import { describe, expect, test } from "bun:test";
import {
  type EntryFile,
  otherText,
  parseEntry,
  resemblesEntry,
} from "../../../../src/source/entry/file.ts";
import { mutate, processorTime, seeded } from "../../fuzz.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function read(text: string): EntryFile {
  const entry = parseEntry(bytes(text));
  if (entry.kind === "broken") throw new Error(entry.why);
  return entry;
}

function problemOf(text: string | Uint8Array): string {
  const entry = parseEntry(typeof text === "string" ? bytes(text) : text);
  return entry.kind === "broken" ? entry.why : "none";
}

const fedora = `# /boot/loader/entries/6a98-6.1.conf
title        Fedora 19 (Rawhide)
sort-key     fedora
machine-id   6a9857a393724b7a981ebb5b8495b9ea
version      3.8.0-2.fc19.x86_64
options      root=UUID=6d3376e4 quiet
options	rd.break
architecture x64
linux        /6a98/3.8.0/linux
initrd       6a98/3.8.0/microcode
initrd       /6a98/3.8.0/initrd
grub_class   fedora
`;

describe("an entry", () => {
  test("in full", () => {
    expect(read(fedora)).toEqual({
      kind: "entry",
      title: "Fedora 19 (Rawhide)",
      version: "3.8.0-2.fc19.x86_64",
      machineId: "6a9857a393724b7a981ebb5b8495b9ea",
      sortKey: "fedora",
      architecture: "x64",
      image: { key: "linux", path: "6a98/3.8.0/linux" },
      initrds: ["6a98/3.8.0/microcode", "6a98/3.8.0/initrd"],
      options: "root=UUID=6d3376e4 quiet rd.break",
      profile: undefined,
      deviceTree: undefined,
      ignored: ["grub_class"],
      warnings: [],
    });
  });

  test("with nothing but a kernel", () => {
    const { image, initrds, options } = read("linux vmlinuz");
    expect({ image, initrds, options }).toEqual({
      image: { key: "linux", path: "vmlinuz" },
      initrds: [],
      options: undefined,
    });
  });

  test("that leads to a UKI, with a profile", () => {
    const { image, profile } = read("uki /EFI/Linux/a.efi\nprofile 2\n");
    expect({ image, profile }).toEqual({
      image: { key: "uki", path: "EFI/Linux/a.efi" },
      profile: 2,
    });
    expect(read("efi /EFI/Linux/a.efi").image.key).toBe("efi");
  });

  test("from another system: line ends, indentation, an empty value, a repeated key", () => {
    const entry = read("\r\n  title \r\n\tlinux  /a\r\r\noptions\r\nversion 1\r\nversion 2\r\n");
    expect(entry.image.path).toBe("a");
    expect(entry.title).toBeUndefined();
    expect(entry.options).toBeUndefined();
    expect(entry.version).toBe("2");
    expect(entry.warnings).toEqual([
      "line 2: title has no value",
      "line 4: options has no value",
      "line 5: its version is ignored: that of line 6 counts",
    ]);
  });

  test("with a kernel twice: the last counts, and the other lines are named", () => {
    const { image, warnings } = read("linux /a\nlinux /b\ninitrd /i\nlinux /c\n");
    expect(image).toEqual({ key: "linux", path: "c" });
    expect(warnings).toEqual([
      "line 1: its linux is ignored: that of line 4 counts",
      "line 2: its linux is ignored: that of line 4 counts",
    ]);
  });

  test("with quotation marks: one pair around a value is not part of it", () => {
    const entry = read(
      'title \'A b\'\nlinux \t"/vm linuz" \t\r\ninitrd \'/i\'\ninitrd \'/j"\noptions "root=/dev/sda1 rw"\noptions a="b  c"\noptions "d e" "f"\n',
    );
    expect(entry.title).toBe("A b");
    expect(entry.image.path).toBe("vm linuz");
    expect(entry.initrds).toEqual(["i", "'/j\""]);
    expect(entry.options).toBe('root=/dev/sda1 rw a="b  c" d e" "f');
    expect(read('linux a\noptions "\n').warnings).toEqual(["line 2: options has no value"]);
    expect(problemOf('linux "/../x"')).toBe('line 1: a path has ".." in it');
  });

  test("with U+00A0, which is a letter, and no blank", () => {
    const { options, warnings } = read("linux a\noptions a\u00a0 \u00a0b\u00a0\ntitle\u00a0x y\n");
    expect(options).toBe("a\u00a0 \u00a0b\u00a0");
    expect(warnings[0]).toStartWith("line 3: title\u00a0x is ");
  });

  test.each(["devicetree", "devicetree-overlay"] as const)("that wants a %s says so", (key) => {
    expect(read(`linux a\n${key} /x.dtb`).deviceTree).toBe(key);
  });

  test.each([
    ["title x", "it names no kernel: it has no linux, efi or uki line"],
    ["linux", "it names no kernel: it has no linux, efi or uki line; line 1 has linux"],
    ["linux a\nefi b", "it names more than one kernel, by linux in line 1 and efi in line 2"],
    ["uki-url http://a/b", "it names its kernel by uki-url, which is not followed here"],
    ["linux /../etc/shadow", 'line 1: a path has ".." in it'],
    ["linux a\ninitrd b/../../c", 'line 2: a path has ".." in it'],
    ["linux /", "line 1: the path of its linux is empty"],
    [`linux ${"a".repeat(4097)}`, "line 1: a path is longer than 4096 characters"],
    ["linux a\nprofile x", "line 2: its profile is not a number"],
    ["linux a\nprofile -1", "line 2: its profile is not a number"],
    [`linux a\ntitle ${"x".repeat(1025)}`, "line 2: its title is longer than 1024 characters"],
    [`linux a\n${"initrd b\n".repeat(65)}`, "it has more than 64 initrd lines"],
    ["linux a\0b", "line 1, byte 8: it has a control character (0x00)"],
    ["linux a\rb", "line 1, byte 8: it has a control character (0x0d)"],
    ["linux a\n\u001b[31m", "line 2, byte 1: it has a control character (0x1b)"],
    [
      "linux a\nlinux c\nuki b",
      "it names more than one kernel, by linux in line 2 and uki in line 3",
    ],
    [Uint8Array.from([...bytes("linux a\noptions x"), 0xff]), "line 2, byte 10: it is not UTF-8"],
    [`linux a\n${"#".repeat(65536)}`, "it is larger than 65536 bytes"],
  ])("%p is refused", (text, problem) => {
    expect(problemOf(text)).toBe(problem);
  });

  test('".." in a name is no path upwards', () => {
    expect(read("linux a..b/...").image.path).toBe("a..b/...");
  });
});

describe("what looks like an entry", () => {
  test.each(["linux /a", "# comment\n\ntitle x\n", "\ninitrd a", "uki-url x"])(
    "%p does",
    (text) => {
      expect(resemblesEntry(bytes(text))).toBe(true);
    },
  );

  test.each(["", "linuxish a", "{ }", "#linux a", "MZ\0\0\nlinux a", "a text\nof many lines"])(
    "%p does not",
    (text) => {
      expect(resemblesEntry(bytes(text))).toBe(false);
    },
  );
});

describe("a text that is something else is called what it is", () => {
  test.each([
    [
      "default l0\nlabel l0\n\tlinux vmlinuz-2\n\tinitrd initrd-2\n\tappend root=/dev/a\n",
      "syslinux",
    ],
    ["UI vesamenu.c32\nLABEL a\n  KERNEL /vmlinuz\n  INITRD /a.img\n", "syslinux"],
    [
      'set default=0\nmenuentry "Debian" {\n\tlinux\t/vmlinuz-2 root=UUID=1 ro\n\tinitrd\t/initrd-2\n}\n',
      "GRUB",
    ],
    ["insmod ext2\nlinux /vmlinuz\ninitrd /a\nboot\n", "GRUB"],
    ["title Old\nroot (hd0,0)\nkernel /vmlinuz ro\ninitrd /a.img\n", "GRUB Legacy"],
    ["#!/bin/sh\nlinux /vmlinuz\n", "a script"],
    ["timeout 5\ndefault a.conf\n", "loader.conf"],
    ["# GRUB Environment Block\nversion 3\n", "grubenv"],
    ["image=/vmlinuz\n  label=linux\n  initrd=/a.img\n", "LILO"],
    ["<!DOCTYPE html>\n<title>Not found</title>\n", "HTML"],
  ])("%p is of %s", (text, name) => {
    expect(otherText(bytes(text))).toContain(name);
    expect(resemblesEntry(bytes(text))).toBe(false);
    expect(problemOf(text)).toContain(name);
  });

  test("and an entry is none of them, whatever its title says", () => {
    for (const text of [
      fedora,
      "title set the menuentry\nlinux /a\noptions label x\n",
      "title Kernel (root)\nlinux /a\noptions root=/dev/a\n",
    ]) {
      expect(otherText(bytes(text))).toBeUndefined();
      expect(resemblesEntry(bytes(text))).toBe(true);
    }
  });
});

test.each([
  ["initrds /a", "line 2: initrds is ignored; the key is initrd"],
  ["option a", "line 2: option is ignored; the key is options"],
  ["Options a", "line 2: Options is ignored; the key is options"],
  ["initrd=/a", "line 2: initrd=/a is ignored; the key is initrd"],
  ["opitons a", "line 2: opitons is ignored; the key is options"],
  ["initramfs /a", "line 2: initramfs is ignored; the key is initrd"],
  ["append a", "line 2: append is ignored; the key is options"],
  ["flavour mild", "line 2: flavour is no key of a boot entry, and is ignored"],
  ["options", "line 2: options has no value"],
])("%p is warned of by name and line", (line, warning) => {
  expect(read(`linux /a\n${line}\n`).warnings).toEqual([warning]);
});

test.each([
  "grub_users $grub_users",
  "grub_arg --unrestricted",
  "grub_class fedora",
  "id fedora-1",
  "# linus /b",
])("%p is what boot loaders write, and no warning", (line) => {
  expect(read(`linux /a\n${line}\n`).warnings).toEqual([]);
});

test("what is not text is shown, or named by line and byte", () => {
  const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  const entry = parseEntry(latin1("title B\xfcro\nlinux /b\xfcro\n"));
  if (entry.kind === "broken") throw new Error(entry.why);
  expect(entry.title).toBe("B\\xfcro");
  expect(entry.image.path).toBe("b\udcfcro");
  expect(problemOf(latin1("linux /a\noptions x=\xfc\n"))).toBe("line 2, byte 11: it is not UTF-8");
  expect(read("title \u00fc\ud83d\ude00\nlinux a").title).toBe("\u00fc\ud83d\ude00");
  const padded = parseEntry(latin1(`linux /a\noptions x\n${"\0".repeat(100)}`));
  expect("warnings" in padded && padded.warnings).toEqual([
    "line 3, byte 1: 100 NUL bytes stand behind its text, which may be cut",
  ]);
});

test("mutated entries are read or refused, in time", () => {
  const rng = seeded(1);
  const sample = bytes(fedora);
  let refused = 0;
  const start = performance.now();
  for (let round = 0; round < 2000; round++) {
    const mutated = mutate(sample, rng);
    resemblesEntry(mutated);
    const entry = parseEntry(mutated);
    if (entry.kind === "broken") {
      refused += 1;
      continue;
    }
    for (const path of [entry.image.path, ...entry.initrds]) {
      expect(path === "" || path.startsWith("/") || path.split("/").includes("..")).toBe(false);
    }
  }
  expect(refused).toBeGreaterThan(100);
  expect(performance.now() - start).toBeLessThan(5000);
});

test("bytes are text exactly where a decoder takes them", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const isText = (piece: Uint8Array) => {
    try {
      return decoder.decode(piece) !== "";
    } catch {
      return false;
    }
  };
  const ends = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  const leads = [
    ...[0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef],
    ...[0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff],
  ];
  const tails = [[], ...ends.map((one) => [one]), ...ends.map((one) => [0x80, one])];
  for (const lead of leads) {
    for (const second of ends) {
      for (const tail of tails) {
        const piece = Uint8Array.from([lead, second, ...tail]);
        const entry = parseEntry(Uint8Array.from([...bytes("linux a\ntitle "), ...piece, 0x2e]));
        if (entry.kind === "broken") expect([...piece]).toContain(0x7f);
        else expect([piece, !entry.title?.includes("\\x")]).toEqual([piece, isText(piece)]);
      }
    }
  }
});

test("lines that are no text, or no keys, take no time", () => {
  const before = processorTime();
  const noText = Uint8Array.from([...bytes("linux a\n#"), ...new Uint8Array(60_000).fill(0xff)]);
  for (let round = 0; round < 60; round++) expect(parseEntry(noText).kind).toBe("entry");
  for (const line of ["efi b\n", "options\n", "optoins a\n", "zzzzzzzzzz\n", "version 1\n"]) {
    const { warnings } = read(
      `linux a\n${line.repeat(Math.floor(65_000 / line.length))}`.replace("linux a\nefi", "efi"),
    );
    expect(warnings).toHaveLength(65);
    expect(warnings.at(-1)).toMatch(/^line 6\d: it and the \d+ lines behind it are not looked at/);
  }
  expect(processorTime() - before).toBeLessThan(10_000);
});
