/**
 * Every error code in words: what causes it and what cures it, for the documentation. An error
 * itself says more, as it knows the case. What programs and people at a console go by is in
 * src/remedies/table.ts.
 */
import { type ErrorCode, type ExitCode, errorCodes, isErrorCode } from "./errors.ts";
import { networkCauses } from "./remedies/network.ts";
import { remedies } from "./remedies/remedies.ts";

export interface CauseEntry {
  readonly cause: string;
  readonly cure: string;
}

const again = "copy or download the file again";
const enrol = "enrol the signer's certificate (`mokutil --import`)";

export const causes: Readonly<Record<ErrorCode, CauseEntry>> = {
  "internal-error": {
    cause: "a bug in aegis-kexec",
    cure: "report it, with what `--verbose` adds",
  },
  usage: {
    cause: "an unknown, misspelt, repeated or empty option, or a request of the wrong form",
    cure: "the hint names the nearest right word; `aegis-kexec help COMMAND` lists them",
  },
  "unsupported-platform": { cause: "not Linux", cure: "run it on the machine to be handed over" },
  "unsupported-architecture": {
    cause: "neither x86_64 nor aarch64",
    cure: "none: no other architecture is supported",
  },
  "no-kexec-file": {
    cause: "the running kernel has no kexec_file_load(2), or a seccomp filter hides it",
    cure: "boot a kernel with CONFIG_KEXEC_FILE; run it outside of containers",
  },
  "no-jit": {
    cause: "the process was not given memory for the JIT",
    cure: "lift RLIMIT_AS; `vm.overcommit_memory` 0 or 1; no `MemoryDenyWriteExecute=`, no denied `execmem`",
  },
  "no-libc": { cause: "no C library", cure: "put it into the initramfs" },
  "unsupported-flag": {
    cause: "the running kernel is too old for a flag of the call",
    cure: "leave the option out that asked for it",
  },
  "file-not-found": { cause: "a file does not exist", cure: "the hint says where the path ends" },
  "file-unreadable": { cause: "no permission to read a file", cure: "run it as root" },
  "not-a-regular-file": {
    cause: "a directory, FIFO, socket or device where a file must be",
    cure: "give the path of the file itself",
  },
  "file-empty": { cause: "a file has no bytes: often an interrupted copy", cure: again },
  "file-too-large": {
    cause: "a file is larger than the kernel takes: 4 GiB, 2 GiB on older kernels",
    cure: "use a smaller initramfs",
  },
  "file-changed": {
    cause: "a file changed while it was read",
    cure: "wait until whatever writes it has finished",
  },
  "not-below": {
    cause: "manifest: a file is not below the folder of SOURCE",
    cure: "put kernel, initramfs and manifest into one folder",
  },
  "malformed-input": {
    cause: "a file breaks a rule of its format; the message names the rule",
    cure: again,
  },
  "malformed-cmdline": {
    cause: "a control character or broken Unicode in the command line",
    cure: "take it out: a command line is one line of text",
  },
  "cmdline-too-long": {
    cause: "the command line is longer than the image takes",
    cure: "shorten it by the number of bytes that the hint gives",
  },
  untrusted: {
    cause: "a signature is demanded, and no trusted key made one of this source",
    cure: "write a manifest, sign it, load that; or trust the key that signed it",
  },
  "no-signature": {
    cause: "the detached signature is missing or cannot be read",
    cure: "sign it (`minisign -S`), or name the file with `--signature`",
  },
  "bad-signature": {
    cause: "the signature is malformed, or a trusted key's but not of these bytes",
    cure: "sign the file again: it, its signature or its key changed",
  },
  "bad-key": {
    cause: "a public key cannot be read, is not Ed25519, or is one that anyone can sign for",
    cure: "give minisign's `.pub`, or a key from `openssl pkey -pubout`",
  },
  "bad-manifest": {
    cause: "the manifest breaks its schema; the message names the place",
    cure: "write it with `aegis-kexec manifest`",
  },
  "digest-mismatch": {
    cause: "a file is not the one that the manifest was written for",
    cure: "copy the generation again, whole",
  },
  "outside-folder": {
    cause: "a path leaves the folder of the manifest, directly or by a link",
    cure: "keep the files in the folder, and links in it relative",
  },
  "generation-too-low": {
    cause: "the generation is below the floor of `--min-generation` or the policy",
    cure: "load a newer generation",
  },
  "policy-broken": {
    cause: "the policy cannot be read or parsed, so nothing may be loaded",
    cure: "repair it; the message names every broken rule",
  },
  "policy-refused": {
    cause: "an option changes what the signature covers, or no key is both in policy and `--trust`",
    cure: "put it into the manifest before it is signed",
  },
  "kernel-unsigned": {
    cause: "the kernel demands a signature, and the image has none",
    cure: `sign it (\`sbsign\`), then ${enrol}`,
  },
  "kernel-signer-unknown": {
    cause: "the image is signed by nobody in the kernel's keyrings; the message names the signer",
    cure: `if you trust the signer, ${enrol}`,
  },
  "kernel-signature-bad": {
    cause: "the image's signature is not valid, or was made outside of its certificate's time",
    cure: `${again}, or sign it anew`,
  },
  "kernel-signature-revoked": {
    cause: "the signer or the image is on the revocation list (`.blacklist`, dbx)",
    cure: "install a newer kernel from the same source",
  },
  "kernel-changed-after-signing": {
    cause: "the image is no longer what was signed",
    cure: `${again}; if the change is yours, sign it anew`,
  },
  "kernel-signature-malformed": {
    cause: "the image's EFI header or signature table is malformed or cut short",
    cure: `${again}, or sign it anew`,
  },
  "kernel-signature-algorithm": {
    cause: "the running kernel lacks an algorithm of the signature",
    cure: "sign with RSA and SHA-256",
  },
  "kernel-signature-refused": {
    cause: "the running kernel refuses the signature for another reason, which the message gives",
    cure: "see the message, and the kernel's own lines below it",
  },
  "ima-refused": {
    cause: "IMA appraisal refused a file",
    cure: "sign it in place (`evmctl ima_sign`); joined or unpacked files cannot be signed so",
  },
  "no-capability": {
    cause: "no CAP_SYS_BOOT in the initial user namespace",
    cure: "run it as root, outside of containers",
  },
  "kexec-disabled": {
    cause: "`kernel.kexec_load_disabled` is 1",
    cure: "it lasts until a reboot: find what sets it (sysctl.d, `--lock`)",
  },
  "load-limit-reached": {
    cause: "`kernel.kexec_load_limit_reboot` or `_panic` is used up; failed loads count",
    cure: "reboot: the limit can only be lowered",
  },
  lockdown: {
    cause:
      "the kernel is locked down, and the image's signature does not pass; the message says why",
    cure: `sign the image, or ${enrol}`,
  },
  "loadpin-refused": {
    cause: "LoadPin allows files of the pinned file system only",
    cure: "put the files there",
  },
  "pid-namespace": {
    cause: "not in the initial pid namespace, where reboot(2) is another's",
    cure: "run it on the host, not in a container",
  },
  "not-permitted": {
    cause: "the kernel denies it and does not say why: a security module, a seccomp filter",
    cure: "the hint lists the candidates and how to tell them apart",
  },
  "not-a-kernel": {
    cause: "the file is no kernel image",
    cure: "give the bzImage (x86_64) or the Image (arm64), often called vmlinuz",
  },
  "kernel-truncated": { cause: "the image is cut short", cure: again },
  "wrong-architecture": {
    cause: "the image or manifest is for another architecture",
    cure: "use one for this machine's",
  },
  "kernel-unsuitable": {
    cause: "an image that this machine cannot start; the message names the rule it breaks",
    cure: "use a kernel that was built for this machine",
  },
  "system-not-found": {
    cause: "nothing tells how the live system of an ISO image would find that image again",
    cure: "give the words that it reads by `--append`; the hint names them where they are known",
  },
  "out-of-memory": {
    cause: "not enough memory: files are held twice while they are loaded",
    cure: "free memory, or use a smaller initramfs",
  },
  "no-room": {
    cause: "no place in memory large enough, or a file over half of all memory",
    cure: "use a smaller initramfs, or load earlier after boot",
  },
  "no-crash-memory": {
    cause: "no memory is reserved for a crash kernel",
    cure: "boot with `crashkernel=256M`",
  },
  busy: { cause: "another kexec operation, or a live update, is going on", cure: "try again" },
  "file-busy": {
    cause: "a file is open for writing",
    cure: "wait for its writer (`fuser -v FILE` names it)",
  },
  "nothing-loaded": { cause: "no kernel is loaded", cure: "load one first" },
  "io-error": {
    cause: "reading or writing failed, or the kernel gave an undocumented errno",
    cure: "see the message and the kernel log (`dmesg`)",
  },
  ...networkCauses,
};

/** The table as Markdown: exit code, error code, action, data, cause, cure. */
export function causeTable(): string {
  const codes = Object.keys(errorCodes).filter(isErrorCode);
  const head = ["| exit | code | action | `details` | cause | cure |", "|---|---|---|---|---|---|"];
  return [...head, ...codes.map((code) => row(code, errorCodes[code]))].join("\n");
}

function row(code: ErrorCode, exit: ExitCode): string {
  const { cause, cure } = causes[code];
  const { action, details } = remedies()[code];
  const names = Object.keys(details)
    .map((name) => `\`${name}\``)
    .join(" ");
  return `| ${exit} | \`${code}\` | ${action} | ${names} | ${cause} | ${cure} |`;
}
