/**
 * What to do about each error code: a stable word for programs, a first hint that somebody at a
 * console can follow without a build machine, and the names of the data that such an error carries.
 */

/** What to do next, for programs. Words are added, never renamed. */
export type Action =
  | "ask-operator"
  | "change-request"
  | "check-device"
  | "choose-another"
  | "copy-again"
  | "enrol-key"
  | "free-memory"
  | "load-first"
  | "reboot-first"
  | "report-bug"
  | "run-as-root"
  | "try-again"
  | "use-another-system";

/** The kinds of data: sizes and limits are bytes, but for `generation` and `minimum`. */
export interface Kinds {
  readonly text: string;
  readonly number: number;
  readonly texts: readonly string[];
}
type Names = Readonly<Record<string, keyof Kinds>>;

export interface Remedy {
  readonly action: Action;
  /** At most 100 characters. */
  readonly hint: string;
  /** What a case says itself is for whoever builds or signs: it comes second. */
  readonly ownSecond: boolean;
  readonly details: Names;
}

function to<const D extends Names>(action: Action, hint: string, details: D) {
  return { action, hint, ownSecond: false, details } as const;
}

/** As `to`, where the case's own hint is the way of whoever builds or signs. */
function first<const D extends Names>(action: Action, hint: string, details: D) {
  return { action, hint, ownSecond: true, details } as const;
}

const file = { path: "text" } as const;
const sized = { path: "text", size: "number", limit: "number" } as const;
const image = { path: "text", expected: "text", found: "text" } as const;
const signed = { path: "text", signer: "text", keyring: "text", algorithm: "text" } as const;
const memory = { size: "number", available: "number", limit: "number" } as const;
const gate = { path: "text", signer: "text", keys: "texts" } as const;

export const makeRemedies = () =>
  ({
    "internal-error": to("report-bug", "this is a bug in aegis-kexec: report it", {}),
    usage: to("change-request", "aegis-kexec help COMMAND lists what it takes", {
      option: "text",
      found: "text",
      expected: "text",
      path: "text",
    }),
    "unsupported-platform": to("use-another-system", "run it on a Linux machine", {
      found: "text",
    }),
    "unsupported-architecture": to(
      "use-another-system",
      "use a machine with an x86_64 or aarch64 processor",
      { found: "text" },
    ),
    "no-kexec-file": first("use-another-system", "start this machine with another kernel first", {
      option: "text",
    }),
    "no-jit": first("change-request", "run it without a limit on memory, outside of services", {}),
    "no-libc": first("ask-operator", "this system has no C library: start from another one", {}),
    "unsupported-flag": to("change-request", "leave out the option that asked for it", {
      option: "text",
    }),
    "file-not-found": to("change-request", "check the name: the file is not there", {
      path: "text",
      found: "texts",
    }),
    "file-unreadable": to("run-as-root", "run it as root", file),
    "not-a-regular-file": to("change-request", "give the path of the file itself", image),
    "file-empty": to("copy-again", "copy or download the file again", file),
    "file-too-large": to("choose-another", "choose another: this file is too large", sized),
    "file-changed": to("try-again", "wait until whatever writes the file has finished", file),
    "not-below": to("change-request", "put kernel, initramfs and manifest into one folder", file),
    "malformed-input": to("copy-again", "copy or download the file again", {
      path: "text",
      rule: "text",
    }),
    "malformed-cmdline": to("change-request", "write the command line as one line of text", {}),
    "cmdline-too-long": to("change-request", "shorten the command line", {
      size: "number",
      limit: "number",
    }),
    untrusted: first("choose-another", "choose one that is signed by a key of this system", gate),
    "no-signature": first("copy-again", "copy its signature (.minisig or .sig) beside it", gate),
    "bad-signature": first("copy-again", "copy it and its signature again, both together", gate),
    "bad-key": first(
      "ask-operator",
      "ask whoever signs for the public key, and copy it again",
      file,
    ),
    "bad-manifest": first("copy-again", "copy the generation again, whole, or choose another", {
      path: "text",
      rule: "text",
    }),
    "digest-mismatch": to("copy-again", "copy the generation again, whole", {
      path: "text",
      expected: "text",
      found: "text",
      size: "number",
    }),
    "outside-folder": first(
      "choose-another",
      "choose another generation: this one is not whole",
      file,
    ),
    "generation-too-low": to("choose-another", "choose a newer generation", {
      generation: "number",
      minimum: "number",
    }),
    "policy-broken": to("ask-operator", "ask whoever set up this system to repair its policy", {
      path: "text",
      rule: "text",
    }),
    "policy-refused": to("change-request", "leave out what the policy of this system forbids", {
      option: "text",
      path: "text",
      found: "text",
    }),
    "kernel-unsigned": first(
      "choose-another",
      "choose another: this machine starts signed kernels only, and this one is not",
      signed,
    ),
    "kernel-signer-unknown": first(
      "enrol-key",
      "choose another, or enrol its signer's key if you trust the signer",
      signed,
    ),
    "kernel-signature-bad": first(
      "copy-again",
      "copy or download it again, or choose another",
      signed,
    ),
    "kernel-signature-revoked": first(
      "choose-another",
      "choose a newer one: versions with known holes are revoked",
      signed,
    ),
    "kernel-changed-after-signing": first(
      "copy-again",
      "copy or download it again, from where it is signed",
      signed,
    ),
    "kernel-signature-malformed": first(
      "copy-again",
      "copy or download it again, from where it is signed",
      signed,
    ),
    "kernel-signature-algorithm": first(
      "choose-another",
      "choose another: this machine's kernel cannot check such a signature",
      signed,
    ),
    "kernel-signature-refused": first(
      "choose-another",
      "choose another, or start this machine with another kernel first",
      signed,
    ),
    "ima-refused": first(
      "choose-another",
      "choose files that this machine's IMA policy accepts",
      file,
    ),
    "no-capability": to("run-as-root", "run it as root, outside of containers", {}),
    "kexec-disabled": to("reboot-first", "reboot: it stays forbidden until then", {
      setting: "text",
    }),
    "load-limit-reached": to("reboot-first", "reboot: the limit can only be lowered", {
      setting: "text",
    }),
    lockdown: first("choose-another", "choose another, signed by a key that this machine trusts", {
      ...signed,
      level: "text",
      because: "text",
    }),
    "loadpin-refused": first("change-request", "load the files from the system's own disk", file),
    "pid-namespace": to("use-another-system", "run it on the host, not in a container", {}),
    "not-permitted": first("ask-operator", "ask whoever set up this system: it forbids this", {}),
    "not-a-kernel": to("choose-another", "choose the kernel itself, often called vmlinuz", image),
    "kernel-truncated": to("copy-again", "copy or download it again", sized),
    "wrong-architecture": to("choose-another", "choose one for this machine's processor", image),
    "kernel-unsuitable": to(
      "choose-another",
      "choose another kernel: this machine cannot start it",
      {
        path: "text",
        rule: "text",
      },
    ),
    "system-not-found": first(
      "ask-operator",
      "copy the image's files to a disk of their own",
      file,
    ),
    "out-of-memory": to(
      "free-memory",
      "free memory, or choose one with a smaller initramfs",
      memory,
    ),
    "no-room": to(
      "free-memory",
      "reboot and load first thing, or choose one with a smaller initramfs",
      memory,
    ),
    "no-crash-memory": to("reboot-first", "reboot with crashkernel=256M on the command line", {}),
    busy: to("try-again", "try again in a moment", {}),
    "file-busy": to("try-again", "wait until whatever writes the file has finished", file),
    "nothing-loaded": to("load-first", "load a kernel first: aegis-kexec load KERNEL", {}),
    "io-error": to("check-device", "see the kernel log (dmesg): a device may be failing", file),
    "no-interface": first(
      "use-another-system",
      "this system has no driver for a network card",
      file,
    ),
    "no-link": first("check-device", "plug in the network cable, at both ends", file),
    "no-address": first("ask-operator", "ask whoever runs the network: it gives no address", file),
    "name-not-found": first(
      "change-request",
      "check the server's name, or name it by its address",
      file,
    ),
    "no-route": first("ask-operator", "ask whoever runs the network: there is no route", file),
    "connection-refused": first("try-again", "try again later, or check address and port", file),
    "tls-unknown-authority": first(
      "change-request",
      "check the address, or name the server's authority with --ca",
      file,
    ),
    "tls-wrong-name": first("change-request", "check the server's name", file),
    "tls-expired": first(
      "ask-operator",
      "check this machine's clock, or ask whoever runs the server",
      file,
    ),
    "clock-wrong": first("change-request", "set this machine's clock", file),
    "tls-failed": first("ask-operator", "check the address, or ask whoever runs the server", file),
    "http-status": first("ask-operator", "try again later, or ask whoever runs the server", {
      path: "text",
      status: "number",
    }),
    "redirect-refused": first("change-request", "give the address that it leads to", file),
    "bad-answer": first("ask-operator", "check the address, or ask whoever runs the server", file),
    "transfer-cut": first("try-again", "try again in a moment", file),
    "too-long": first("ask-operator", "ask whoever runs the server: it has another file", sized),
    stalled: first("try-again", "try again, or check the network and the server", file),
    aborted: to("try-again", "start it again", file),
  }) as const satisfies Readonly<Record<string, Remedy>>;
