/** Menus of real images, packed with every kind of names: their entries, and the words that are added. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inspect } from "../../../src/handoff/inspect.ts";
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
  expect(entries?.[0]?.cmdline).toBe(`boot=live findiso=${image}`);
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
  expect(reason).toMatchObject({ exit: 8, hint: expect.stringContaining(`findiso=${image}`) });
  const given = await inspect({ kernel: image, append: "own=word" });
  expect(given.verdict.reasons.map(({ code }) => code)).not.toContain("system-not-found");
  // Where this machine speaks on a serial line alone, its console is added.
  expect(given.cmdline?.text).toMatch(/^quiet( console=\S+)* own=word$/);
});
