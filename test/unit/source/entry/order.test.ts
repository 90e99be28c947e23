import { describe, expect, test } from "bun:test";
import {
  compareEntries,
  isNamed,
  readEntryName,
  type Sortable,
} from "../../../../src/source/entry/order.ts";

function entry(name: string, facts: Partial<Sortable> = {}): Sortable {
  const read = readEntryName(name);
  if (read === undefined) throw new Error(`${name} is no entry`);
  return { sortKey: undefined, machineId: undefined, version: undefined, ...read, ...facts };
}

test.each(["a b.conf", "é.conf", "a~1@x.conf", "\udce4.conf", "a\nb.conf"])(
  "%p is a name",
  (name) => {
    expect(readEntryName(name)?.id).toBe(name);
  },
);

describe("names", () => {
  test.each([
    ["a.conf", { id: "a.conf", triesLeft: undefined, triesDone: undefined }],
    ["a+3.conf", { id: "a.conf", triesLeft: 3, triesDone: 0 }],
    ["a+0-3.efi", { id: "a.efi", triesLeft: 0, triesDone: 3 }],
    ["a+1+2-1.conf", { id: "a+1.conf", triesLeft: 2, triesDone: 1 }],
    ["A.CONF", { id: "A.CONF", triesLeft: undefined, triesDone: undefined }],
    // No counter: in the middle, not a number, more than there can be.
    ["a+1.b.conf", { id: "a+1.b.conf", triesLeft: undefined, triesDone: undefined }],
    ["a+x.conf", { id: "a+x.conf", triesLeft: undefined, triesDone: undefined }],
    ["a+1-.conf", { id: "a+1-.conf", triesLeft: undefined, triesDone: undefined }],
    ["a+2147483648.conf", { id: "a+2147483648.conf", triesLeft: undefined, triesDone: undefined }],
  ])("%s", (name, read) => {
    expect(readEntryName(name)).toEqual(read);
  });

  test.each(["a", ".conf", ".a.conf", "a.conf.bak"])("%p is none", (name) => {
    expect(readEntryName(name)).toBeUndefined();
  });

  test("an id is found with and without its suffix, in any case", () => {
    expect(isNamed("debian-6.1.conf", "debian-6.1")).toBe(true);
    expect(isNamed("debian-6.1.conf", "Debian-6.1.CONF")).toBe(true);
    expect(isNamed("debian-6.1.conf", "debian-6")).toBe(false);
    expect(isNamed("debian-6.1.efi", "debian-6.1.conf")).toBe(false);
  });
});

test("the order of a menu", () => {
  // From first to last, each for the reason beside it.
  const ordered = [
    entry("z.conf", { sortKey: "arch", machineId: "1", version: "1" }), // sort-key
    entry("y.conf", { sortKey: "debian", version: "9" }), // no machine-id: lower
    entry("x.conf", { sortKey: "debian", machineId: "1", version: "10" }), // newer first
    entry("w.conf", { sortKey: "debian", machineId: "1", version: "9" }),
    entry("v.conf", { sortKey: "debian", machineId: "1" }), // no version: the oldest
    entry("u.conf", { sortKey: "debian", machineId: "2", version: "99" }), // machine-id
    entry("k-2.conf", { version: "1" }), // no sort-key: the file's name, newer first
    entry("k-1.conf", { version: "2" }),
    entry("j-1+3.conf"), // more tries left first
    entry("j-1+2-1.conf"),
    entry("a+0-3.conf", { sortKey: "arch", version: "3" }), // bad
    entry("b-2+0.conf"),
  ];
  const shuffles = [ordered.toReversed(), [...ordered.slice(5), ...ordered.slice(0, 5)]];
  for (const shuffled of shuffles) {
    expect(shuffled.sort(compareEntries).map(({ id }) => id)).toEqual(ordered.map(({ id }) => id));
  }
});

test("an entry whose boots are not counted stands before a counted one of its name", () => {
  const [first] = [entry("a+2.conf"), entry("a.conf")].sort(compareEntries);
  expect(first?.triesLeft).toBeUndefined();
});
