/** fs-verity digests beside those of the tool that Debian's package fsverity brings. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VerityHasher } from "../../../src/trust/verity.ts";
import { seeded } from "../fuzz.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-verity-"));
afterAll(() => rmSync(folder, { recursive: true }));

function digestOf(bytes: Uint8Array, step: number): string {
  const hasher = new VerityHasher();
  for (let at = 0; at < bytes.length; at += step) hasher.update(bytes.subarray(at, at + step));
  return hasher.digest();
}

/** Around a block, around the 128 digests that fill one, and around two levels of them. */
const sizes = [
  ...[0, 1, 4095, 4096, 4097, 8192],
  ...[127, 128, 129, 256, 128 * 128].flatMap((blocks) => [blocks * 4096 - 1, blocks * 4096]),
  ...[128 * 4096 + 1, 128 * 128 * 4096 + 1],
];

const missing = Bun.which("fsverity") === null;
describe.skipIf(missing)(missing ? "beside fsverity (needs fsverity)" : "beside fsverity", () => {
  test.each(sizes)("%d bytes", (size) => {
    const bytes = seeded(size).bytes(Math.min(size, 65_536));
    const whole = new Uint8Array(size);
    for (let at = 0; at < size; at += bytes.length) {
      whole.set(bytes.subarray(0, Math.min(bytes.length, size - at)), at);
    }
    const path = join(folder, "file");
    writeFileSync(path, whole);
    const said = Bun.spawnSync(["fsverity", "digest", "--compact", path]).stdout.toString().trim();
    expect(digestOf(whole, 1 << 20)).toBe(`sha256:${said}`);
    expect(digestOf(whole, 4097)).toBe(`sha256:${said}`);
  });
});

test("an empty file has a digest", () => {
  // `fsverity digest` of /dev/null
  expect(digestOf(new Uint8Array(), 1)).toBe(
    "sha256:3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95",
  );
});
