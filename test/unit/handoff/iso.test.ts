/** Menus of real images, packed with every kind of names: their entries, and the words that are added. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inspect } from "../../../src/handoff/inspect.ts";
import { onItsFileSystem } from "../../where.ts";
import { makeBzImage } from "../image/build.ts";
import { type NameKind, pack, plant } from "../image/iso-build.ts";

const menus = resolve(import.meta.dir, "../../../../shared/menus/iso");
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "iso-menu-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Expected {
  readonly name: string;
  readonly cmdline: string;
  readonly kernel: string;
}

/** What u-root finds in a menu, in our words. */
function expectedOf(name: string): readonly Expected[] {
  const listed: unknown = JSON.parse(readFileSync(join(menus, `${name}.json`), "utf8"));
  if (!Array.isArray(listed)) throw new Error("not a list");
  return listed.map((one) => ({
    name: String(one.name).replace(/^\[[^\]]*\] /, ""),
    cmdline: String(one.cmdline),
    kernel: new URL(one.kernel.url).pathname.replace(`/testdata/${name}`, ""),
  }));
}

const names = existsSync(menus) ? readdirSync(menus).filter((name) => !name.endsWith(".json")) : [];

/** Words in any order: u-root puts those that it adds at the end, also behind `---`. */
function sortedWords(cmdline: string): string {
  return cmdline
    .split(/\s+/)
    .filter((word) => word !== "" && !word.startsWith("---"))
    .toSorted()
    .join(" ");
}

describe.skipIf(names.length === 0).each(names)("%s", (name) => {
  const kinds: readonly NameKind[] = ["rock-ridge", "joliet", "both", "neither"];
  test.each(kinds)("with %s names", async (kind) => {
    const image = pack(join(menus, name), join(folder, `${name}.iso`), kind);
    const { entries, source } = await inspect({ kernel: image });
    expect(source.kind).toBe("ISO image");
    const found = new Map(entries?.map((entry) => [entry.title, entry] as const));
    for (const { name: title, cmdline, kernel } of expectedOf(name)) {
      const entry = found.get(title);
      // A name that the host made up for the firmware of the machine that reads it.
      const other = entry ?? found.get(title.replace("BIOS", "UEFI"));
      if (other === undefined) throw new Error(`no entry ${title} of ${[...found.keys()]}`);
      expect(other.kernel).toBe(kernel);
      const here = cmdline
        .replace(`/${name}.iso`, image)
        // The file system of this machine's /tmp: its UUID may not be known here.
        .replace(/UUID=1234-abcd/, /UUID=\S*/.exec(other.cmdline ?? "")?.[0] ?? "");
      expect(sortedWords(other.cmdline ?? "")).toBe(sortedWords(here));
    }
  });
});

test("an image of 8 GiB is inspected by its directories alone", async () => {
  plant(join(folder, "large"), {
    "boot/grub/grub.cfg":
      "menuentry a {\n linux /live/vmlinuz boot=live\n initrd /live/initrd\n}\n",
    "live/vmlinuz": "kernel",
    "live/initrd": "archive",
  });
  const image = pack(join(folder, "large"), join(folder, "large.iso"));
  truncateSync(image, 8 * 2 ** 30);
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const { entries } = await inspect({ kernel: image });
  expect(entries?.[0]?.cmdline).toBe(`boot=live findiso=${onItsFileSystem(image)}`);
  expect(performance.now() - start).toBeLessThan(5000);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
});

test("an image without a way to it is refused, with the words to give", async () => {
  plant(join(folder, "unknown"), {
    "boot/grub/grub.cfg": "menuentry a {\n linux /vmlinuz quiet\n initrd /initrd\n}\n",
    vmlinuz: makeBzImage(),
    initrd: "archive",
  });
  const image = pack(join(folder, "unknown"), join(folder, "unknown.iso"));
  const { verdict } = await inspect({ kernel: image });
  const reason = verdict.reasons.find(({ code }) => code === "system-not-found");
  expect(reason).toMatchObject({
    exit: 8,
    hint: expect.stringContaining(`findiso=${onItsFileSystem(image)}`),
  });
  const given = await inspect({ kernel: image, append: "own=word" });
  expect(given.verdict.reasons.map(({ code }) => code)).not.toContain("system-not-found");
  // Where this machine speaks on a serial line alone, its console is added.
  expect(given.cmdline?.text).toMatch(/^quiet( console=\S+)* own=word$/);
});

/** An image of these files, inspected. */
async function inspected(name: string, files: Readonly<Record<string, string | Uint8Array>>) {
  plant(join(folder, name), files);
  return inspect({ kernel: pack(join(folder, name), join(folder, `${name}.iso`)) });
}

describe("an image's menu", () => {
  const files = { "live/vmlinuz": makeBzImage(), "live/initrd": "archive" };
  const live = "linux /live/vmlinuz boot=live\ninitrd /live/initrd";

  test.each([
    ["EFI/fedora/grub.cfg", `menuentry A { ${live.replaceAll("\n", ";")} }`],
    ["EFI/BOOT/GRUB.CFG", `menuentry A { ${live.replaceAll("\n", ";")} }`],
    ["boot/grub2/grub.cfg", "configfile ${prefix}/real.cfg"],
    [
      "grub/grub.cfg",
      `menuentry A { search --set=root --file /live/vmlinuz; ${live.replaceAll("\n", ";")} }`,
    ],
    ["boot/syslinux/syslinux.cfg", `label A\n${live.replace("vmlinuz ", "vmlinuz\nappend ")}\n`],
    ["isolinux.cfg", `label A\n${live.replace("vmlinuz ", "vmlinuz\nappend ")}\n`],
    ["loader/entries/a.conf", `title A\n${live.replace("vmlinuz ", "vmlinuz\noptions ")}\n`],
  ])("at %s", async (path, text) => {
    const { entries } = await inspected(`at-${path.replaceAll("/", "-")}`, {
      ...files,
      [path]: text,
      "boot/grub2/real.cfg": `menuentry A {\n${live}\n}`,
    });
    expect(entries).toMatchObject([{ title: "A", kernel: "/live/vmlinuz", problem: null }]);
    expect(entries?.[0]?.cmdline).toMatch(/^boot=live findiso=\/.*\.iso$/);
  });

  test("without an entry that can be booted is passed over for one that has some", async () => {
    const { entries } = await inspected("two-menus", {
      ...files,
      "EFI/BOOT/grub.cfg": "menuentry Gone { linux /gone/vmlinuz }",
      "isolinux/isolinux.cfg":
        "label a\nkernel /live/vmlinuz\nappend initrd=/live/initrd boot=live\n",
    });
    expect(entries?.map(({ id }) => id)).toEqual(["a"]);
    const none = await inspected("no-entry", { "boot/grub/grub.cfg": "menuentry G { linux /g }" });
    expect(none.entries?.[0]?.problem).toContain("/g cannot be used");
  });

  test("of Xen and of a memory test: listed as what they are", async () => {
    const { entries } = await inspected("xen", {
      "boot/grub/grub.cfg":
        "menuentry Xen {\n multiboot2 /boot/xen.gz dom0_mem=1G\n module2 /boot/vmlinuz a\n}\nmenuentry Test {\n linux16 /boot/memtest.bin\n}\n",
      "boot/xen.gz": "xen",
      "boot/vmlinuz": "kernel",
      "boot/memtest.bin": makeBzImage(),
    });
    expect(entries?.map(({ title, problem, default: taken }) => [title, problem, taken])).toEqual([
      ["Xen", expect.stringContaining("Multiboot"), true],
      ["Test", null, false],
    ]);
  });

  test.each(["UDF beside", "a partition table in front of"])("with %s it", async (what) => {
    plant(join(folder, what), {
      ...files,
      "boot/grub/grub.cfg": `menuentry A {\n${live}\n}\n`,
    });
    const isUdf = what.startsWith("UDF");
    const path = join(folder, `${what}.iso`.replaceAll(" ", "-"));
    const image = isUdf
      ? pack(join(folder, what), path, "both", ["-udf"], "genisoimage")
      : pack(join(folder, what), path);
    if (!isUdf) {
      const bytes = readFileSync(image);
      // As isohybrid of syslinux: code, a partition of type 0x17 over all of it, the signature.
      bytes.set([0x45, 0x52, 0x08, 0x00], 0);
      bytes.set([0x80, 0, 1, 0, 0x17, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 0, 8, 0, 0], 446);
      bytes.set([0x55, 0xaa], 510);
      writeFileSync(image, bytes);
    }
    const { entries, source } = await inspect({ kernel: image });
    expect(source.kind).toBe("ISO image");
    expect(entries).toMatchObject([{ title: "A", kernel: "/live/vmlinuz", problem: null }]);
  });

  test("that is none says what the image is", async () => {
    const reasonOf = async (name: string, planted: Readonly<Record<string, string>>) =>
      (await inspected(name, planted)).verdict.reasons[0]?.message;
    expect(await reasonOf("windows", { bootmgr: "x", "sources/boot.wim": "x" })).toContain(
      "an image of Windows",
    );
    expect(
      await reasonOf("udf", { "README.TXT": "This disc contains a UDF file system" }),
    ).toContain("in a UDF file system");
    expect(await reasonOf("data", { "music/a.ogg": "x" })).toContain("no boot menu");
  });
});
