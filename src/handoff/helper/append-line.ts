/** Appends to a file and flushes it in bounded time: on a dead disk even the opening hangs. */

import { EFBIG, EROFS } from "../../errno.ts";
import {
  close,
  ioError,
  O_APPEND,
  O_CREAT,
  O_WRONLY,
  open,
  readToEnd,
  writeAll,
} from "../../linux/descriptor.ts";
import { flushFileAndName } from "../../linux/mounts.ts";
import { selfCommand } from "../../linux/self.ts";
import type { Observer } from "../report.ts";
import {
  followHelper,
  type HelperMessage,
  problemMessage,
  sendToParent,
  startHelper,
} from "./process.ts";

/** The argument by which the program knows that it is the helper process. A path follows it. */
export const appendArgument = "internal:append-line";

/** Bytes of the longest text. A request is the longest, and came as arguments (MAX_ARG_STRLEN). */
const textLimit = 8 << 20;

/** Names that lead each process to a file of its own. */
const ownFile = /^\/(dev\/(std|fd\/)|proc\/(self|thread-self)\/)/;

/**
 * Appends the text. An empty text only makes sure that the file can be written. Returns whether it
 * could be flushed in time, to a file system that is not read-only; if not, a warning was given.
 * @throws KexecError `io-error`
 */
export async function appendFlushed(
  path: string,
  text: string,
  observer: Observer,
): Promise<boolean> {
  const bytes = new TextEncoder().encode(text);
  let failed: number | undefined;
  const onMessage = (message: HelperMessage) => {
    if (message.kind === "problem") failed ??= message.errno;
  };
  const command = ownFile.test(path) ? undefined : selfCommand(appendArgument);
  const process = command === undefined ? undefined : startHelper([...command, path], bytes);
  if (process === undefined) append(path, bytes, onMessage);
  const stuck =
    process === undefined
      ? undefined
      : await followHelper(process, performance.now(), onMessage, observer);
  // An early system has nothing else yet, and must come up: the kernel log has what was done
  if (failed === EROFS) {
    observer.warn?.(`the log ${path} is not written: its file system is read-only`);
    return false;
  }
  if (failed !== undefined) {
    const hint = "name a file that can be written to, or leave --log out";
    throw ioError(`write the log ${path}`, failed, path).with({ hint });
  }
  return stuck === undefined;
}

/** The work of the process that appends what it is given on its standard input. */
export function appendHere(path: string): void {
  const bytes = readToEnd(0, textLimit);
  if (bytes instanceof Uint8Array) append(path, bytes, sendToParent);
  else sendToParent(problemMessage("cannot read", bytes === "too-large" ? EFBIG : -bytes));
  sendToParent({ kind: "done" });
}

function append(path: string, bytes: Uint8Array, send: (message: HelperMessage) => void): void {
  send({ kind: "at", text: `writing the log ${path}` });
  const fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600);
  const written = fd < 0 ? fd : writeAll(fd, bytes);
  // Open only as long as it takes: a file open for writing keeps its file system writable.
  if (fd >= 0) close(fd);
  const flushed = written < 0 ? written : flushFileAndName(path);
  if (flushed < 0) send(problemMessage("cannot write", -flushed));
}
