/** Every row of the causes, with the errno and the state that go with it. */
import { describe, expect, test } from "bun:test";
import { diagnoseExec, diagnoseLoad, diagnoseUnload } from "../../../src/diagnosis/diagnose.ts";
import type { LoadAttempt, LoadEvidence } from "../../../src/diagnosis/evidence.ts";
import { capabilityCause } from "../../../src/diagnosis/permission.ts";
import { type Judgement, unverifiable } from "../../../src/diagnosis/signature-check.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import { known, unknown } from "../../../src/machine/reading.ts";
import { attempt, evidence, gibibyte, kexec, notRead, privilege } from "./machine.ts";

const none = unknown("");
const noMemory = { total: none, available: none, swapFree: none, swappable: none };

const numbers = {
  EPERM: 1,
  EIO: 5,
  ENOEXEC: 8,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSYS: 38,
  ENODATA: 61,
  ENOPKG: 65,
  EBADMSG: 74,
  ELIBBAD: 80,
  EMSGSIZE: 90,
  EADDRNOTAVAIL: 99,
  ENOKEY: 126,
  EKEYEXPIRED: 127,
  EKEYREVOKED: 128,
  EKEYREJECTED: 129,
  ENOTSUPP: 524,
} as const;
type Errno = keyof typeof numbers;

interface Row {
  readonly errno: Errno;
  readonly state?: Partial<LoadEvidence>;
  readonly asked?: Partial<LoadAttempt>;
  readonly log?: readonly string[];
  readonly code: ErrorCode;
  readonly says?: RegExp;
  readonly hints?: RegExp;
  readonly hintsNot?: RegExp;
}

const lockdownLine = "Lockdown: aegis-kexec: kexec of unsigned images is restricted; see man";
const enforcedLine = (errno: number) =>
  `kexec_file: Enforced kernel signature verification failed (${errno}).`;

function judged(judgement: Judgement, uefi = known(true)): Partial<LoadEvidence> {
  return { signature: { judgement, uefi } };
}

const unsigned: Judgement = {
  verdict: "refused",
  code: "kernel-unsigned",
  errno: "ENODATA",
  why: "it carries no signature",
};
const foreign: Judgement = {
  verdict: "refused",
  code: "kernel-signer-unknown",
  errno: "ENOKEY",
  why: 'it is signed by "CN=Someone". This machine does not trust "CN=Someone"',
  signer: '"CN=Someone"',
};
const changed: Judgement = {
  verdict: "refused",
  code: "kernel-changed-after-signing",
  errno: "EKEYREJECTED",
  why: 'it was changed after "CN=Someone" had signed it',
};
const revoked: Judgement = {
  verdict: "refused",
  code: "kernel-signature-revoked",
  errno: "EKEYREJECTED",
  why: 'its signer, "CN=Someone", is revoked by .blacklist',
};
const good: Judgement = { verdict: "good", signer: '"CN=Us"', keyring: ".platform" };

const rows: Readonly<Record<string, Row>> = {
  "no capability": {
    errno: "EPERM",
    state: { privilege: { ...privilege, capSysBoot: known(false) } },
    code: "no-capability",
    hints: /root/,
  },
  "in a user namespace": {
    errno: "EPERM",
    state: { privilege: { ...privilege, initialUserNamespace: known(false) } },
    code: "no-capability",
    hints: /host/,
  },
  kexec_load_disabled: {
    errno: "EPERM",
    state: { kexec: { ...kexec, disabled: known(true) } },
    code: "kexec-disabled",
  },
  "the limit is used up": { errno: "EPERM", asked: { limitBefore: 0 }, code: "load-limit-reached" },
  "the limit of crash kernels is used up": {
    errno: "EPERM",
    asked: { limitBefore: 0, crash: true },
    code: "load-limit-reached",
    says: /limit_panic/,
  },
  LoadPin: {
    errno: "EPERM",
    log: ['LoadPin: kexec-image denied obj="/tmp/vmlinuz" pid=1'],
    code: "loadpin-refused",
  },
  "LoadPin lets it through, and something else denies it": {
    errno: "EPERM",
    log: ['LoadPin: kexec-image pinned obj="/boot/vmlinuz" pid=1'],
    code: "not-permitted",
  },
  "lockdown, unsigned": {
    errno: "EPERM",
    state: { lockdown: known("integrity"), ...judged(unsigned) },
    log: [lockdownLine],
    code: "lockdown",
    says: /locked down \(integrity\), and the image carries no signature/,
    hints: /sbsign.*mokutil/,
  },
  "lockdown without UEFI: nothing can be enrolled": {
    errno: "EPERM",
    state: { lockdown: known("integrity"), ...judged(unsigned, known(false)) },
    log: [lockdownLine],
    code: "lockdown",
    hints: /built into the running kernel/,
    hintsNot: /mokutil/,
  },
  "lockdown, foreign": {
    errno: "EPERM",
    state: { lockdown: known("integrity"), ...judged(foreign) },
    log: [lockdownLine],
    code: "lockdown",
    says: /"CN=Someone"/,
    hints: /mokutil --import \(the certificate of "CN=Someone"/,
  },
  "lockdown, changed": {
    errno: "EPERM",
    state: { lockdown: known("confidentiality"), ...judged(changed) },
    code: "lockdown",
    says: /changed after/,
    hintsNot: /mokutil/,
  },
  "lockdown that only the log knows of": {
    errno: "EPERM",
    state: { lockdown: notRead },
    log: [lockdownLine],
    code: "lockdown",
    hints: /aegis-kexec inspect/,
  },
  "locked down, a good signature, and no word of lockdown": {
    errno: "EPERM",
    state: { lockdown: known("integrity"), ...judged(good) },
    code: "not-permitted",
    hints: /security module.*seccomp/,
  },
  "denied, and nothing says why": {
    errno: "EPERM",
    code: "not-permitted",
    hints: /security module.*seccomp/,
    hintsNot: /lockdown/,
  },
  "denied, and lockdown cannot be read": {
    errno: "EPERM",
    state: { lockdown: notRead },
    code: "not-permitted",
    hints: /may be lockdown .*security module.*seccomp/,
  },
  "over half of memory": {
    errno: "EINVAL",
    asked: { initrdSize: 3 * gibibyte },
    code: "no-room",
    says: /half/,
  },
  "the kernel says that the line is too long": {
    errno: "EINVAL",
    log: ["kexec-bzImage64: Kernel command line too long"],
    code: "cmdline-too-long",
  },
  "a flag": { errno: "EINVAL", asked: { debug: true }, code: "unsupported-flag" },
  "EINVAL on arm64": {
    errno: "EINVAL",
    state: { architecture: "aarch64" },
    code: "kernel-unsuitable",
    hints: /page size or endianness/,
  },
  "a damaged signature": {
    errno: "EINVAL",
    log: [enforcedLine(-22)],
    code: "kernel-signature-bad",
    says: /damaged/,
  },
  "EINVAL on x86": { errno: "EINVAL", code: "kernel-unsuitable", hintsNot: /page size/ },
  "no loader takes it": { errno: "ENOEXEC", code: "kernel-unsuitable" },
  "no loader takes it under 5-level paging": {
    errno: "ENOEXEC",
    state: {
      refusal: {
        stage: "probe",
        errno: "ENOEXEC",
        code: "kernel-unsuitable",
        why: "this machine uses 5-level paging, which it cannot start under",
      },
    },
    code: "kernel-unsuitable",
    says: /5-level paging/,
  },
  "another operation": { errno: "EBUSY", code: "busy", hintsNot: /processors/ },
  "another operation, or stuck processors": {
    errno: "EBUSY",
    state: { architecture: "aarch64" },
    code: "busy",
    hints: /processors/,
  },
  "stuck processors, by the kernel's own word": {
    errno: "EBUSY",
    state: { architecture: "aarch64" },
    log: ["Can't kexec: CPUs are stuck in the kernel."],
    code: "busy",
    says: /cannot be switched off/,
  },
  "open for writing": { errno: "ETXTBSY", code: "file-busy", hints: /fuser/ },
  "too large": { errno: "EFBIG", code: "file-too-large" },
  memory: { errno: "ENOMEM", code: "out-of-memory", says: /72\.0 MiB .*2048\.0 MiB available/ },
  "no hole": { errno: "EADDRNOTAVAIL", code: "no-room", hintsNot: /kho|handover/ },
  "no hole in the scratch area": {
    errno: "EADDRNOTAVAIL",
    state: { handover: known(true) },
    code: "no-room",
    says: /72\.0 MiB do not fit the scratch area of kexec handover$/,
    hints: /kho_scratch=16M,512M,256M\), or with kho=off/,
  },
  "no hole in a scratch area of known size": {
    errno: "EADDRNOTAVAIL",
    asked: { initrdSize: 440 << 20 },
    state: { handover: known(true), scratch: known(330 << 20) },
    code: "no-room",
    says: /452\.0 MiB do not fit .*, whose largest part has 330\.0 MiB/,
    hints: /kho_scratch=16M,640M,256M/,
  },
  "no crash memory": {
    errno: "EADDRNOTAVAIL",
    asked: { crash: true },
    state: { kexec: { ...kexec, crashSize: known(0) } },
    code: "no-crash-memory",
  },
  "a disk key of a crash kernel, by the kernel's own word": {
    errno: "ENOKEY",
    asked: { crash: true },
    log: ["No such logon key cryptsetup:1", "Failed to build dm-crypt keys header, ret=-126"],
    code: "io-error",
    says: /cannot be read for the crash kernel: No such logon key cryptsetup:1$/,
    hints: /crash_dm_crypt_keys/,
  },
  "not enough crash memory": {
    errno: "EADDRNOTAVAIL",
    asked: { crash: true },
    code: "no-room",
    says: /crashkernel= reserves \(256\.0 MiB\)/,
  },
  IMA: {
    errno: "EACCES",
    state: { appraisal: known(true) },
    code: "ima-refused",
    hints: /evmctl/,
  },
  "IMA, by the log": {
    errno: "EACCES",
    log: ['audit: type=1800 audit(1.1:2): pid=1 op=appraise_data cause="IMA-signature-required"'],
    code: "ima-refused",
  },
  "EACCES where IMA appraises nothing": {
    errno: "EACCES",
    state: { appraisal: known(false) },
    code: "not-permitted",
    hintsNot: /ima/i,
  },
  "EACCES of SELinux": {
    errno: "EACCES",
    log: ["audit: type=1400 audit(1.1:2): avc:  denied  { kexec_image_load } for pid=1"],
    code: "not-permitted",
  },
  unsigned: { errno: "ENODATA", code: "kernel-unsigned", hints: /sbsign.*mokutil/ },
  "unsigned, read by us": {
    errno: "ENODATA",
    state: judged(unsigned),
    code: "kernel-unsigned",
    says: /the image carries no signature/,
  },
  "signer unknown": { errno: "ENOKEY", code: "kernel-signer-unknown", hints: /mokutil --import/ },
  "signer unknown, named": {
    errno: "ENOKEY",
    state: judged(foreign),
    code: "kernel-signer-unknown",
    says: /signed by "CN=Someone"/,
    hints: /mokutil --import/,
  },
  "rejected, changed by our reading": {
    errno: "EKEYREJECTED",
    state: judged(changed),
    code: "kernel-changed-after-signing",
    hintsNot: /mokutil|newer/,
  },
  "rejected, changed by the log": {
    errno: "EKEYREJECTED",
    log: ["PEFILE: Digest mismatch"],
    code: "kernel-changed-after-signing",
  },
  "rejected, revoked by our reading": {
    errno: "EKEYREJECTED",
    state: judged(revoked),
    code: "kernel-signature-revoked",
    hints: /newer/,
  },
  "rejected, revoked by the log": {
    errno: "EKEYREJECTED",
    log: ["X.509: Cert 0123 is blacklisted"],
    code: "kernel-signature-revoked",
  },
  "rejected, and nothing decides": {
    errno: "EKEYREJECTED",
    code: "kernel-signature-bad",
    hints: /three causes/,
  },
  "rejected, as it was signed too late": {
    errno: "EKEYREJECTED",
    log: ["PKCS7: Message signed outside of X.509 validity window"],
    code: "kernel-signature-bad",
    hints: /certificate that is valid/,
    hintsNot: /three causes|copy/,
  },
  "rejected, as the kernel has no verifier": {
    errno: "EKEYREJECTED",
    state: judged(unverifiable),
    code: "kernel-signature-refused",
    hints: /CONFIG_KEXEC_BZIMAGE_VERIFY_SIG/,
    hintsNot: /copy|sign it/,
  },
  "an image that nobody can sign": {
    errno: "ELIBBAD",
    state: judged({
      ...unsigned,
      errno: "ELIBBAD",
      why: "it has no EFI header",
      case: "no-efi-header",
    }),
    code: "kernel-unsigned",
    hints: /CONFIG_EFI_STUB/,
    hintsNot: /sbsign/,
  },
  "rejected though our reading finds another fault": {
    errno: "EKEYREJECTED",
    state: judged(unsigned),
    code: "kernel-signature-bad",
  },
  "key revoked": { errno: "EKEYREVOKED", code: "kernel-signature-bad" },
  "key expired": { errno: "EKEYEXPIRED", code: "kernel-signature-bad" },
  "a signature that cannot be read": { errno: "EBADMSG", code: "kernel-signature-malformed" },
  "a bad wrapper": { errno: "ELIBBAD", code: "kernel-signature-malformed" },
  "a wrapper too long": { errno: "EMSGSIZE", code: "kernel-signature-malformed" },
  "a wrapper of another type": { errno: "ENOTSUPP", code: "kernel-signature-malformed" },
  "no algorithm": { errno: "ENOPKG", code: "kernel-signature-algorithm" },
  "no call": { errno: "ENOSYS", code: "no-kexec-file", says: /CONFIG_KEXEC_FILE/ },
  "no call, and nothing of kexec": {
    errno: "ENOSYS",
    state: { kexec: { ...kexec, loaded: notRead } },
    code: "no-kexec-file",
    hints: /seccomp/,
  },
  "a file shrank": { errno: "EIO", code: "io-error", says: /shorter/ },
};

describe("a load", () => {
  for (const [name, row] of Object.entries(rows)) {
    test(`${row.errno}: ${name}`, () => {
      const error = diagnoseLoad(
        numbers[row.errno],
        { ...attempt, ...row.asked },
        { ...evidence, ...row.state },
        row.log ?? [],
      );
      expect({ code: error.code, errno: error.errno }).toEqual({
        code: row.code,
        errno: row.errno,
      });
      expect(error.message).toMatch(/^cannot load vmlinuz: [^\n]+[^.\n]$/);
      expect(error.message).toMatch(row.says ?? /./);
      expect(error.hint ?? "").toMatch(row.hints ?? /^/);
      if (row.hintsNot !== undefined) expect(error.hint ?? "").not.toMatch(row.hintsNot);
      expect(error.hint ?? "").not.toMatch(/disable|switch off|turn off/i);
      expect(error.kernelLog).toEqual(row.log ?? []);
    });
  }

  test("an errno without a row is named, and not explained", () => {
    const error = diagnoseLoad(999, attempt, evidence, []);
    expect(error.code).toBe("io-error");
    expect(error.message).toContain("errno 999");
  });

  test("ENOKEY without UEFI does not speak of mokutil", () => {
    const error = diagnoseLoad(
      numbers.ENOKEY,
      attempt,
      { ...evidence, ...judged(foreign, known(false)) },
      [],
    );
    expect(error.hint).not.toMatch(/mokutil/);
    expect(error.hint).toMatch(/"CN=Someone" must be built into/);
  });
});

describe("unloading", () => {
  const unload = (errno: Errno, state: Partial<LoadEvidence> = {}, limit = -1) =>
    diagnoseUnload(numbers[errno], false, { ...evidence, ...state }, limit, []);

  test("is denied by rights, switch and limit, and never by lockdown", () => {
    expect(unload("EPERM", { privilege: { ...privilege, capSysBoot: known(false) } }).code).toBe(
      "no-capability",
    );
    expect(unload("EPERM", { kexec: { ...kexec, disabled: known(true) } }).code).toBe(
      "kexec-disabled",
    );
    expect(unload("EPERM", {}, 0).code).toBe("load-limit-reached");
    expect(unload("EPERM", { lockdown: known("integrity") }).code).toBe("not-permitted");
  });

  test("is busy, or not there", () => {
    expect(unload("EBUSY").code).toBe("busy");
    expect(unload("ENOSYS").code).toBe("no-kexec-file");
    expect(unload("EIO").code).toBe("io-error");
  });
});

describe("a handover", () => {
  const exec = (errno: Errno, state: Partial<LoadEvidence> = {}) =>
    diagnoseExec(numbers[errno], { ...evidence, ...state }, []).code;

  test("EINVAL", () => {
    const elsewhere = { privilege: { ...privilege, initialPidNamespace: known(false) } };
    expect(exec("EINVAL", elsewhere)).toBe("pid-namespace");
    expect(exec("EINVAL")).toBe("nothing-loaded");
    const hidden = { ...evidence, kexec: { ...kexec, loaded: unknown("no kexec, or no /sys") } };
    expect(diagnoseExec(numbers.EINVAL, hidden, [])).toMatchObject({
      code: "nothing-loaded",
      message: expect.stringContaining("or the running kernel has no kexec"),
      hint: expect.stringContaining("no kexec, or no /sys"),
    });
    expect(exec("EINVAL", { kexec: { ...kexec, loaded: known(true) } })).toBe("io-error");
  });

  test("EPERM names the cause that the check before the call names", () => {
    const states = {
      powerless: { ...privilege, capSysBoot: known(false) },
      "in a user namespace": { ...privilege, initialUserNamespace: known(false) },
    };
    for (const state of Object.values(states)) {
      const { code, why, hint } = capabilityCause(state) ?? {};
      const error = diagnoseExec(numbers.EPERM, { ...evidence, privilege: state }, []);
      expect(error).toMatchObject({
        code,
        hint,
        message: `cannot hand over to the loaded kernel: ${why}`,
      });
    }
    const contained = diagnoseExec(
      numbers.EPERM,
      { ...evidence, privilege: states["in a user namespace"] },
      [],
    );
    expect(contained.message).toContain("user namespace");
    expect(contained.hint).not.toContain("root");
  });

  test("EPERM, EBUSY, EAGAIN, ENOSYS", () => {
    const powerless = { privilege: { ...privilege, capSysBoot: known(false) } };
    expect(exec("EPERM", powerless)).toBe("no-capability");
    expect(exec("EPERM")).toBe("not-permitted");
    expect(exec("EBUSY")).toBe("busy");
    expect(exec("EAGAIN")).toBe("busy");
    expect(exec("ENOSYS")).toBe("no-kexec-file");
    expect(exec("ENOMEM", { memory: noMemory })).toBe("out-of-memory");
  });
});
