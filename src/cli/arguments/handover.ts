/** The options of a handover, which `boot` and `exec` share. */

import { failureActions, parseQuiesceWord } from "../../handoff/option-values.ts";
import type { ExecRequest } from "../../handoff/request.ts";
import type { ArgumentsOf } from "./arguments.ts";
import { options } from "./options.ts";
import { quoted, usageError } from "./parse.ts";

export const handoverArguments = {
  force: options.force,
  "no-sync": options["no-sync"],
  quiesce: options.quiesce,
  watchdog: options.watchdog,
  "on-failure": options["on-failure"],
  log: options.log,
};

/** @throws KexecError `usage` */
export function handoverRequest(
  command: string,
  given: ArgumentsOf<typeof handoverArguments>,
): ExecRequest {
  const words = given.text("quiesce")?.split(",") ?? [];
  const wrong = words.find((word) => parseQuiesceWord(word) === undefined);
  if (wrong !== undefined) {
    throw usageError(
      command,
      `--quiesce does not know "${quoted(wrong)}"`,
      "give it gpu, usb, net, storage or PCI addresses, with commas between: gpu,0000:00:14.0",
    );
  }
  const watchdog = given.text("watchdog");
  if (watchdog !== undefined && !/^[1-9]\d{0,4}$/.test(watchdog)) {
    throw usageError(
      command,
      `--watchdog takes a number of seconds, not "${quoted(watchdog)}"`,
      "give it a whole number of seconds, such as 60",
    );
  }
  const named = given.text("on-failure");
  const onFailure = failureActions.find((action) => action === named);
  if (named !== undefined && onFailure === undefined) {
    throw usageError(
      command,
      `--on-failure does not know "${quoted(named)}"`,
      `give it one of: ${failureActions.join(", ")}`,
    );
  }
  return {
    sync: !given.flag("no-sync"),
    force: given.flag("force"),
    quiesce: words,
    watchdog: watchdog === undefined ? undefined : Number(watchdog),
    onFailure,
    log: given.text("log"),
  };
}
