import { expect, test } from "bun:test";
import { archiveTrailer, encodeArchive, entryChunks } from "../../../src/initramfs/cpio.ts";
import { planInjection } from "../../../src/initramfs/inject.ts";
import { reservedName } from "../../../src/initramfs/newc.ts";
import { parentEntries } from "../../../src/initramfs/parents.ts";
import { boot, lookup } from "./kernel.ts";
import { bytes, concat, refusal } from "./samples.ts";

const written = encodeArchive([
  { type: "directory", path: "etc", mode: 0o700, uid: 5, gid: 7 },
  { type: "directory", path: "empty", mode: 0o711 },
  { type: "directory", path: "usr" },
  { type: "directory", path: "usr/lib", mode: 0o1777, uid: 9 },
  { type: "symlink", path: "lib", target: "usr/lib" },
  { type: "symlink", path: "dangling", target: "nowhere" },
  { type: "file", path: "file", data: bytes("was a file") },
]);
/** With a time of its own, so that a directory that was touched shows it. */
const base = bytes(
  Buffer.from(written)
    .toString("latin1")
    .replace(/(070701[0-9A-F]{40})00000000/g, "$100000007"),
);

function bootWith(...files: string[]) {
  const injected = concat(
    ...parentEntries(files),
    ...entryChunks(files.map((path) => ({ type: "file", path, data: bytes(path) }))),
    archiveTrailer(),
  );
  const { root, error } = boot(concat(base, injected));
  expect(error).toBeUndefined();
  for (const path of files) expect(lookup(root, path)?.data).toBe(path);
  expect(root.children.has(reservedName)).toBe(false);
  return root;
}

test("existing directories keep mode, owner and contents, through links too", () => {
  const before = boot(base).root;
  const root = bootWith("etc/keys/a", "empty/x", "lib/deep/z");
  for (const path of ["etc", "empty", "usr/lib", "usr"]) {
    const { children: _, ...facts } = lookup(before, path) ?? {};
    expect(lookup(root, path)).toMatchObject(facts);
    expect(facts).toMatchObject({ time: 7 });
  }
  expect(root.children.get("lib")?.kind).toBe("symlink");
  expect([...(lookup(root, "empty")?.children.keys() ?? [])]).toEqual(["x"]);
  expect([...(lookup(root, "etc")?.children.keys() ?? [])]).toEqual(["keys"]);
});

test("missing directories are made, root's and 0755", () => {
  const root = bootWith("new/deep/z", "etc/keys/a");
  for (const path of ["new", "new/deep", "etc/keys"]) {
    expect(lookup(root, path)).toMatchObject({ kind: "directory", mode: 0o755, owner: "0:0" });
  }
});

test("what is in the way of a directory is replaced", () => {
  const root = bootWith("dangling/q", "file/r");
  expect(root.children.get("dangling")?.kind).toBe("directory");
  expect(root.children.get("file")?.kind).toBe("directory");
});

test("a plain directory entry does disturb, and without parents a file is dropped", () => {
  const directory = encodeArchive([{ type: "directory", path: "etc" }]);
  expect(lookup(boot(concat(base, directory)).root, "etc")).toMatchObject({ mode: 0o755 });
  const orphan = encodeArchive([{ type: "file", path: "new/x", data: bytes("x") }]);
  expect(lookup(boot(concat(base, orphan)).root, "new/x")).toBeUndefined();
});

test("files at the root need no entries, and a path too long for the way is refused", () => {
  expect(parentEntries(["/init"])).toEqual([]);
  const long = `${"abc/".repeat(950)}x`;
  expect(refusal(() => parentEntries([long])).code).toBe("malformed-input");
});

test("a planned injection has its parts in order and its files where they belong", () => {
  const files = [
    { destination: "/etc/keys/a", mode: 0o400, size: 5 },
    { destination: "/empty-key", mode: 0o600, size: 0 },
    { destination: "/file", mode: 0o440, size: 4 },
  ];
  const plan = planInjection(files);
  const archive = new Uint8Array(plan.size).fill(0xee);
  let end = 0;
  for (const part of plan.parts) {
    expect(part.at).toBe(end);
    if ("bytes" in part) archive.set(part.bytes, part.at);
    else archive.fill(65 + part.file, part.at, part.at + part.length);
    end += "bytes" in part ? part.bytes.length : part.length;
  }
  expect(end).toBe(plan.size);
  expect(plan.size % 4).toBe(0);

  const linked = boot(base).root;
  expect(lookup(linked, "file")?.data).toBe("was a file");
  const { root, error } = boot(concat(base, archive));
  expect(error).toBeUndefined();
  expect(lookup(root, "etc/keys/a")).toMatchObject({ mode: 0o400, owner: "0:0", data: "AAAAA" });
  expect(lookup(root, "empty-key")).toMatchObject({ kind: "file", mode: 0o600, data: "" });
  expect(lookup(root, "file")).toMatchObject({ mode: 0o440, data: "CCCC" });
});

test("what is at a destination is removed before, never written over", () => {
  const texts = planInjection([{ destination: "/file", mode: 0o400, size: 1 }]).parts.map((part) =>
    "bytes" in part ? Buffer.from(part.bytes).toString("latin1", 14, 22) : "data",
  );
  expect(texts.slice(0, 3)).toEqual(["00000000", "00008100", "data"]);
});
