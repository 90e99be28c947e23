/** What SOURCE is, is judged once: `inspect` and `load` say the same of every beginning. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { inspect } from "../../../src/handoff/inspect.ts";
import { load } from "../../../src/handoff/load.ts";

describe.skipIf(process.platform !== "linux")("a file that begins", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kind-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each([
    ["{\0", "image", "not-a-kernel"],
    [" {\0}", "image", "not-a-kernel"],
    ["\ufeff{\0", "image", "not-a-kernel"],
    ['{"format": "aegis-kexec/1"\0}', "image", "not-a-kernel"],
    ["title x\0\nlinux /a\n", "image", "not-a-kernel"],
    ["{", "manifest", "bad-manifest"],
    ["\ufeff {}", "manifest", "bad-manifest"],
    ["title x\n", "boot entry", "malformed-input"],
    ["no more than text\n", "image", "not-a-kernel"],
    ["\0\0\0\0", "image", "not-a-kernel"],
  ] as const)("%j", async (beginning, kind, code) => {
    const kernel = join(folder, "source");
    writeFileSync(kernel, beginning);
    const { source, verdict } = await inspect({ kernel, cmdline: "x" });
    expect(source.kind).toBe(kind);
    const refused = await load({ kernel, cmdline: "x", dryRun: true }).catch((error) => error);
    if (!(refused instanceof KexecError)) throw refused;
    expect(refused.code).toBe(code);
    // The machine's own reasons may stand before it.
    expect(verdict.reasons.map((reason) => reason.message)).toContain(refused.message);
  });
});
