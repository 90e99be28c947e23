/** The next kernel's command line: its own, the running kernel's, and the words that are added. */

import { cannot } from "../../errors.ts";
import { parameterValues, withoutRepeats } from "../../kernel-words.ts";
import { isInit } from "../../linux/reboot.ts";
import { readRunningCmdline } from "../../machine/kernel.ts";
import { joinCmdline, reusableCmdline } from "../../source/cmdline.ts";
import type { KernelSource } from "../../source/image.ts";
import type { Source } from "../../source/open.ts";
import type { CmdlineOptions } from "../gate/sealed-cmdline.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";

/** @throws KexecError of `requireUnsealed` in sealed-cmdline.ts */
export async function requireUnsealed(
  own: string,
  source: Source,
  request: CmdlineOptions,
): Promise<void> {
  (await import("../gate/sealed-cmdline.ts")).requireUnsealed(own, source, request);
}

/** The command line before words are appended to it. */
export function ownCmdline(
  source: Source,
  image: KernelSource,
  request: CmdlineOptions,
  observer: Observer,
): string | undefined {
  if (request.cmdline !== undefined) return request.cmdline;
  const { borrower } = source;
  if (!request.reuseCmdline && borrower === undefined) return source.cmdline ?? image.cmdline;
  const running = readRunningCmdline();
  if (!running.known) {
    throw cannot("reuse the running kernel's command line", {
      code: "io-error",
      why: running.why,
      hint: "mount /proc, or give the line by --cmdline",
    });
  }
  const line = reusableCmdline(running.value, {
    crash: request.crash ?? false,
    firstProcess: isInit() || isStartedAsInit(running.value),
  });
  if (borrower !== undefined && !request.reuseCmdline) {
    requireRoot(borrower, line, request);
    observer.warn?.(`${borrower} brings no command line: the running kernel's is taken`);
  }
  return line;
}

/** A shell that the first process started is on the same line. */
function isStartedAsInit(running: string): boolean {
  const basename = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const program = parameterValues(running, "rdinit").at(-1);
  return program !== undefined && basename(program) === basename(process.execPath);
}

/** The own line with what is appended; one that is used again and again does not grow. */
export function fullCmdline(
  own: string | undefined,
  { append, reuseCmdline }: Pick<ParsedLoadRequest, "append" | "reuseCmdline">,
): string {
  const joined = joinCmdline(own, append);
  return reuseCmdline ? withoutRepeats(joined) : joined;
}

/** What the next system is on is not guessed. */
function requireRoot(borrower: string, running: string, { append }: CmdlineOptions): void {
  const lines = [running, append ?? ""];
  if (lines.some((line) => parameterValues(line, "root").length > 0)) return;
  throw cannot("put the command line together", {
    code: "malformed-input",
    why: `${borrower} names no root=, and neither does the running kernel's`,
    hint: "give it by --cmdline, or the root alone by --append root=…",
  });
}

/** An image's menu is written for machines of every kind; see `withConsole`. */
export function heardCmdline(
  own: string | undefined,
  { whole }: Source,
  { cmdline, reuseCmdline, append }: CmdlineOptions,
  trusted: boolean,
  observer: Observer,
): string | undefined | Promise<string> {
  if (whole === undefined || own === undefined || cmdline !== undefined || reuseCmdline) return own;
  return import("./console.ts").then(({ withConsole }) =>
    withConsole(own, append, trusted, observer),
  );
}

/** The one word of this program's own, under a policy too: init does not get it. */
export async function withPlace(cmdline: string, from: string): Promise<string> {
  const { fromWordOf } = await import("../../menu/counting.ts");
  return joinCmdline(cmdline, fromWordOf(from));
}
