import { describe, expect, test } from "bun:test";
import { frameEnd, readIcu, reduceIcu } from "../../build/icu.ts";
import { needing } from "../needs.ts";

/** "CmnD" archives begin with this header: its size, then UDataInfo. */
const header = Buffer.concat([
  Buffer.from([32, 0]),
  Buffer.from("da271400000000000200436d6e4401000000", "hex"),
  Buffer.alloc(12, 0x20),
]);
/** RFC 8878: one raw block of three bytes, in a frame that says its size. */
const frame = Buffer.from("28b52ffd2003190000616263", "hex");

interface Shape {
  readonly names?: readonly string[];
  readonly last?: Uint8Array;
  readonly entries?: (entries: { name: number; data: number }[]) => void;
  readonly count?: number;
}

const allNames = [
  "icudt78l/af.res",
  "icudt78l/brkitr/de.res",
  "icudt78l/brkitr/thaidict.dict",
  "icudt78l/brkitr/word.brk",
  "icudt78l/coll/en_US.res",
  "icudt78l/coll/zh.res",
  "icudt78l/confusables.cfu",
  "icudt78l/en_GB.res",
  "icudt78l/nfkc.nrm",
  "icudt78l/pool.res",
  "icudt78l/timezoneTypes.res",
  "icudt78l/translit/en.txt",
  "icudt78l/uemoji.icu",
  "icudt78l/zone/supplementalData.res",
  "icudt78l/zu.res",
];
const keptNames = [
  "icudt78l/brkitr/word.brk",
  "icudt78l/coll/en_US.res",
  "icudt78l/nfkc.nrm",
  "icudt78l/pool.res",
  "icudt78l/timezoneTypes.res",
  "icudt78l/uemoji.icu",
  "icudt78l/zone/supplementalData.res",
];

function archive({ names = allNames, last = frame, entries, count }: Shape = {}): Buffer {
  const texts = names.map((name) => Buffer.from(`${name}\0`, "latin1"));
  const data = names.map((name, i) =>
    i === names.length - 1 ? last : Buffer.from(`data of ${name}`.padEnd(48, ".")),
  );
  const table: { name: number; data: number }[] = [];
  let name = 4 + names.length * 8;
  let at = Math.ceil((name + Buffer.concat(texts).length) / 16) * 16;
  for (const [i, text] of texts.entries()) {
    table.push({ name, data: at });
    name += text.length;
    at += Math.ceil((data[i]?.length ?? 0) / 16) * 16;
  }
  const result = Buffer.alloc(at);
  for (const [i, one] of table.entries()) {
    result.set(texts[i] ?? [], one.name);
    result.set(data[i] ?? [], one.data);
  }
  entries?.(table);
  result.writeUInt32LE(count ?? names.length, 0);
  for (const [i, one] of table.entries()) {
    result.writeUInt32LE(one.name, 4 + i * 8);
    result.writeUInt32LE(one.data, 8 + i * 8);
  }
  return Buffer.concat([header, result]);
}

const placed = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.alloc(4096, 0xaa), bytes, Buffer.alloc(64, 0xbb)]);

test("what belongs to a language goes, but for English; the rest stays as it was", () => {
  const file = placed(archive());
  const { start, end, archive: reduced, items, kept } = reduceIcu(file);
  expect({ start, items, kept }).toEqual({ start: 4096, items: 15, kept: keptNames });
  // The last item's padding is not its own.
  expect(end).toBe(4096 + archive().length - 4);

  const before = readIcu(file, start);
  const after = readIcu(reduced, 0, reduced.length);
  expect(Buffer.from(after.header)).toEqual(header);
  expect(after.items).toEqual(before.items.filter(({ name }) => keptNames.includes(name)));
});

test("what was reduced once is reduced no further", () => {
  // The last one that is kept is a frame, as it must be to be found again.
  const names = allNames.slice(0, 13);
  const once = reduceIcu(placed(archive({ names })));
  const twice = reduceIcu(placed(once.archive));
  expect(twice.archive).toEqual(once.archive);
  expect(twice.items).toBe(once.kept.length);
});

describe("refused is", () => {
  test.each<[string, Uint8Array, string]>([
    ["no archive", Buffer.alloc(8192), "is not in this runtime"],
    ["an archive without the size before it", archive().subarray(2), "is not in this runtime"],
    ["two archives", Buffer.concat([archive(), archive()]), "more than once"],
    ["an empty table", archive({ count: 0 }), "empty or longer"],
    ["a table longer than the file", archive({ count: 100_000 }), "empty or longer"],
    ["names out of order", archive({ names: [...allNames].reverse() }), "names are not in order"],
    ["a name twice", archive({ names: ["icudt78l/a.res", "icudt78l/a.res"] }), "not in order"],
    ["a name that is none", archive({ names: ["icudt78l/a b.res"] }), "names no item"],
    ["a name outside", archive({ names: ["../../a.res"] }), "names no item"],
    ["no frame at the end", archive({ last: Buffer.alloc(16, 1) }), "no zstd frame"],
    ["a frame that goes on", archive({ last: frame.with(7, 0xff) }), "longer than the file"],
    ["a reserved block", archive({ last: frame.with(6, 0x1f) }), "reserved type"],
    [
      "items out of order",
      archive({ entries: (all) => ([all[3], all[4]] = [all[4] as never, all[3] as never]) }),
      "not in order",
    ],
    ["an item off its place", archive({ entries: shift("data", 3, 1) }), "not in order"],
    ["a name within the table", archive({ entries: shift("name", 0, -8) }), "not in order"],
    ["a name within the data", archive({ entries: shift("name", 14, 4096) }), "reach into"],
  ])("%s", (_, file, message) => {
    expect(() => reduceIcu(file)).toThrow(message);
  });

  test("every archive that is cut short", () => {
    const whole = archive();
    for (let length = 0; length < whole.length - 4; length++) {
      expect(() => reduceIcu(Uint8Array.from(whole.subarray(0, length)))).toThrow();
    }
    expect(reduceIcu(Uint8Array.from(whole)).items).toBe(15);
  });
});

function shift(field: "name" | "data", index: number, by: number) {
  return (all: { name: number; data: number }[]) => {
    const one = all[index];
    if (one !== undefined) one[field] += by;
  };
}

// What zstd itself writes: with and without a content size, a checksum, blocks of all kinds
needing("zstd").describe("the end of a frame", () => {
  const random = Buffer.from(Bun.sha("seed", "hex")).toString("hex");
  test.each([
    ["nothing", "", []],
    ["text", "text", []],
    ["a repeated byte", "a".repeat(300_000), []],
    ["several blocks", random.repeat(4_000), ["-1"]],
    ["without a checksum", random, ["--no-check"]],
    ["without a size", random.repeat(2_000), ["--no-content-size"]],
    ["a long window", random.repeat(9_000), ["--long=27"]],
  ])("of %s", async (_, text, options) => {
    const child = Bun.spawn(["zstd", "-q", "-c", ...options], {
      stdin: Buffer.from(text),
      stdout: "pipe",
    });
    const bytes = await new Response(child.stdout).bytes();
    expect(await child.exited).toBe(0);
    const file = Buffer.concat([Buffer.alloc(7), bytes, Buffer.alloc(9, 0xff)]);
    expect(frameEnd(file, 7)).toBe(7 + bytes.length);
  });
});
