import { describe, expect, test } from "bun:test";
import { type Doing, explain } from "../../../../src/cli/kexec/failure.ts";
import { isKexecName } from "../../../../src/cli/kexec/program-name.ts";
import { type ErrorCode, KexecError } from "../../../../src/errors.ts";

const load: Doing = { do: "load", kernel: "K" };
const unload: Doing = { do: "unload" };
const exec: Doing = { do: "exec" };

const failure = (code: ErrorCode, errno?: string) =>
  new KexecError(code, { message: "m", ...(errno === undefined ? {} : { errno }) });

describe("kexec-tools' words and exit codes", () => {
  const rows: [Doing, ErrorCode, string | undefined, string[], number][] = [
    [load, "lockdown", "EPERM", ["kexec_file_load failed: Operation not permitted"], 255],
    [load, "no-capability", undefined, ["kexec_file_load failed: Operation not permitted"], 255],
    [load, "kexec-disabled", undefined, ["kexec_file_load failed: Operation not permitted"], 255],
    [
      load,
      "kernel-signer-unknown",
      "ENOKEY",
      ["kexec_file_load failed: Required key not available"],
      255,
    ],
    [load, "kernel-unsigned", "ENODATA", ["kexec_file_load failed: No data available"], 255],
    [
      load,
      "kernel-signature-bad",
      "EKEYREJECTED",
      ["kexec_file_load failed: Key was rejected by service"],
      255,
    ],
    [load, "file-busy", "ETXTBSY", ["kexec_file_load failed: Text file busy"], 255],
    [
      load,
      "no-room",
      "EADDRNOTAVAIL",
      ["kexec_file_load failed: Cannot assign requested address"],
      255,
    ],
    [load, "kernel-unsuitable", "EINVAL", ["kexec_file_load failed: Invalid argument"], 253],
    [load, "kernel-unsuitable", "ENOEXEC", ["kexec_file_load failed: Exec format error"], 253],
    [
      load,
      "no-kexec-file",
      "ENOSYS",
      [
        "kexec_file_load failed: Function not implemented",
        "syscall kexec_file_load not available.",
      ],
      253,
    ],
    [
      load,
      "kernel-signature-malformed",
      "ENOTSUPP",
      ["kexec_file_load failed: Unknown error 524"],
      255,
    ],
    [load, "file-not-found", "ENOENT", ["Cannot load K: No such file or directory"], 255],
    [load, "io-error", "errno 999", ["Cannot load K: Unknown error 999"], 255],
    [load, "not-a-kernel", undefined, [], 255],
    [load, "untrusted", undefined, [], 255],
    [load, "usage", undefined, [], 255],
    [load, "no-crash-memory", undefined, ["Memory for crashkernel is not reserved"], 1],
    [load, "internal-error", undefined, [], 1],
    [
      unload,
      "no-capability",
      "EPERM",
      ["kexec_file_load(unload) failed: Operation not permitted"],
      255,
    ],
    [unload, "busy", "EBUSY", ["kexec_file_load(unload) failed: Device or resource busy"], 255],
    [unload, "io-error", "EINVAL", ["kexec_file_load(unload) failed: Invalid argument"], 255],
    [exec, "nothing-loaded", undefined, ["Nothing has been loaded!"], 1],
    [exec, "nothing-loaded", "EINVAL", ["kexec failed: Invalid argument"], 255],
    [exec, "no-capability", undefined, ["kexec failed: Operation not permitted"], 255],
    [exec, "no-capability", "EPERM", ["kexec failed: Operation not permitted"], 255],
    [exec, "io-error", "EINVAL", ["kexec failed: Invalid argument"], 255],
    [exec, "pid-namespace", undefined, [], 255],
    [{ do: "shutdown" }, "io-error", "ENOENT", ["shutdown: No such file or directory"], 255],
  ];
  for (const [doing, code, errno, lines, exit] of rows) {
    test(`${doing.do}: ${code} ${errno ?? ""}`, () => {
      const explained = explain(failure(code, errno), doing);
      expect(explained).toMatchObject({ lines, exit });
      expect(explained.error.code).toBe(code);
    });
  }
});

test("--cmdline, which kexec-tools does not have, is called --command-line", () => {
  const error = new KexecError("policy-refused", {
    message: "cannot use --cmdline: trust is required",
    hint: "no --cmdline here",
    errno: "EPERM",
    kernelLog: ["a"],
  });
  expect(explain(error, load).error).toMatchObject({
    code: "policy-refused",
    message: "cannot use --command-line: trust is required",
    hint: "no --command-line here",
    errno: "EPERM",
    kernelLog: ["a"],
  });
});

describe("hints name options that kexec has", () => {
  const rows = [
    [
      "give it by --cmdline, or the root alone by --append root=…",
      "give it by --command-line, or the root alone by --append root=…",
    ],
    ["report it, with what --verbose adds", "report it, with what --debug adds"],
    [
      "name one with --entry, or give its file",
      "name one with --entry, or give its file\nfor aegis-kexec, not for kexec: --entry",
    ],
    [
      "give --ca and --wait\nelse --ca, --force, --initrd=x",
      "give --ca and --wait\nelse --ca, --force, --initrd=x; for aegis-kexec, not for kexec: --ca, --wait",
    ],
    ["sbsign --key KEY --cert CERT", "sbsign --key KEY --cert CERT"],
  ] as const;
  for (const [hint, said] of rows) {
    test(hint.replace("\n", "; "), () => {
      const error = new KexecError("usage", { message: "the message names none", hint });
      const explained = explain(error, load).error;
      expect(explained.hint).toBe(said);
      expect(explained.message).toBe("the message names none");
    });
  }
});

test("only the name kexec, with or without a path, is kexec", () => {
  for (const name of ["kexec", "/sbin/kexec", "./kexec"]) expect(isKexecName(name)).toBe(true);
  for (const name of ["aegis-kexec", "/kexec/aegis-kexec", "kexec.real", "Kexec", "", "bun"]) {
    expect(isKexecName(name)).toBe(false);
  }
});
