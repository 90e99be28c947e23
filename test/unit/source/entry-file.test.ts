import { describe, expect, test } from "bun:test";
import { type EntryFile, parseEntry, resemblesEntry } from "../../../src/source/entry-file.ts";
import { mutate, seeded } from "../fuzz.ts";

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
    const entry = read("\r\n  title \r\n\tlinux  /a\r\noptions\r\nlinux /b\r\n");
    expect(entry.image.path).toBe("b");
    expect(entry.title).toBeUndefined();
    expect(entry.options).toBeUndefined();
  });

  test.each(["devicetree", "devicetree-overlay"] as const)("that wants a %s says so", (key) => {
    expect(read(`linux a\n${key} /x.dtb`).deviceTree).toBe(key);
  });

  test.each([
    ["title x", "it names no kernel: it has no linux, efi or uki line"],
    ["linux", "it names no kernel: it has no linux, efi or uki line"],
    ["linux a\nefi b", "it names more than one kernel, by linux and efi"],
    ["uki-url http://a/b", "it names its kernel by uki-url, and nothing is fetched here"],
    ["linux /../etc/shadow", 'a path has ".." in it'],
    ["linux a\ninitrd b/../../c", 'a path has ".." in it'],
    ["linux /", "a path is empty"],
    [`linux ${"a".repeat(4097)}`, "a path is longer than 4096 characters"],
    ["linux a\nprofile x", "its profile is not a number"],
    ["linux a\nprofile -1", "its profile is not a number"],
    [`linux a\ntitle ${"x".repeat(1025)}`, "its title is longer than 1024 characters"],
    [`linux a\n${"initrd b\n".repeat(65)}`, "it has more than 64 initrd lines"],
    ["linux a\0b", "it has a control character"],
    ["linux a\rb", "it has a control character"],
    ["linux a\n\u001b[31m", "it has a control character"],
    [Uint8Array.of(0x6c, 0xff, 0xfe), "it is not UTF-8"],
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
