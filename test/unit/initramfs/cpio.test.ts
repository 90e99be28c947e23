import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { lutimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  archiveChunks,
  archivePath,
  archiveTrailer,
  type CpioEntry,
  encodeArchive,
  entryHeader,
  paddingAfter,
  parentDirectories,
} from "../../../src/initramfs/cpio.ts";
import { needing } from "../../needs.ts";
import { boot, lookup } from "./kernel.ts";
import { bytes, refusal } from "./samples.ts";

const entries: readonly CpioEntry[] = [
  { type: "directory", path: "/etc", mode: 0o750 },
  { type: "file", path: "/etc/passwd", data: bytes("root\n") },
  { type: "file", path: "empty", data: new Uint8Array(0), mode: 0o4755 },
  { type: "file", path: "größe", data: bytes("1234") },
  { type: "symlink", path: "link", target: "etc/passwd" },
];
const withCpio = needing("cpio");

async function cpio(args: string[], input: Uint8Array, cwd: string): Promise<Buffer> {
  const child = Bun.spawn(["cpio", "--quiet", ...args], {
    cwd,
    stdin: input,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
  });
  const [output, complaint] = await Promise.all([
    new Response(child.stdout).arrayBuffer(),
    new Response(child.stderr).text(),
  ]);
  expect(complaint).toBe("");
  expect(await child.exited).toBe(0);
  return Buffer.from(output);
}

withCpio.test("cpio writes the same bytes but for inode numbers", async () => {
  const root = mkdtempSync(join(tmpdir(), "cpio-"));
  try {
    for (const entry of entries) {
      const path = join(root, entry.path);
      if (entry.type === "directory") mkdirSync(path);
      if (entry.type === "file") await writeFile(path, entry.data);
      if (entry.type === "symlink") symlinkSync(entry.target, path);
      if (entry.type === "directory") chmodSync(path, entry.mode ?? 0o755);
      if (entry.type === "file") chmodSync(path, entry.mode ?? 0o644);
    }
    for (const entry of entries) {
      const path = join(root, entry.path);
      if (entry.type === "symlink") await lutimes(path, 0, 0);
      else utimesSync(path, 0, 0);
    }
    const names = entries.map((entry) => `${archivePath(entry.path)}\n`).join("");
    const args = ["-o", "-H", "newc", "--reproducible", "-R", "+0:+0"];
    const theirs = await cpio(args, bytes(names), root);
    const ours = Buffer.from(encodeArchive(entries));
    // Inode numbers and the link count of directories are the file system's; blocks of 512 are theirs.
    const masked = (archive: Buffer) =>
      archive
        .toString("latin1")
        .replace(/\0+$/, "")
        .replace(/070701[0-9A-F]{8}([0-9A-F]{24})[0-9A-F]{8}/g, "070701inode---$1links---");
    expect(masked(ours)).toBe(masked(theirs));
    expect(masked(ours)).toContain("inode");
  } finally {
    rmSync(root, { recursive: true });
  }
});

withCpio.test("cpio lists what was written", async () => {
  const device = { type: "character-device", path: "console", major: 5, minor: 1 } as const;
  const ascii = entries.filter(({ path }) => path !== "größe");
  const archive = encodeArchive([...ascii, device]);
  const listing = (await cpio(["-itv", "--numeric-uid-gid"], archive, "/")).toString();
  const lines = listing.split("\n").map((line) => line.replace(/ +/g, " ").trim());
  expect(lines).toEqual([
    "drwxr-x--- 2 0 0 0 Jan 1 1970 etc",
    "-rw-r--r-- 1 0 0 5 Jan 1 1970 etc/passwd",
    "-rwsr-xr-x 1 0 0 0 Jan 1 1970 empty",
    "lrwxrwxrwx 1 0 0 10 Jan 1 1970 link -> etc/passwd",
    "crw------- 1 0 0 5, 1 Jan 1 1970 console",
    "",
  ]);
});

test("a header has the fields of the format, in its order", () => {
  const header = entryHeader(
    { type: "character-device", path: "/dev/x", mode: 0o640, uid: 1, gid: 2, major: 3, minor: 4 },
    0,
    0xabcdef,
  );
  expect(Buffer.from(header).toString("latin1")).toBe(
    `070701${"00ABCDEF"}${"000021A0"}${"00000001"}${"00000002"}${"00000001"}${"00000000"}` +
      `${"00000000"}${"00000000"}${"00000000"}${"00000003"}${"00000004"}${"00000006"}` +
      `${"00000000"}dev/x\0`,
  );
});

test("header, data and padding by hand give the same archive", () => {
  const data = bytes("12345");
  const file = { type: "file", path: "etc/key", mode: 0o400 } as const;
  const byHand = Buffer.concat([
    entryHeader(file, data.length),
    data,
    new Uint8Array(paddingAfter(data.length)),
    archiveTrailer(),
  ]);
  expect(Buffer.from(encodeArchive([{ ...file, data }]))).toEqual(byHand);
});

test("every name length and data size leaves the next header aligned", () => {
  for (let length = 1; length <= 8; length += 1) {
    expect(entryHeader({ type: "directory", path: "n".repeat(length) }).length % 4).toBe(0);
    const data = new Uint8Array(length).fill(120);
    const archive = encodeArchive([
      { type: "file", path: "f".repeat(length), data },
      { type: "file", path: "after", data },
    ]);
    const { root, error } = boot(archive);
    expect(error).toBeUndefined();
    expect(lookup(root, "after")?.data).toBe("x".repeat(length));
    expect(archive.length % 4).toBe(0);
  }
});

test("file data is passed on, not copied", () => {
  const data = bytes("large");
  expect([...archiveChunks([{ type: "file", path: "f", data }])]).toContain(data);
});

test("inode numbers count up and the same entries give the same bytes", () => {
  expect(encodeArchive(entries)).toEqual(encodeArchive(entries));
  const inodes = [...archiveChunks(entries)]
    .map((chunk) => Buffer.from(chunk).toString("latin1"))
    .filter((text) => text.startsWith("070701"))
    .map((text) => Number.parseInt(text.slice(6, 14), 16));
  expect(inodes).toEqual([721, 722, 723, 724, 725, 0]);
});

test("only directories have a link count over 1, which would make the kernel look for links", () => {
  for (const type of ["file", "directory", "removal"] as const) {
    const links = Buffer.from(entryHeader({ type, path: "x" })).toString("latin1", 38, 46);
    expect(links).toBe(type === "directory" ? "00000002" : "00000001");
  }
});

test.each([
  ["", "it is empty"],
  ["/", "it is empty"],
  ["//etc", "has an empty component"],
  ["etc//x", "has an empty component"],
  ["etc/", "has an empty component"],
  ["./etc", 'contains "."'],
  ["etc/../x", 'contains ".."'],
  ["/..", 'contains ".."'],
  ["a\0b", "contains a NUL"],
  ["\ud800", "not valid Unicode"],
  ["TRAILER!!!", "marks the end"],
  ["x".repeat(256), "longer than 255 bytes"],
  ["ü".repeat(128), "longer than 255 bytes"],
  ["abc/".repeat(1024).slice(0, -1).concat("d"), "longer than 4095 bytes"],
])("a bad path is refused: %#", (path, why) => {
  const error = refusal(() => entryHeader({ type: "directory", path }));
  expect(error.code).toBe("malformed-input");
  expect(error.message).toContain(why);
});

test("the longest names fit", () => {
  const path = "abc/".repeat(1024).slice(0, -1);
  expect(path.length).toBe(4095);
  expect(archivePath(path)).toBe(path);
  expect(archivePath(`/${"x".repeat(255)}`)).toBe("x".repeat(255));
  expect(archivePath("..a/...")).toBe("..a/...");
});

test.each([
  () => entryHeader({ type: "file", path: "f" }, 2 ** 32),
  () => entryHeader({ type: "file", path: "f" }, -1),
  () => entryHeader({ type: "file", path: "f" }, 1.5),
  () => entryHeader({ type: "file", path: "f", mode: 0o10000 }),
  () => entryHeader({ type: "file", path: "f", uid: 2 ** 32 }),
  () => entryHeader({ type: "file", path: "f", gid: Number.NaN }),
  () => entryHeader({ type: "character-device", path: "f", major: 4096, minor: 0 }),
  () => entryHeader({ type: "character-device", path: "f", major: 0, minor: 2 ** 20 }),
  () => encodeArchive([{ type: "symlink", path: "l", target: "" }]),
  () => encodeArchive([{ type: "symlink", path: "l", target: "a\0b" }]),
  () => encodeArchive([{ type: "symlink", path: "l", target: "x".repeat(4096) }]),
])("what the format cannot hold is refused: %#", (call) => {
  expect(refusal(call).code).toBe("malformed-input");
});

test("the largest size fits", () => {
  const header = Buffer.from(entryHeader({ type: "file", path: "f" }, 2 ** 32 - 1));
  expect(header.toString("latin1", 54, 62)).toBe("FFFFFFFF");
});

test("parents come once, from the top down, and not where they are given", () => {
  expect(parentDirectories(["/etc/keys/a/k", "etc/keys/b", "x"])).toEqual([
    "etc",
    "etc/keys",
    "etc/keys/a",
  ]);
  expect(parentDirectories(["etc", "etc/keys/b"])).toEqual(["etc/keys"]);
  expect(parentDirectories([])).toEqual([]);
});
