/**
 * The options of kexec-tools 2.0.25 to 2.0.32, each with what it means here. What needs kexec_load(2), which this program never calls
 * because the kernel verifies nothing that comes by it, is refused with its reason.
 */
import type { Architecture } from "../../architecture.ts";
import type { Spelling } from "./getopt.ts";

/** What an option does. */
export type Action =
  | "help"
  | "question"
  | "version"
  | "debug"
  | "force"
  | "no-sync"
  | "load"
  | "load-panic"
  | "unload"
  | "exec"
  | "status"
  | "type"
  | "file-syscall"
  | "load-syscall"
  | "print-ckr-size"
  | "append"
  | "reuse-cmdline"
  | "initrd";

export type Meaning =
  | { readonly does: Action }
  /** Accepted without effect, because of this; told where that may be missed. */
  | { readonly harmless: string; readonly told?: true }
  /** Refused, because of this. */
  | { readonly refused: string };

interface Option {
  /** Short and long spellings, separated by blanks. */
  readonly spelt: string;
  readonly takesValue?: true;
  /** The architecture whose kexec-tools has it; `later`: a version after 2.0.25. */
  readonly only?: Architecture | "later";
  readonly meaning: Meaning;
}

const x86 = { only: "x86_64" } as const;
const value = { takesValue: true } as const;
const does = (action: Action) => ({ meaning: { does: action } }) as const;
const refused = (why: string) => ({ meaning: { refused: why } }) as const;
const harmless = (because: string) => ({ meaning: { harmless: because } }) as const;
const told = (because: string) => ({ meaning: { harmless: because, told: true } }) as const;

const needsKexecLoad = "it needs kexec_load(2), whose images the kernel cannot verify";
const placing = "kexec_file_load(2) lets the kernel choose where everything goes";
const preserving = "kexec_file_load(2) cannot keep the running kernel for a return";
const purgatory = "the kernel brings its own purgatory, which drives no screen or serial line";
const xen = "it is for Xen, whose hypercalls are not used here";
const entryPoint = "kexec_file_load(2) enters a kernel at its 64-bit entry point only";

// The order is kexec-tools' own: an ambiguous beginning lists its candidates in it.
const table: readonly Option[] = [
  { spelt: "?", ...does("question") },
  { spelt: "h help", ...does("help") },
  { spelt: "v version", ...does("version") },
  { spelt: "f force", ...does("force") },
  { spelt: "i no-checks", ...harmless("the kernel's purgatory always checks; it costs little") },
  {
    spelt: "x no-ifdown",
    ...harmless("no interface is taken down: the kernel's drivers stop their own devices"),
  },
  { spelt: "y no-sync", ...does("no-sync") },
  { spelt: "l load", ...does("load") },
  { spelt: "u unload", ...does("unload") },
  { spelt: "e exec", ...does("exec") },
  { spelt: "exec-live-update", ...refused(xen) },
  { spelt: "load-preserve-context", ...refused(preserving) },
  { spelt: "load-jump-back-helper", ...refused(preserving) },
  { spelt: "load-live-update", ...refused(xen) },
  { spelt: "entry", ...value, ...refused(preserving) },
  { spelt: "t type", ...value, ...does("type") },
  { spelt: "p load-panic", ...does("load-panic") },
  { spelt: "mem-min", ...value, ...refused(placing) },
  { spelt: "mem-max", ...value, ...refused(placing) },
  {
    spelt: "reuseinitrd",
    ...refused("the running kernel does not give its initramfs back: name the file by --initrd"),
  },
  {
    spelt: "reuse-initrd",
    only: "later",
    ...refused("the running kernel does not give its initramfs back: name the file by --initrd"),
  },
  { spelt: "s kexec-file-syscall", ...does("file-syscall") },
  { spelt: "c kexec-syscall", ...does("load-syscall") },
  // "Automatic" falls back to kexec_load(2) in kexec-tools; here nothing is fallen back to.
  { spelt: "a kexec-syscall-auto", ...does("file-syscall") },
  { spelt: "d debug", ...does("debug") },
  { spelt: "S status", ...does("status") },
  { spelt: "print-ckr-size", ...does("print-ckr-size") },
  // NixOS gives it and --console-vga with every crash kernel.
  { spelt: "reset-vga", ...x86, ...harmless(purgatory) },
  { spelt: "serial", ...value, ...refused(purgatory) },
  { spelt: "serial-baud", ...value, ...x86, ...refused(purgatory) },
  { spelt: "console-vga", ...x86, ...told(purgatory) },
  { spelt: "console-serial", ...x86, ...refused(purgatory) },
  {
    spelt: "elf32-core-headers",
    ...x86,
    ...refused("the kernel writes the headers of a crash dump itself, as ELF64"),
  },
  { spelt: "elf64-core-headers", ...x86, ...harmless("the kernel's own headers are ELF64") },
  { spelt: "pass-memmap-cmdline", ...x86, ...refused(needsKexecLoad) },
  { spelt: "noefi", ...x86, ...refused("the kernel always passes its EFI tables on") },
  { spelt: "reuse-video-type", ...x86, ...refused(needsKexecLoad) },
  { spelt: "command-line append", ...value, ...does("append") },
  { spelt: "dtb", ...value, only: "aarch64", ...refused("the kernel passes its own device tree") },
  { spelt: "reuse-cmdline", ...does("reuse-cmdline") },
  { spelt: "initrd ramdisk", ...value, ...does("initrd") },
  { spelt: "args-elf", ...x86, ...refused(needsKexecLoad) },
  { spelt: "args-linux", ...x86, ...harmless("only Linux kernels are loaded, with its options") },
  { spelt: "args-none", ...x86, ...refused(needsKexecLoad) },
  { spelt: "module", ...value, ...x86, ...refused("it is for multiboot kernels") },
  { spelt: "real-mode", ...x86, ...refused(entryPoint) },
  { spelt: "entry-32bit", ...x86, ...refused(entryPoint) },
  {
    spelt: "hotplug",
    only: "later",
    ...told("with kexec_file_load(2) the kernel keeps a crash kernel up to date by itself"),
  },
  {
    spelt: "no-cma",
    only: "later",
    ...told("the kernel chooses where its copies of the files lie"),
  },
  {
    spelt: "force-dtb",
    only: "later",
    ...told("the kernel passes a device tree on where it needs one"),
  },
];

/** The spellings as kexec-tools of this architecture has them; those of others as whole names. */
export function kexecOptions(architecture: Architecture): readonly Spelling<Meaning>[] {
  return table.flatMap(({ spelt, takesValue = false, only = architecture, meaning }) =>
    spelt
      .split(" ")
      .map((name) => ({ name, id: meaning, takesValue, wholeOnly: only !== architecture })),
  );
}

/** Whether it is taken, with an effect or without one: `-c` only undoes `-s`, and then nothing is loaded. */
export function isTaken(meaning: Meaning): boolean {
  return "does" in meaning ? meaning.does !== "load-syscall" : "harmless" in meaning;
}
