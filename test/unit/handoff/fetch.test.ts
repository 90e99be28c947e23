/** Storing a generation: whole or not at all, gone on with, and who has to go for it. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fetch } from "../../../src/handoff/fetch.ts";
import { leftovers, superfluous } from "../../../src/handoff/storing/keep.ts";
import { lockFolder } from "../../../src/linux/device/writing.ts";
import { Folder } from "../../../src/linux/file.ts";
import { libc } from "../../../src/linux/libc.ts";
import { signerOf } from "../trust/signer.ts";

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

const signer = signerOf("11".repeat(32));
const key = join(folder(), "org.pub");
writeFileSync(key, signer.minisignKey());

function folder(): string {
  const root = mkdtempSync(join(tmpdir(), "aegis-fetch-"));
  roots.push(root);
  return root;
}

interface Made {
  readonly generation: number;
  readonly files?: Readonly<Record<string, string>>;
  readonly isSigned?: boolean;
  readonly cmdline?: string;
}

/** A generation in a folder. @returns its manifest's path */
function made(root: string, { generation, files = {}, isSigned = true, cmdline = "x" }: Made) {
  const all = { "boot/vmlinuz": `kernel ${generation} `.repeat(9000), ...files };
  const listed = Object.entries(all).map(([path, bytes]) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), bytes);
    const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    return { path, size: bytes.length, sha256 };
  });
  const [kernel, ...initrds] = listed;
  const { architecture } = libc();
  const manifest = { format: "aegis-kexec/1", generation, architecture, kernel, initrds, cmdline };
  const text = JSON.stringify(manifest);
  const path = join(root, "boot.json");
  writeFileSync(path, text);
  if (isSigned) {
    writeFileSync(`${path}.minisig`, signer.minisign(new TextEncoder().encode(text)));
  }
  return path;
}

/** A generation of a store. */
function inStore(store: string, name: string, one: Made): void {
  mkdirSync(join(store, name));
  made(join(store, name), one);
}

const all = (root: string) =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => [name, existsSync(join(root, name))]);

describe("fetch", () => {
  test("stores what verifies, with its signature, and finds it there the second time", async () => {
    const [from, store] = [folder(), folder()];
    const source = made(from, { generation: 42, files: { initrd: "archive" } });
    const report = await fetch({ source, store, trust: [key] });
    expect(report).toMatchObject({ path: `${store}/42+3`, stored: true, resumed: 0, removed: [] });
    expect(report.trust?.signer.key).toBe(key);
    expect(readdirSync(join(store, "42+3")).sort()).toEqual([
      ...["boot", "boot.json", "boot.json.minisig", "initrd"],
    ]);
    expect(readFileSync(join(store, "42+3/boot/vmlinuz"), "utf8")).toContain("kernel 42");
    expect(readdirSync(store)).toEqual(["42+3"]);
    expect(await fetch({ source, store, trust: [key] })).toMatchObject({ stored: false });
  });

  test.each([
    ["a link", symlinkSync],
    ["a link with nothing behind it", (_: string, path: string) => symlinkSync("gone", path)],
    ["a folder", (_: string, path: string) => mkdirSync(join(path, "x"), { recursive: true })],
    ["a pipe", (_: string, path: string) => void Bun.spawnSync(["mkfifo", path])],
    ["a file", (_: string, path: string) => writeFileSync(path, "left")],
  ])("stores though %s was left in the place of what it writes", async (_, put) => {
    for (const place of [".3.part", ".3.part/boot", ".3.part/boot/vmlinuz", ".3.old"]) {
      const [from, store, elsewhere] = [folder(), folder(), folder()];
      const source = made(from, { generation: 3 });
      const target = join(elsewhere, "target");
      if (place.endsWith("vmlinuz")) writeFileSync(target, "precious");
      else mkdirSync(target);
      if (!place.endsWith("vmlinuz")) writeFileSync(join(target, "vmlinuz"), "precious");
      mkdirSync(join(store, place, ".."), { recursive: true });
      put(target, join(store, place));
      const before = all(elsewhere);
      expect(await fetch({ source, store, trust: [key] })).toMatchObject({ stored: true });
      expect(readdirSync(store)).toEqual(["3+3"]);
      expect(all(elsewhere)).toEqual(before);
      const kept = place.endsWith("vmlinuz") ? target : join(target, "vmlinuz");
      expect(readFileSync(kept, "utf8")).toBe("precious");
      expect(await fetch({ source, store, trust: [key] })).toMatchObject({ stored: false });
    }
  });

  test("takes the highest of a store that verifies, or the one that is named", async () => {
    const [from, store] = [folder(), folder()];
    inStore(from, "7", { generation: 7 });
    inStore(from, "8+1", { generation: 8 });
    inStore(from, "9", { generation: 9, isSigned: false });
    expect(await fetch({ source: from, store, trust: [key] })).toMatchObject({ generation: 8 });
    const named = await fetch({ source: from, store, trust: [key], entry: "7" });
    expect(named).toMatchObject({ generation: 7 });
    const missing = fetch({ source: from, store, trust: [key], entry: "5" });
    await expect(missing).rejects.toMatchObject({ code: "file-not-found" });
  });

  test("leaves the store as it was where the source does not verify", async () => {
    const [from, store] = [folder(), folder()];
    inStore(store, "41", { generation: 41 });
    const before = all(store);
    const source = made(from, { generation: 42 });
    writeFileSync(join(from, "boot/vmlinuz"), "Kernel 42 ".repeat(9000));
    const changed = fetch({ source, store, trust: [key] });
    await expect(changed).rejects.toMatchObject({ code: "digest-mismatch", exit: 5 });
    expect(all(store).filter(([name]) => !String(name).startsWith("."))).toEqual(before);
    made(from, { generation: 42 });
    rmSync(`${source}.minisig`);
    const unsigned = fetch({ source, store, trust: [key] });
    await expect(unsigned).rejects.toMatchObject({ code: "no-signature" });
    const low = fetch({
      source: made(from, { generation: 42 }),
      store,
      trust: [key],
      minGeneration: 43,
    });
    await expect(low).rejects.toMatchObject({ code: "generation-too-low" });
    const none = fetch({ source: join(from, "boot/vmlinuz"), store });
    await expect(none).rejects.toMatchObject({ code: "usage" });
  });

  test("goes on with what was begun, and begins anew where that is something else", async () => {
    const [from, store] = [folder(), folder()];
    const source = made(from, { generation: 5 });
    const whole = readFileSync(join(from, "boot/vmlinuz"));
    const begun = join(store, ".5.part/boot");
    mkdirSync(begun, { recursive: true });
    writeFileSync(join(begun, "vmlinuz"), whole.subarray(0, 50_000));
    writeFileSync(join(store, ".5.part/boot.json.sig"), "of another attempt");
    const report = await fetch({ source, store, trust: [key] });
    expect(report).toMatchObject({ stored: true, resumed: 50_000, written: whole.length - 50_000 });
    expect(existsSync(join(store, "5+3/boot.json.sig"))).toBe(false);
    for (const other of ["x".repeat(50_000), "x".repeat(whole.length), "x".repeat(200_000)]) {
      rmSync(join(store, "5+3"), { recursive: true });
      mkdirSync(begun, { recursive: true });
      writeFileSync(join(begun, "vmlinuz"), other);
      expect(await fetch({ source, store, trust: [key] })).toMatchObject({ resumed: 0 });
      expect(readFileSync(join(store, "5+3/boot/vmlinuz"))).toEqual(whole);
    }
  });

  test("writes through no link that lies in its way, and removes none's target", async () => {
    const [from, store, other] = [folder(), folder(), folder()];
    const source = made(from, { generation: 5 });
    writeFileSync(join(other, "vmlinuz"), "mine");
    mkdirSync(join(store, ".5.part"));
    symlinkSync(other, join(store, ".5.part/boot"));
    symlinkSync(other, join(store, ".5.part/more"));
    expect(await fetch({ source, store })).toMatchObject({ stored: true });
    expect(readFileSync(join(other, "vmlinuz"), "utf8")).toBe("mine");
    expect(existsSync(join(store, "5+3/more"))).toBe(false);
  });

  test("replaces one of its number that does not verify, and refuses beside one that does", async () => {
    const [from, store] = [folder(), folder()];
    const source = made(from, { generation: 6 });
    inStore(store, "6+1-2", { generation: 6 });
    writeFileSync(join(store, "6+1-2/boot/vmlinuz"), "damaged");
    const warnings: string[] = [];
    const warn = (line: string) => void warnings.push(line);
    expect(await fetch({ source, store, trust: [key] }, { warn })).toMatchObject({ stored: true });
    expect(warnings.join()).toContain("6+1-2 is replaced");
    expect(readdirSync(store)).toEqual(["6+3"]);
    const another = made(folder(), { generation: 6, cmdline: "other" });
    const refused = fetch({ source: another, store, trust: [key] });
    await expect(refused).rejects.toMatchObject({ code: "malformed-input" });
    expect(readdirSync(store)).toEqual(["6+3"]);
  });

  test("keeps the newest, the last good one among them, and what it does not know", async () => {
    const store = folder();
    mkdirSync(join(store, "2020"));
    writeFileSync(join(store, "2020/notes"), "mine");
    for (const [name, generation] of [
      ["1", 1],
      ["2", 2],
      ["3+1-2", 3],
      ["4+0-3", 4],
    ] as const) {
      inStore(store, name, { generation });
    }
    mkdirSync(join(store, ".3.part"));
    mkdirSync(join(store, ".9.part"));
    const source = made(folder(), { generation: 5 });
    const report = await fetch({ source, store, trust: [key], keep: 2 });
    expect(report.removed).toEqual(["3+1-2", "1"]);
    expect(readdirSync(store).sort()).toEqual([".9.part", "2", "2020", "4+0-3", "5+3"]);
  });

  test("waits for nobody who fetches into the same store", async () => {
    const [from, store] = [folder(), folder()];
    const source = made(from, { generation: 5 });
    using opened = Folder.open(store);
    {
      using _ = lockFolder(opened);
      await expect(fetch({ source, store })).rejects.toMatchObject({ code: "busy", exit: 10 });
    }
    expect(await fetch({ source, store })).toMatchObject({ stored: true });
  });

  test("refuses files that would lie where manifest and signature lie", async () => {
    const store = folder();
    const source = made(folder(), { generation: 5, files: { "BOOT.json.sig": "x" } });
    await expect(fetch({ source, store })).rejects.toMatchObject({ code: "malformed-input" });
    expect(readdirSync(store)).toEqual([]);
  });

  test("refuses what another architecture starts, and a store that is none", async () => {
    const [from, store] = [folder(), folder()];
    const source = made(from, { generation: 5 });
    const text = readFileSync(source, "utf8");
    const { architecture } = libc();
    const other = architecture === "x86_64" ? "aarch64" : "x86_64";
    writeFileSync(source, text.replace(architecture, other));
    await expect(fetch({ source, store })).rejects.toMatchObject({ code: "wrong-architecture" });
    writeFileSync(source, text);
    const file = fetch({ source, store: source, trust: [key] });
    await expect(file).rejects.toMatchObject({ code: "usage" });
    const none = fetch({ source, store: join(store, "none"), trust: [key] });
    await expect(none).rejects.toMatchObject({ code: "file-not-found" });
  });
});

test("what has to go: never the running one, the last good one or the new one", () => {
  const judged = (name: string, triesLeft: number | undefined, more = {}) => ({
    one: { name, id: name, generation: Number(name), triesLeft },
    verifies: true,
    running: false,
    ...more,
  });
  const store = [
    judged("9", 3),
    judged("8", 2),
    judged("7", undefined, { verifies: false }),
    judged("6", 0, { running: true }),
    judged("5", undefined),
    judged("4", undefined),
  ];
  expect(superfluous(store, 1, "9")).toEqual(["8", "4", "7"]);
  expect(superfluous(store, 3, "9")).toEqual(["4", "7"]);
  expect(superfluous(store, 1, "4")).toEqual(["8", "7"]);
  expect(superfluous(store, 9, "9")).toEqual([]);
});

test("what was cut off is cleared, but on FAT not where it may be what has its name", () => {
  const names = [".3.part", ".4.old", "4+1", ".5.part", ".12.part", ".x.part", "3"];
  expect(leftovers(names, 5, false)).toEqual([".3.part", ".4.old", ".5.part"]);
  expect(leftovers(names, 5, true)).toEqual([".5.part"]);
});
