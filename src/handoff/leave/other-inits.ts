/**
 * The handover on a full system that is not systemd's: what runs there is stopped first, so that services
 * can write what they hold, and file systems have no writers when they become read-only.
 */
import { type InitName, pauseInit } from "../../linux/init-system.ts";
import { exists } from "../../linux/path.ts";
import { type Process, readProcesses, sendSignal } from "../../linux/processes.ts";
import type { Observer } from "../report.ts";

/** Seconds for the init system's own way, for processes after SIGTERM, and after SIGKILL. */
const limits = { init: 120, term: 10, kill: 5 };
/** How often it is looked whether they have ended. */
const pollMs = 100;
/** Names that a warning has at most. */
const mostNamed = 8;

/** The commands by which an init system stops its services and goes on running. */
const ways: Partial<Record<InitName, readonly (readonly string[])[]>> = {
  openrc: [
    ["/sbin/openrc", "shutdown"],
    ["/usr/sbin/openrc", "shutdown"],
  ],
  runit: [["/bin/sh", "-c", "sv -w 20 force-stop /etc/service/* /var/service/* /service/*"]],
  s6: [
    ["/bin/s6-rc", "-bda", "change"],
    ["/usr/bin/s6-rc", "-bda", "change"],
  ],
};

/** Supervisors start again what is killed, and end the machine when they are killed themselves. */
const supervisors = /^(?:runsvdir|runsv|s6-|supervise-daemo|svscan|supervise$)/;

/** Everything is stopped. Dispose of it, where the jump fails, to let the init system go on. */
export class Stopped implements Disposable {
  constructor(private readonly resume: () => void) {}

  [Symbol.dispose](): void {
    this.resume();
  }
}

/**
 * Stops services through the init system where it has a way, then all processes but this one and those
 * that started it: SIGTERM, a wait, SIGKILL.
 */
export async function stopOthers(
  init: InitName,
  observer: Observer,
  { init: initSeconds, term, kill } = limits,
): Promise<Stopped> {
  observer.note?.(`stopping what runs under ${init}`);
  await stopServices(init, initSeconds, observer);
  const resume = pauseInit(init);
  await end("SIGTERM", term);
  const left = await end("SIGKILL", kill);
  if (left.length > 0) {
    const names = left.slice(0, mostNamed).map(({ pid, name }) => `${name} (${pid})`);
    const more = left.length > mostNamed ? ` and ${left.length - mostNamed} others` : "";
    observer.warn?.(`these processes do not end: ${names.join(", ")}${more}`);
  }
  return new Stopped(() => {
    resume();
    observer.warn?.("the services were stopped for the handover, and do not run any more");
  });
}

async function stopServices(init: InitName, seconds: number, observer: Observer): Promise<void> {
  const command = ways[init]?.find(([program]) => program !== undefined && exists(program));
  if (command === undefined) return;
  observer.note?.(`${command.join(" ")} stops the services`);
  try {
    const child = Bun.spawn([...command], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      timeout: seconds * 1000,
      killSignal: "SIGKILL",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    });
    const exit = await child.exited;
    if (exit !== 0) observer.warn?.(`${command.join(" ")} ended with ${exit}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    observer.warn?.(`${command.join(" ")} cannot be run: ${why}`);
  }
}

/** Sends the signal to all, and waits until they have ended. Returns those that have not. */
async function end(signal: "SIGTERM" | "SIGKILL", seconds: number): Promise<readonly Process[]> {
  const until = performance.now() + seconds * 1000;
  for (const { pid } of others(readProcesses())) {
    sendSignal(pid, signal);
    // What is stopped ends only when it goes on.
    if (signal === "SIGTERM") sendSignal(pid, "SIGCONT");
  }
  for (;;) {
    const left = others(readProcesses());
    if (left.length === 0 || performance.now() > until) return left;
    await Bun.sleep(pollMs);
  }
}

/** All but the first process, the kernel's, supervisors, this one, what it started and who started it. */
export function others(all: readonly Process[], own = process.pid): readonly Process[] {
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent] as const));
  const kept = new Set([1]);
  for (
    let pid: number | undefined = own;
    pid !== undefined && !kept.has(pid);
    pid = parents.get(pid)
  ) {
    kept.add(pid);
  }
  return all.filter(
    ({ pid, parent, name, ofKernel, ended }) =>
      !(kept.has(pid) || parent === own || ofKernel || ended || supervisors.test(name)),
  );
}
