/** The next kernel's command line: put together, cleaned and measured. Pure. */

import type { Architecture } from "../architecture.ts";
import { cannot } from "../errors.ts";
import { kernelWords, partedAtDashes, withoutTabs, withoutWords } from "../kernel-words.ts";
import { isPlain } from "../visible.ts";

/**
 * Room that the x86 loader keeps for ` elfcorehdr=0x…`: MAX_ELFCOREHDR_STR_LEN in
 * arch/x86/kernel/kexec-bzimage64.c.
 */
const X86_RESERVED = 30;
/** COMMAND_LINE_SIZE of arm64, NUL included: arch/arm64/include/uapi/asm/setup.h. */
const ARM64_COMMAND_LINE_SIZE = 2048;

/** Words that describe how the running kernel was booted, and would be wrong for the next one. */
const BOOT_LOADER_WORDS = ["BOOT_IMAGE=", "initrd="];

/** Whose line is used again, and for what. */
export interface Reuse {
  /** For a crash kernel, which has only that memory: `crashkernel=` is dropped. */
  readonly crash: boolean;
  /**
   * This program is the first process: `rdinit=` names it, and what follows `--` are its own arguments,
   * of which the next kernel's init knows nothing.
   */
  readonly firstProcess: boolean;
}

/** The running kernel's line without what is about how that one was booted. */
export function reusableCmdline(running: string, { crash, firstProcess }: Reuse): string {
  const dropped = [
    ...BOOT_LOADER_WORDS,
    ...(crash ? ["crashkernel="] : []),
    ...(firstProcess ? ["rdinit="] : []),
  ];
  const line = firstProcess ? partedAtDashes(running).parameters : running;
  return withoutWords(line, (word) => dropped.some((prefix) => word.startsWith(prefix)));
}

/**
 * The command line, with words appended to what the kernel reads: before `--`, behind which they would be
 * init's. What is appended for init comes at the end.
 * @throws KexecError `malformed-cmdline` where one of the two leaves a quote open
 */
export function joinCmdline(own: string | undefined, appended: string | undefined): string {
  const [first = "", second = ""] = [own, appended];
  requireClosed(first, "the command line");
  requireClosed(second, "what is appended to the command line");
  const one = partedAtDashes(withoutTabs(first));
  const other = partedAtDashes(withoutTabs(second));
  const parameters = spaced(one.parameters, other.parameters);
  if (one.init === undefined && other.init === undefined) return parameters;
  return spaced(spaced(parameters, "--"), spaced(one.init ?? "", other.init ?? ""));
}

function spaced(one: string, other: string): string {
  return one === "" || other === "" ? one + other : `${one} ${other}`;
}

/** In a value that is left open the kernel would lose the rest of the line. */
function requireClosed(line: string, what: string): void {
  if (!line.includes('"') || !kernelWords(line).isOpen) return;
  throw cannot(`use ${what}`, {
    code: "malformed-cmdline",
    why: `it has a quote that is not closed, at position ${line.lastIndexOf('"')}`,
    hint: 'close it: a value with blanks is written name="two words"',
  });
}

/** What of an image bounds its command line; x86 images carry the limit themselves. */
export interface CmdlineLimit {
  readonly architecture: Architecture;
  /** `cmdline_size` of the x86 setup header, without the NUL; unused on aarch64. */
  readonly cmdlineSize: number;
  /** Bytes that the kernel wants for more words of its own. */
  readonly reserved?: number;
}

/** The longest command line, in bytes without the NUL. */
export function longestCmdline(limit: CmdlineLimit): number {
  return limit.architecture === "x86_64"
    ? Math.max(0, limit.cmdlineSize - X86_RESERVED - 1 - (limit.reserved ?? 0))
    : ARM64_COMMAND_LINE_SIZE - 1;
}

/**
 * Checks what crosses into the kernel.
 * @throws KexecError `malformed-cmdline`, `cmdline-too-long`
 */
export function checkCmdline(cmdline: string, limit: CmdlineLimit): void {
  const control = isPlain(cmdline) ? null : /[\x00-\x1f\x7f-\x9f]/.exec(cmdline);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).padStart(2, "0");
    throw cannot("use the command line", {
      code: "malformed-cmdline",
      why: `it has the control character 0x${code} at position ${control.index}`,
      hint: "a command line is one line of text: take line breaks, tabs and NUL characters out",
    });
  }
  // U+FFFD stands where bytes were no UTF-8: the next kernel would get it in their place.
  if (!cmdline.isWellFormed() || cmdline.includes("\ufffd")) {
    throw cannot("use the command line", {
      code: "malformed-cmdline",
      why: "it is not valid Unicode text",
      hint: "write it in UTF-8, or in ASCII alone",
    });
  }
  const length = new TextEncoder().encode(cmdline).byteLength;
  const longest = longestCmdline(limit);
  if (length > longest) {
    throw cannot("use the command line", {
      code: "cmdline-too-long",
      details: { size: length, limit: longest },
      why: `it has ${length} bytes, and this kernel takes at most ${longest}`,
      hint: `shorten it by ${length - longest === 1 ? "a byte" : `${length - longest} bytes`}`,
    });
  }
}
