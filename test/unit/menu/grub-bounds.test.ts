/** Menus that were written to take time or memory without end, before anything is verified. */
import { describe, expect, test } from "bun:test";
import { Budget, costs, GrubLimit, withinMemory } from "../../../src/menu/grub/budget.ts";
import { readGrubMenu } from "../../../src/menu/grub/menu.ts";
import type { ReadMenu } from "../../../src/menu/host.ts";
import { memoryWatch, mutate, processorTime, seeded } from "../fuzz.ts";
import { treesHost } from "./hosts.ts";

const files = { "/vmlinuz": "k", "/initrd.img": "i" };
const good = "\nmenuentry good { linux /vmlinuz }\n";

function read(config: string, more: Readonly<Record<string, string>> = {}): ReadMenu {
  const host = treesHost(
    { disk: { ...files, "/boot/grub/grub.cfg": config, ...more } },
    { disk: { uuid: "ABCD-1234" } },
  );
  const start = { config: { device: "disk", path: "/boot/grub/grub.cfg" } };
  const menu = readGrubMenu(host, { ...start, platform: "efi", cpu: "x86_64" });
  if (menu === undefined) throw new Error("no menu");
  return menu;
}

function said(menu: ReadMenu): string {
  return [...menu.notes, ...menu.entries.map(({ problem }) => problem ?? "")].join("\n");
}

const times = (count: number, text: (number: number) => string) =>
  Array.from({ length: count }, (_, number) => text(number)).join("");

const long = "x".repeat(65_000);
const words = "x ".repeat(16_000);
const tooMuch = "it takes too much work";

describe("a menu that would never end is a menu past a limit", () => {
  const menus: readonly [string, string, Readonly<Record<string, string>>?][] = [
    [
      "words that multiply",
      `setparams${" a".repeat(1000)}\n${`setparams${" $@".repeat(1000)}\n`.repeat(2)}`,
    ],
    ["a word without end", `set a=${long}\nset b=${"$a".repeat(40_000)}\n`],
    ["quoted parameters without end", `setparams ${words}\nset b="${"$*".repeat(40_000)}"\n`],
    ["variables that are empty", `while true; do true ${"$a".repeat(100_000)}; done`],
    ["a pattern that backtracks", `while true; do regexp '(a*)*(a*)*b' ${"a".repeat(300)}; done`],
    ["patterns that are malformed", `while true; do regexp '${"[a]".repeat(340)}(' a; done`],
    [
      "variables that are copied",
      `${times(4000, (n) => `set v${n}=1; export v${n}\n`)}while true; do configfile /f.cfg; done`,
      { "/f.cfg": "\n" },
    ],
    [
      "searches for what is nowhere",
      "set i=0; while true; do increment i; search --label --set=x q$i; done",
    ],
    [
      "writes",
      "set i=0; while true; do increment i; save_env v$i; done",
      { "/boot/grub/grubenv": "" },
    ],
    [
      "parameters that are shifted",
      `setparams ${"a ".repeat(190_000)}\nwhile true; do shift; done`,
    ],
    ["files that are read", "while true; do source /f.cfg; done", { "/f.cfg": "\n" }],
    ["files that are asked for", "set i=0; while true; do increment i; test -f /$i; done"],
    ["options", `setparams ${"--class=a ".repeat(60_000)}\nwhile true; do menuentry $@ x; done`],
    ["patterns of files", `while true; do true ${"/*".repeat(30_000)}; done`],
    ["scripts in words", `set a='${"a;".repeat(30_000)}'; while true; do eval "$a"; done`],
  ];
  test.each(menus.map(([what, ...given]) => ({ what, given })))("$what", ({ given }) => {
    const [script, more] = given;
    const check = memoryWatch();
    const before = processorTime();
    const menu = read(script + good, more);
    // Some hundred milliseconds; without bounds minutes, or gigabytes.
    expect(processorTime() - before).toBeLessThan(4000);
    check(200 << 20);
    expect(menu.entries).toEqual([]);
    expect(said(menu)).toContain("/boot/grub/grub.cfg: it takes too m");
  });

  test("in an entry: the entry is, and the others boot", () => {
    const endless = `while true; do regexp '(a*)*(a*)*b' ${"a".repeat(300)}; done`;
    const menu = read(`menuentry bad { ${endless} }${good}`);
    expect(menu.entries.map(({ problem }) => problem)).toEqual([
      `its block cannot be evaluated: ${tooMuch}`,
      undefined,
    ]);
  });

  test("in all entries together: time does not grow with their number", () => {
    const endless = `while true; do regexp '(a*)*(a*)*b' ${"a".repeat(300)}; done`;
    const before = processorTime();
    const menu = read(
      `function f { ${endless}; }\n${times(4000, (n) => `menuentry m${n} { f }\n`)}`,
    );
    expect(processorTime() - before).toBeLessThan(4000);
    expect(menu.entries).toHaveLength(4000);
    expect(menu.entries.every(({ problem }) => problem?.includes(tooMuch))).toBe(true);
  });
});

test("functions are not copied for each entry", () => {
  const functions = times(30_000, (n) => `function f${n} { a; }\n`);
  const config = functions + times(4000, (n) => `menuentry m${n} {\n}\n`);
  const before = processorTime();
  const menu = read(config);
  expect(processorTime() - before).toBeLessThan(4000);
  expect(menu.entries).toHaveLength(4000);
});

test("a function that an entry defines is that entry's alone", () => {
  const menu = read(
    "function f { a=outer; }\nmenuentry x { function f { a=inner; }; f; linux /vmlinuz $a }\n" +
      "menuentry y { f; linux /vmlinuz $a }\n",
  );
  expect(menu.entries.map(({ cmdline }) => cmdline)).toEqual(["inner", "outer"]);
});

test("what is searched for and nowhere has one name, however often it is", () => {
  const { entries } = read(
    "# ABCD-1234\nsearch --set=a --label q\nsearch --set=b --label r\nsearch --set=c --label q\n" +
      "menuentry x { linux /vmlinuz $a $b $c }",
  );
  expect(entries[0]?.cmdline).toBe("!0 !1 !0");
});

test.each(["menuentry $t", "menuentry x --id $t", "submenu $t"])(
  "%s of a long name stays in the list, and the default",
  (head) => {
    const menu = read(`set t=${long}\n${head} { linux /vmlinuz }${good}`);
    expect(menu.entries.map(({ number }) => number)).toEqual(["0", "1"]);
    expect(menu.entries.map(({ problem }) => problem)).toEqual([
      "its title or id is too long",
      undefined,
    ]);
    expect(menu.default).toBe(0);
    const [{ id, title } = { id: long, title: long }] = menu.entries;
    expect(Math.max(id.length, title.length)).toBeLessThan(100);
  },
);

test("the names of submenus count with those of their entries", () => {
  const nested = (depth: number): string =>
    depth === 0
      ? "menuentry x { linux /vmlinuz }"
      : `submenu ${"s".repeat(4000)} {\n${nested(depth - 1)}\n}`;
  const menu = read(`${nested(3)}${good}set default="0>0>0>0"`);
  expect(menu.entries.map(({ number, problem }) => [number, problem])).toEqual([
    ["0>0", "its title or id is too long"],
    ["1", undefined],
  ]);
  expect(menu.default).toBe(0);
});

test("an entry may run the largest configuration", () => {
  const line = "set a=b\n";
  const config = `${line.repeat(Math.floor(2 ** 20 / line.length) - 10)}linux /vmlinuz whole\n`;
  const { entries } = read(`menuentry x { source /f.cfg }${good}`, { "/f.cfg": config });
  expect(entries.map(({ problem }) => problem)).toEqual([
    "its block cannot be evaluated: it takes too many steps",
    undefined,
  ]);
  const comments = `${"# a comment of a menu\n".repeat(47_000)}linux /vmlinuz whole\n`;
  const other = read(`menuentry x { source /f.cfg }${good}`, { "/f.cfg": comments });
  expect(other.entries.map(({ cmdline, problem }) => [cmdline, problem])).toEqual([
    ["whole", undefined],
    ["", undefined],
  ]);
});

test("a stack that overflows is a limit of the menu", () => {
  const endless = (): number => 1 + endless();
  expect(() => withinMemory(endless)).toThrow(GrubLimit);
  const bug = () => withinMemory(() => JSON.parse("{"));
  expect(bug).toThrow(SyntaxError);
  expect(bug).not.toThrow(GrubLimit);
});

test("an entry has a share, and all of them together have a bound", () => {
  const budget = new Budget();
  const spendShare = () => {
    budget.beginEntry();
    for (;;) budget.spend(costs.opened * 256);
  };
  expect(spendShare).toThrow(tooMuch);
  budget.beginEntry();
  expect(() => budget.spend(costs.opened)).not.toThrow();
  for (let entry = 0; entry < 4; entry += 1) expect(spendShare).toThrow(tooMuch);
  budget.beginEntry();
  expect(() => budget.spend(costs.opened)).toThrow(tooMuch);
});

describe("a configuration", () => {
  const sized = (size: number) => good + "#".repeat(size - good.length);

  test("of 1 MiB is read, and a larger one is refused whole", () => {
    expect(read(sized(1 << 20)).entries).toHaveLength(1);
    const menu = read(sized((1 << 20) + 1));
    expect(menu).toMatchObject({ entries: [], default: undefined });
    expect(said(menu)).toBe(
      "/boot/grub/grub.cfg is larger than 1048576 bytes: it is not evaluated",
    );
  });
});

describe("boot entries by blscfg", () => {
  const entry = "title T\nlinux /vmlinuz\noptions a\n";
  const bls = (texts: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [`/loader/entries/${name}.conf`, text]),
    );

  test("of 64 KiB are read, and a larger one is left out", () => {
    const sized = (size: number) => entry + "#".repeat(size - entry.length);
    const menu = read("blscfg", bls({ fits: sized(64 << 10), large: sized((64 << 10) + 1) }));
    expect(menu.entries.map(({ id }) => id)).toEqual(["fits"]);
    expect(said(menu)).toContain(
      "/loader/entries/large.conf is left out: it is larger than 65536 bytes",
    );
  });

  test.each([
    ["options", `linux /vmlinuz\noptions ${"$a".repeat(30_000)}\n`],
    ["many lines", `linux /vmlinuz\n${"options $a\n".repeat(5000)}`],
    ["a title", `linux /vmlinuz\ntitle ${"$a".repeat(30_000)}\n`],
    ["early archives", `linux /${"d".repeat(30_000)}/vmlinuz\n`],
  ])("have a problem where variables make %s too long", (_, text) => {
    const check = memoryWatch();
    const before = processorTime();
    const menu = read(
      `set a=${long}\nset early_initrd='${"initrd.img ".repeat(1000)}'\nblscfg`,
      bls({ bad: text, other: entry }),
    );
    expect(processorTime() - before).toBeLessThan(2000);
    check(50 << 20);
    expect(menu.entries.map(({ id, problem }) => [id, problem])).toEqual([
      ["other", undefined],
      ["bad", "its block cannot be evaluated: its variables make it longer than 65536 characters"],
    ]);
  });

  test("are put in order in bounded time", () => {
    const names = Object.fromEntries(
      Array.from({ length: 40_000 }, (_, n) => [`${"1a".repeat(100)}${n}`, entry]),
    );
    const before = processorTime();
    const menu = read("blscfg", bls(names));
    expect(processorTime() - before).toBeLessThan(2000);
    expect(menu.entries).toEqual([]);
    expect(said(menu)).toContain(tooMuch);
  });
});

test("blanks are ASCII's: others are letters of a word", () => {
  const nbsp = "\u00a0";
  const argsOf = (config: string, more = {}) => read(config, more).entries[0]?.cmdline;
  expect(argsOf(`set args="b=p${nbsp}q c=1"\nmenuentry x { linux /vmlinuz $args }`)).toBe(
    `b=p${nbsp}q c=1`,
  );
  expect(argsOf("set args=' b\v\f\r\n\tc '\nmenuentry x { linux /vmlinuz $args }")).toBe("b c");
  const config = `linux /vmlinuz\noptions a${nbsp}b${nbsp}\ntitle${nbsp}x\n`;
  expect(argsOf("blscfg", { "/loader/entries/a.conf": config })).toBe(`a${nbsp}b${nbsp}`);
  const number = (value: string) =>
    read(`set default="${value}"${good}menuentry second { linux /vmlinuz }`).default;
  expect([number("1"), number(" 1\t"), number(`${nbsp}1`)]).toEqual([1, 1, 0]);
});

test("damaged menus of all this never throw, and end", () => {
  const random = seeded(31);
  const config = new TextEncoder().encode(
    'setparams a b c\nset a=xxxxxxxxxxxxxxxx\nset b=$a$a$a$a\nexport a b\nsetparams $@ $@ "$*"\n' +
      "for j in 1 2 3 4; do regexp '((a|b*)*){2,9}c$' $b; increment i; done\nblscfg\n" +
      'search --label --set=x q$i\nsave_env a; load_env\nconfigfile /f.cfg\neval "true $b"\n' +
      'menuentry "m$i" --class=a { function f { true /*/*.cfg; }; f; linux /vmlinuz $@ }\n',
  );
  const more = {
    "/f.cfg": "\n",
    "/boot/grub/grubenv": "# GRUB Environment Block\ni=1\n".padEnd(1024, "#"),
    "/loader/entries/a.conf": "title $a\nlinux /vmlinuz\noptions $b\n",
  };
  for (let round = 0; round < 1000; round += 1) {
    read(new TextDecoder().decode(mutate(config, random)), more);
  }
});
