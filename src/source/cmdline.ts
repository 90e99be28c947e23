/** The next kernel's command line: put together, cleaned and measured. Pure. */

import type { Architecture } from "../architecture.ts";
import { KexecError } from "../errors.ts";
import { withoutWords } from "../kernel-words.ts";

/**
 * Room that the x86 loader keeps for ` elfcorehdr=0x…`: MAX_ELFCOREHDR_STR_LEN in
 * arch/x86/kernel/kexec-bzimage64.c.
 */
const X86_RESERVED = 30;
/** COMMAND_LINE_SIZE of arm64, NUL included: arch/arm64/include/uapi/asm/setup.h. */
const ARM64_COMMAND_LINE_SIZE = 2048;

/** Words that describe how the running kernel was booted, and would be wrong for the next one. */
const BOOT_LOADER_WORDS = ["BOOT_IMAGE=", "initrd="];

/**
 * The running kernel's line without what its boot loader added; for a crash kernel, which has only
 * that memory, also without `crashkernel=`.
 */
export function reusableCmdline(running: string, crash = false): string {
  const dropped = crash ? [...BOOT_LOADER_WORDS, "crashkernel="] : BOOT_LOADER_WORDS;
  return withoutWords(running, (word) => dropped.some((prefix) => word.startsWith(prefix)));
}

/** Joins the given parts by one space; an absent or empty part adds nothing. */
export function joinCmdline(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join(" ");
}

/** What of an image bounds its command line; x86 images carry the limit themselves. */
export interface CmdlineLimit {
  readonly architecture: Architecture;
  /** `cmdline_size` of the x86 setup header, without the NUL; unused on aarch64. */
  readonly cmdlineSize: number;
}

/** The longest command line, in bytes without the NUL. */
export function longestCmdline(limit: CmdlineLimit): number {
  return limit.architecture === "x86_64"
    ? Math.max(0, limit.cmdlineSize - X86_RESERVED - 1)
    : ARM64_COMMAND_LINE_SIZE - 1;
}

/**
 * Checks what crosses into the kernel.
 * @throws KexecError `malformed-cmdline`, `cmdline-too-long`
 */
export function checkCmdline(cmdline: string, limit: CmdlineLimit): void {
  const control = /[\x00-\x1f\x7f-\x9f]/.exec(cmdline);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).padStart(2, "0");
    throw new KexecError("malformed-cmdline", {
      message: `cannot use the command line: it has the control character 0x${code} at position ${control.index}`,
      hint: "a command line is one line of text: take line breaks, tabs and NUL characters out",
    });
  }
  // U+FFFD stands where bytes were no UTF-8: the next kernel would get it in their place.
  if (!cmdline.isWellFormed() || cmdline.includes("\ufffd")) {
    throw new KexecError("malformed-cmdline", {
      message: "cannot use the command line: it is not valid Unicode text",
      hint: "write it in UTF-8, or in ASCII alone",
    });
  }
  const length = new TextEncoder().encode(cmdline).byteLength;
  const longest = longestCmdline(limit);
  if (length > longest) {
    throw new KexecError("cmdline-too-long", {
      message: `cannot use the command line: it has ${length} bytes, and this kernel takes ${longest}`,
      hint: `shorten it by ${length - longest === 1 ? "a byte" : `${length - longest} bytes`}`,
    });
  }
}
