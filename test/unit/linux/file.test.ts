import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { InputFile } from "../../../src/linux/file.ts";
import { Memfd } from "../../../src/linux/memfd.ts";

const folder = mkdtempSync(join(tmpdir(), "file-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a file that becomes shorter is not read as if it were whole, and not copied", () => {
  const path = join(folder, "shrinking");
  writeFileSync(path, new Uint8Array(100));
  using file = InputFile.open(path, "kernel");
  using copy = Memfd.create("copy");
  truncateSync(path, 50);
  for (const use of [() => file.read(0, 100), () => copy.appendFile(file, 0, 100)]) {
    expect(use).toThrow(KexecError);
    expect(use).toThrow(expect.objectContaining({ code: "file-changed" }));
  }
});
