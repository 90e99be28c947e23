/** The archives of a release, as other programs read them. */
import { expect, test } from "bun:test";
import { ar, tar } from "../../../build/release/tar.ts";
import { needing } from "../../needs.ts";

const encoder = new TextEncoder();
const file = (path: string, text = path, mode: 0o644 | 0o755 = 0o644) => ({
  path,
  mode,
  data: encoder.encode(text),
});

async function listed(archive: Uint8Array, ...options: string[]): Promise<string[]> {
  const child = Bun.spawn(["tar", ...options], { stdin: archive, env: { TZ: "UTC", LC_ALL: "C" } });
  const text = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return text.trim().split("\n");
}

needing("tar").test("tar lists folders before their files, owned by root", async () => {
  const archive = tar([file("b/c/d", "x".repeat(513), 0o755), file("a")], 86_400, "top/");
  expect(archive.length % 512).toBe(0);
  const lines = await listed(archive, "-tvf", "-");
  expect(lines.map((line) => line.replace(/ +/g, " "))).toEqual([
    "drwxr-xr-x root/root 0 1970-01-02 00:00 top/",
    "-rw-r--r-- root/root 1 1970-01-02 00:00 top/a",
    "drwxr-xr-x root/root 0 1970-01-02 00:00 top/b/",
    "drwxr-xr-x root/root 0 1970-01-02 00:00 top/b/c/",
    "-rwxr-xr-x root/root 513 1970-01-02 00:00 top/b/c/d",
  ]);
});

needing("tar").test("tar reads paths of every length that ustar holds", async () => {
  const paths = [99, 100, 101, 150, 200, 255].map((length) => {
    const folder = "f".repeat(Math.min(154, Math.max(20, length - 90)));
    return `${folder}/${"n".repeat(length - folder.length - 1)}`;
  });
  const archive = tar(
    paths.map((path) => file(path)),
    0,
  );
  const lines = await listed(archive, "-tf", "-");
  expect(lines.filter((line) => !line.endsWith("/")).sort()).toEqual(paths.sort());
  expect(await listed(archive, "-xOf", "-", paths[5] ?? "")).toEqual([paths[5] ?? ""]);
});

test("a path that ustar cannot hold is refused", () => {
  expect(() => tar([file("n".repeat(101))], 0)).toThrow("too long for an archive");
  expect(() => tar([file(`${"f".repeat(156)}/n`)], 0)).toThrow("too long for an archive");
  expect(() => tar([file(`f/${"ä".repeat(51)}`)], 0)).toThrow("too long for an archive");
});

test("the order in which files are given changes nothing", () => {
  const files = [file("b"), file("a/c"), file("a/b")];
  expect(tar(files.toReversed(), 1)).toEqual(tar(files, 1));
});

needing("ar").test("ar reads what ar writes, of odd and even lengths", async () => {
  const path = `${process.env["TMPDIR"] ?? "/tmp"}/aegis-kexec-${process.pid}.ar`;
  const odd = encoder.encode("odd");
  const archive = ar(
    [
      ["one", odd],
      ["two", encoder.encode("even")],
      ["three", odd],
    ],
    5,
  );
  await Bun.write(path, archive);
  const read = (name: string) => Bun.$`ar p ${path} ${name}`.text();
  expect(await Bun.$`ar t ${path}`.text()).toBe("one\ntwo\nthree\n");
  expect([await read("one"), await read("two"), await read("three")]).toEqual([
    "odd",
    "even",
    "odd",
  ]);
  await Bun.file(path).delete();
});
