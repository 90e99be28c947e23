import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { SecretMemory } from "../../../src/linux/secret-memory.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-secret-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "key");
const limit = 1 << 20;

const read = () => SecretMemory.read({ path }, "key", limit, () => false);

/** KiB of this process that are locked. */
function locked(): number {
  return Number(/^VmLck:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
}

test("a secret is in locked memory until it is disposed of", async () => {
  writeFileSync(path, "open sesame");
  const before = locked();
  {
    using memory = await read();
    expect(memory.size).toBe(11);
    expect(locked()).toBeGreaterThanOrEqual(before + 1024);
    const copy = new Uint8Array(11);
    memory.copyTo(copy);
    expect(new TextDecoder().decode(copy)).toBe("open sesame");
  }
  expect(locked()).toBe(before);
});

test.each([
  ["shrinks", () => truncateSync(path, 5)],
  ["is emptied", () => truncateSync(path, 0)],
  ["grows", () => appendFileSync(path, "!")],
] as const)(
  "a file that %s while it is read is refused, and nothing of it is held",
  async (_, change) => {
    writeFileSync(path, "open sesame");
    const before = locked();
    // It has looked at the size, and waits for the first bytes.
    const reading = read();
    expect(locked()).toBeGreaterThan(before);
    change();
    const error = await reading.catch((caught) => caught);
    expect(error).toBeInstanceOf(KexecError);
    expect(error).toMatchObject({ code: "file-changed", exit: 4 });
    expect(locked()).toBe(before);
  },
);
