import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { causes } from "../../src/causes.ts";
import { cannot, type ErrorCode, errorCodes, isErrorCode } from "../../src/errors.ts";
import { remedies } from "../../src/remedies/remedies.ts";
import { errorsPage, withTable } from "../causes.ts";

test("the table of docs/errors.md is the code's", async () => {
  const text = await Bun.file(errorsPage).text();
  expect(text).toBe(withTable(text));
});

test("every error code has a cause and a cure, and no cure switches Secure Boot off", () => {
  expect(Object.keys(causes).sort()).toEqual(Object.keys(errorCodes).sort());
  for (const { cause, cure } of Object.values(causes)) {
    expect(cause).toMatch(/^\S[^|\n]+[^.\s]$/);
    expect(cure).toMatch(/^\S[^|\n]+[^.\s]$/);
    expect(cure).not.toMatch(/secure boot/i);
  }
});

/** What a person without a build machine has not. */
const packagers = /sbsign|mokutil|minisign -S|openssl|CONFIG_|evmctl|sign it/;

test("every error code has an action, a first hint for whoever is there, and named data", () => {
  const table = remedies();
  expect(Object.keys(table).sort()).toEqual(Object.keys(errorCodes).sort());
  for (const [code, { action, hint, details }] of Object.entries(table)) {
    expect(action).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect([code, hint.length > 10 && hint.length <= 100]).toEqual([code, true]);
    expect(hint).not.toMatch(packagers);
    expect(hint).toMatch(/^[^\n]*[^.\s]$/);
    for (const [name, kind] of Object.entries(details)) {
      expect(name).toMatch(/^[a-z][A-Za-z]*$/);
      expect(["text", "number", "texts"]).toContain(kind);
    }
  }
});

test("a hint begins with what somebody at a console can do; the packager's way comes second", () => {
  for (const code of Object.keys(errorCodes).filter(isErrorCode)) {
    const why = "it is so";
    const plain = cannot("load", { code, why, hint: "do this" });
    const [first = "", second] = plain.hint?.split("\n") ?? [];
    expect(first.length).toBeLessThanOrEqual(100);
    expect(plain.action).toBe(remedies()[code].action);
    if (first !== "do this") expect([first, second]).toEqual([remedies()[code].hint, "do this"]);
    if (code === "usage") continue;
    const long = `sign it: ${"x".repeat(100)}`;
    expect(cannot("load", { code, why, hint: long }).hint).toBe(
      `${remedies()[code].hint}\n${long}`,
    );
    expect(cannot("load", { code, why }).hint).toBeNull();
    const both = cannot("load", { code, why, hint: "one\ntwo", action: "try-again" });
    expect([both.hint, both.action]).toEqual(["one\ntwo", "try-again"]);
  }
});

/**
 * What shows each cause: a kernel in a virtual machine, an errno injected with the state that goes
 * with it where no kernel here can be brought to it, or the program on any machine.
 */
const shownBy: Readonly<Record<ErrorCode, "vm" | "injected" | "program">> = {
  "internal-error": "program",
  usage: "vm",
  "unsupported-platform": "program",
  "unsupported-architecture": "program",
  "no-kexec-file": "vm",
  "no-jit": "program",
  "no-libc": "program",
  // A kernel whose release promises a flag that it does not know.
  "unsupported-flag": "injected",
  "file-not-found": "vm",
  "file-unreadable": "vm",
  "not-a-regular-file": "vm",
  "file-empty": "vm",
  "file-too-large": "vm",
  "file-changed": "program",
  "not-below": "program",
  "malformed-input": "vm",
  "malformed-cmdline": "program",
  "cmdline-too-long": "vm",
  untrusted: "vm",
  "no-signature": "vm",
  "bad-signature": "vm",
  "bad-key": "program",
  "bad-manifest": "vm",
  "digest-mismatch": "vm",
  "outside-folder": "vm",
  "generation-too-low": "vm",
  "policy-broken": "vm",
  "policy-refused": "vm",
  "kernel-unsigned": "vm",
  "kernel-signer-unknown": "vm",
  "kernel-signature-bad": "vm",
  "kernel-signature-revoked": "vm",
  "kernel-changed-after-signing": "vm",
  "kernel-signature-malformed": "vm",
  "kernel-signature-algorithm": "vm",
  // A kernel with CONFIG_KEXEC_SIG and without a verifier for its own images.
  "kernel-signature-refused": "injected",
  "ima-refused": "vm",
  "no-capability": "vm",
  "kexec-disabled": "vm",
  "load-limit-reached": "vm",
  lockdown: "vm",
  // Debian builds no kernel with LoadPin.
  "loadpin-refused": "injected",
  "pid-namespace": "vm",
  "not-permitted": "vm",
  "not-a-kernel": "vm",
  "kernel-truncated": "vm",
  "wrong-architecture": "vm",
  "kernel-unsuitable": "vm",
  "system-not-found": "program",
  "out-of-memory": "vm",
  "no-room": "vm",
  "no-crash-memory": "vm",
  // The lock is waited for, so that two loads at once seldom see it taken.
  busy: "injected",
  "file-busy": "vm",
  "nothing-loaded": "vm",
  // Of the kernel: a device that fails while the file is read.
  "io-error": "injected",
  "no-interface": "program",
  "no-link": "program",
  "no-address": "program",
  "name-not-found": "program",
  "no-route": "program",
  "connection-refused": "program",
  "tls-unknown-authority": "program",
  "tls-wrong-name": "program",
  "tls-expired": "program",
  "clock-wrong": "program",
  "tls-failed": "program",
  "http-status": "program",
  "redirect-refused": "program",
  "bad-answer": "program",
  "transfer-cut": "program",
  "too-long": "program",
  stalled: "program",
  aborted: "program",
};

describe("every cause is shown by a test of its kind, which names its code", () => {
  const root = join(import.meta.dir, "..");
  const textsBelow = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(ts|txt)$/.test(name) && name !== "causes.test.ts")
      .map((name) => readFileSync(join(root, folder, name), "utf8"));
  const texts = {
    vm: textsBelow("vm"),
    injected: [...textsBelow("unit/diagnosis"), ...textsBelow("unit/handoff")],
    program: [...textsBelow("unit"), ...textsBelow("cli")],
  };

  test.each(Object.entries(shownBy))("%s: %s", (code, kind) => {
    // Whole: quoted, or as a word of what is printed.
    const named = new RegExp(`(["'\`: ])${code}\\1|\\b${code} \\d`);
    expect(texts[kind].some((text) => named.test(text))).toBe(true);
  });
});
