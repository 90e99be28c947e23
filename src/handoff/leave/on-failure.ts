/** `--on-failure`: what becomes of a machine that nobody watches when the handover fails. */

import { errnoText } from "../../errno.ts";
import { isTerminal } from "../../linux/device/terminal.ts";
import { runBySystemd, systemCommand } from "../../linux/init-system.ts";
import { exists } from "../../linux/path.ts";
import { type PowerAction, power } from "../../linux/reboot.ts";
import { asKexecError } from "../../thrown.ts";
import { makeFileSystemsReadOnly } from "../helper/read-only.ts";
import type { FailureAction } from "../option-values.ts";
import type { Observer } from "../report.ts";

/**
 * Does the work; when it fails, the error is told and the action taken. The error is thrown on when
 * the action is to return, or comes to an end itself, as a shell does.
 */
export async function orElse<T>(
  action: FailureAction,
  observer: Observer,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (action === "return") throw error;
    observer.failure?.(asKexecError(error), action);
    if (action === "shell") await shell(observer);
    else await end(action, observer);
    throw error;
  }
}

/** Seconds after which a systemd that was asked to restart is not waited for any more. */
const systemdSeconds = 300;

/** Ends this kernel, through systemd where it runs the machine; in the end without it. */
export async function end(action: PowerAction, observer: Observer): Promise<void> {
  if (runBySystemd()) {
    const failed = await systemCommand("systemctl", ["--no-ask-password", "--no-block", action]);
    if (failed === undefined) await Bun.sleep(systemdSeconds * 1000);
    else observer.warn?.(`systemd does not ${action}: ${failed}`);
  }
  using _readOnly = await makeFileSystemsReadOnly(observer);
  const result = power(action);
  observer.warn?.(`cannot ${action}: ${errnoText(-result).toLowerCase()}`);
}

/** A shell on this terminal, or on the console where there is none. It returns when the shell ends. */
async function shell(observer: Observer): Promise<void> {
  const path = ["/bin/sh", "/usr/bin/sh"].find(exists);
  if (path === undefined) {
    observer.warn?.("there is no /bin/sh to start");
    return;
  }
  const onTerminal = isTerminal(0) || !exists("/dev/console");
  const console = Bun.file("/dev/console");
  try {
    const child = Bun.spawn([path], {
      stdin: onTerminal ? "inherit" : console,
      stdout: onTerminal ? "inherit" : console,
      stderr: onTerminal ? "inherit" : console,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", TERM: Bun.env["TERM"] ?? "linux", HOME: "/" },
    });
    await child.exited;
  } catch (error) {
    observer.warn?.(`cannot start ${path}: ${error instanceof Error ? error.message : error}`);
  }
}
