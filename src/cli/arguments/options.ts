/**
 * Every option of the program, once. The strict parser and the help read these definitions.
 */
import type { Definitions, Flag, Valued } from "./definition.ts";
import { outputOptions } from "./output-options.ts";

export * from "./definition.ts";
export { commonOptions } from "./output-options.ts";
export * from "./positionals.ts";

export const options = {
  entry: {
    type: "string",
    valueHint: "ID",
    group: "image",
    description:
      "where SOURCE has several entries: the one of this id, or of this title, or of this number " +
      "from 0, not its default one",
  },
  menu: {
    type: "boolean",
    group: "image",
    description: "a list of SOURCE's entries to choose from, on a terminal",
  },
  timeout: {
    type: "string",
    valueHint: "SECONDS",
    group: "image",
    number: true,
    description: "with --menu: the default is taken after so many seconds without a key",
  },
  wait: {
    type: "string",
    valueHint: "SECONDS",
    group: "image",
    number: true,
    description: "where SOURCE is on a disk or a server: how long to wait for that; default 30",
  },
  ca: {
    type: "string",
    valueHint: "FILE",
    group: "image",
    description:
      "where SOURCE is a URL: trust this certificate authority alone, not those built in",
  },
  "client-cert": {
    type: "string",
    valueHint: "FILE",
    group: "image",
    description: "where SOURCE is a URL: this machine's certificate, for servers that ask",
  },
  "client-key": {
    type: "string",
    valueHint: "FILE",
    group: "image",
    description: "its key, where that is not in the certificate's file",
  },
  "no-modules": {
    type: "boolean",
    group: "image",
    description: "as the first process of a machine: load no kernel modules",
  },
  profile: {
    type: "string",
    valueHint: "N",
    group: "image",
    number: true,
    description: "where SOURCE is a UKI: the number of its profile; default 0",
  },
  initrd: {
    type: "string",
    valueHint: "PATH",
    repeatable: true,
    group: "image",
    description: "an initramfs archive; repeat it, they are joined in the order given",
  },
  cmdline: {
    type: "string",
    valueHint: "TEXT",
    alias: "command-line",
    freeText: true,
    group: "image",
    description: "the whole command line of the new kernel",
  },
  "reuse-cmdline": {
    type: "boolean",
    group: "image",
    description:
      "start from the running kernel's command line, without its BOOT_IMAGE= and initrd=",
  },
  append: {
    type: "string",
    valueHint: "TEXT",
    freeText: true,
    group: "image",
    description: "add to the end of the command line that the source or the options above gave",
  },
  secret: {
    type: "string",
    valueHint: "SRC:DEST",
    repeatable: true,
    group: "image",
    description:
      "put the file SRC (-: standard input, fd:N: a descriptor) at DEST in the new initramfs, in memory only, with mode 0400, or :MODE behind it; repeatable",
  },
  luks: {
    type: "string",
    valueHint: "UUID=SRC",
    repeatable: true,
    group: "image",
    description:
      "pass SRC on as the key of this LUKS volume, where the next initramfs looks for it; with :systemd, :initramfs-tools or :encrypt behind it where the archive does not tell which it is; repeatable",
  },
  trust: {
    type: "string",
    valueHint: "KEY",
    repeatable: true,
    group: "trust",
    description: "accept only what this public key signed; repeat it to accept any of several",
  },
  signature: {
    type: "string",
    valueHint: "PATH",
    repeatable: true,
    group: "trust",
    description:
      "a detached signature; repeatable; default SOURCE.minisig, then SOURCE.sig, and with a threshold SOURCE.*.minisig, SOURCE.*.sig",
  },
  threshold: {
    type: "string",
    valueHint: "N",
    number: true,
    group: "trust",
    description:
      "so many of the trusted keys must have signed; it can only raise the policy's number",
  },
  "policy-root": {
    type: "string",
    valueHint: "DIR",
    group: "trust",
    description:
      "rehearse with the policy and the keys of another system, whose root folder DIR is: those of this machine do not count",
  },
  "min-generation": {
    type: "string",
    valueHint: "N",
    number: true,
    group: "trust",
    description: "refuse a manifest with a lower generation",
  },
  generation: {
    type: "string",
    valueHint: "N",
    number: true,
    group: "choice",
    description: "the number to write, higher for each set that is signed; default 0",
  },
  keep: {
    type: "string",
    valueHint: "N",
    number: true,
    group: "choice",
    description: "how many generations stay in the store; default 3",
  },
  verity: {
    type: "boolean",
    group: "choice",
    description:
      "also name each file's fs-verity digest: where the file system has it, a load needs no copy",
  },
  "content-names": {
    type: "boolean",
    group: "choice",
    description:
      "give each file a second name, sha256- and its digest, and list it by that: no cache can have another under the same name",
  },
  policy: {
    type: "string",
    valueHint: "PATH",
    group: "trust",
    description: "a policy to obey; /etc/aegis-kexec/policy.json is always obeyed where it exists",
  },
  crash: {
    type: "boolean",
    group: "loading",
    description:
      "load the crash kernel, which a panic starts, into the memory that crashkernel= reserved",
  },
  lock: {
    type: "boolean",
    group: "loading",
    description:
      "once loaded, set kernel.kexec_load_disabled=1: nothing replaces the kernel until reboot",
  },
  "check-image": {
    type: "boolean",
    group: "loading",
    description: "warn where a signed image is not what was signed; boot always does",
  },
  "dry-run": {
    type: "boolean",
    group: "loading",
    description: "do everything but the system calls: nothing is loaded, nothing is replaced",
  },
  "acpi-rsdp": {
    type: "string",
    valueHint: "auto|ADDRESS",
    group: "loading",
    description:
      "add acpi_rsdp= with the address of the ACPI tables; auto: only where the new kernel could not find them itself; x86_64 only",
  },
  measure: {
    type: "string",
    valueHint: "PCR",
    number: true,
    group: "loading",
    description:
      "extend this PCR of the TPM (0 to 15) by kernel, initramfs and command line, before the jump",
  },
  "measure-log": {
    type: "string",
    valueHint: "DEST",
    group: "loading",
    description: "put the measurements' log at DEST in the new initramfs",
  },
  force: {
    type: "boolean",
    group: "handover",
    description:
      "do not go through systemd or another init: nothing is stopped, nothing is unmounted",
  },
  "no-sync": {
    type: "boolean",
    group: "handover",
    description: "do not flush file systems first: writes of the last seconds may be lost",
  },
  quiesce: {
    type: "string",
    valueHint: "LIST",
    group: "handover",
    description:
      "detach drivers first: gpu, usb, net, storage or PCI addresses, with commas between",
  },
  watchdog: {
    type: "string",
    valueHint: "SECONDS",
    number: true,
    group: "handover",
    description: "arm the hardware watchdog: a new kernel that hangs ends in a firmware reboot",
  },
  "on-failure": {
    type: "string",
    valueHint: "ACTION",
    group: "handover",
    description:
      "what to do when it fails: return (default), reboot (through firmware), poweroff or shell",
  },
  log: {
    type: "string",
    valueHint: "PATH",
    group: "choice",
    description: "append a line of JSON on this attempt, flushed to disk before the handover",
  },
  ...outputOptions,
} satisfies Definitions;

/** How an option is written: `--initrd`, `-h`. */
export function spelling(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** The spellings of one option, its own name first. */
export function spellings(name: string, definition: Flag | Valued): readonly string[] {
  return definition.alias === undefined
    ? [spelling(name)]
    : [spelling(name), spelling(definition.alias)];
}
