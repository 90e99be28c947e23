import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { AttemptLog, withoutSecrets } from "../../../src/handoff/attempt-log.ts";
import { parseBootRequest } from "../../../src/handoff/request.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-log-"));
afterAll(() => rmSync(folder, { recursive: true }));
const onLinux = process.platform === "linux" ? test : test.skip;

test("of secrets only their places are logged", () => {
  const { load } = parseBootRequest({ kernel: "k", secrets: ["/run/hidden:/etc/key"] });
  const logged = withoutSecrets(load);
  expect(logged).toMatchObject({
    kernel: "k",
    secrets: [{ destination: "/etc/key", mode: 0o400 }],
  });
  expect(JSON.stringify(logged)).not.toContain("hidden");
});

onLinux("each attempt adds lines, and an error is written down and thrown on", async () => {
  const path = join(folder, "attempts");
  const log = await AttemptLog.begin(path, "exec", { force: true });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await log.write({ outcome: "handing-over", result: null });
  const error = new KexecError("busy", { message: "cannot jump: busy", errno: "EBUSY" });
  const other = await AttemptLog.begin(path, "exec", {});
  await expect(other.orFailure(() => Promise.reject(error))).rejects.toBe(error);
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const [first, second] = lines.map((line): unknown => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(first).toMatchObject({
    command: "exec",
    request: { force: true },
    outcome: "handing-over",
    result: null,
    uptime: expect.any(Number),
  });
  expect(second).toMatchObject({ outcome: "failed", error: { code: "busy", errno: "EBUSY" } });
});

onLinux("a log that cannot be written stops everything before it begins", async () => {
  const path = join(folder, "missing", "log");
  await expect(AttemptLog.begin(path, "load", {})).rejects.toMatchObject({
    code: "io-error",
    errno: "ENOENT",
    details: { path },
    message: `cannot write the log ${path}: no such file or directory`,
  });
});

onLinux(
  "what was warned of is told, and stands in the log without the place of a secret",
  async () => {
    const path = join(folder, "warned");
    const told: string[] = [];
    const { load } = parseBootRequest({ kernel: "k", secrets: ["/run/hidden:/etc/key"] });
    const log = await AttemptLog.begin(path, "exec", load, { warn: (line) => told.push(line) });
    log.observer.warn?.("the disk is slow");
    log.observer.warn?.("the secret /run/hidden is readable by all");
    await log.write({ outcome: "handing-over", result: null });
    expect(told).toHaveLength(2);
    const text = readFileSync(path, "utf8");
    expect(JSON.parse(text)).toMatchObject({
      warnings: ["the disk is slow", "the secret for /etc/key is readable by all"],
    });
    expect(text).not.toContain("hidden");
  },
);
