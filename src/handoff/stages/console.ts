/** The console of a next system whose menu was written for a display. */
import { parameterValues } from "../../kernel-words.ts";
import { readText } from "../../linux/descriptor.ts";
import type { Listener } from "../../listener.ts";
import { readRunningCmdline } from "../../machine/kernel.ts";
import { joinCmdline } from "../../source/cmdline.ts";

/**
 * Where this system speaks on serial lines alone, and the menu's line names no console, nothing would
 * be heard of the next one: then it gets this system's `console=`. Under trust words are not added.
 * @param given What was asked to be appended.
 */
export function withConsole(
  line: string,
  given: string | undefined,
  trusted: boolean,
  listener: Listener,
): string {
  if (parameterValues(`${line} ${given ?? ""}`, "console").length > 0) return line;
  const active = readText("/sys/class/tty/console/active");
  const consoles = active.ok ? active.text.split(" ").filter((name) => name !== "") : [];
  // tty0 is the display, which a kernel without console= takes.
  if (consoles.length === 0 || consoles.some((name) => /^tty\d+$/.test(name))) return line;
  const running = readRunningCmdline();
  const words = running.known
    ? parameterValues(running.value, "console").map((value) => `console=${value}`)
    : [];
  if (words.length === 0) return line;
  const added = words.join(" ");
  if (trusted) {
    listener.warn?.(
      `the next system will not be heard on ${consoles.join(", ")}: the image's menu names no console (${added})`,
    );
    return line;
  }
  listener.warn?.(
    `${added} is added: this system speaks on ${consoles.join(", ")} alone, and the image's menu names no console`,
  );
  return joinCmdline(line, added);
}
