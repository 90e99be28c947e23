import { expect, test } from "bun:test";
import type { LoadReport } from "../../../src/handoff/report.ts";
import { traceText } from "../../../src/handoff/trace.ts";

const report: LoadReport = {
  target: "reboot",
  loaded: true,
  kernel: {
    path: "/boot/vmlinuz",
    size: 1,
    format: "bzImage",
    version: "6.12.1-amd64 (me@here) #1",
    release: "6.12.1-amd64",
  },
  initrds: [],
  measured: [],
  measureLog: null,
  secrets: [{ destination: "/etc/hidden.key", size: 32, mode: "0400" }],
  luks: [],
  cmdline: "root=LABEL=A quiet",
  generation: null,
  trust: null,
  locked: false,
  milliseconds: 1,
  warnings: [],
};

test("a trace says what, which release and with which command line, in one line", () => {
  expect(traceText(report)).toBe(
    "/boot/vmlinuz, release 6.12.1-amd64, command line: root=LABEL=A quiet",
  );
});

test("it names the generation and everybody who signed it, and nothing of a secret", () => {
  const signer = (key: string) => ({
    key,
    fingerprint: `minisign:${key}`,
    signature: "s",
    trustedComment: null,
  });
  const [one, two] = [signer("a"), signer("b")];
  const trust = {
    signer: one,
    signature: "s",
    trustedComment: null,
    signers: [one, two],
    passedOver: [],
  };
  const text = traceText({ ...report, generation: 42, trust });
  expect(text).toContain("generation 42, signed by minisign:a (a), signed by minisign:b (b),");
  expect(text).not.toContain("hidden");
  expect(traceText({ ...report, cmdline: "a\u001b[2J" })).toContain("a\\x1b[2J");
});
