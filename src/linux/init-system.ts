/** Whether systemd runs this machine, and asking it to hand over: sd_booted(3), systemctl(1). */
import { isInMemory, readMounts } from "./mounts.ts";
import { exists, isDirectory } from "./path.ts";
import { programOf, sendSignal } from "./processes.ts";
import { isInit } from "./reboot.ts";

/** A full system run by systemd: not an initramfs, where nothing is to be stopped. */
export function runBySystemd(): boolean {
  return isDirectory("/run/systemd/system") && !exists("/etc/initrd-release");
}

/** An init system that is told apart by what it has in /run, or by its program. */
export type InitName = "openrc" | "runit" | "s6" | "busybox" | "sysvinit" | "another init";

/**
 * The init that runs this machine, where it is not systemd; undefined in an initramfs, whose root is in
 * memory, and where this process is the first one: there nothing is to be stopped.
 */
export function initOf(): InitName | undefined {
  if (isInit() || runBySystemd() || exists("/etc/initrd-release") || rootIsInMemory())
    return undefined;
  const program = programOf(1) ?? "";
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (isDirectory("/run/openrc")) return "openrc";
  if (name.startsWith("runit")) return "runit";
  if (name.startsWith("s6-")) return "s6";
  if (name.startsWith("busybox")) return "busybox";
  return name === "init" ? "sysvinit" : "another init";
}

function rootIsInMemory(): boolean {
  const mounts = readMounts();
  if (typeof mounts === "number") return true;
  const root = mounts.findLast(({ mountPoint }) => mountPoint === "/");
  return root === undefined || isInMemory(root);
}

/**
 * Keeps an init from starting again what is stopped: busybox' and sysvinit pause at SIGTSTP until SIGCONT
 * (stop_handler in init/init.c; init(8)).
 * @returns what lets it go on
 */
export function pauseInit(init: InitName): () => void {
  if (init !== "busybox" && init !== "sysvinit" && init !== "openrc") return () => undefined;
  sendSignal(1, "SIGTSTP");
  return () => sendSignal(1, "SIGCONT");
}

/** What came of a command: why it failed, or undefined. */
export type CommandFailure = string | undefined;

/** Seconds that a command of systemd may take: it only asks the manager. */
const COMMAND_SECONDS = 60;

/**
 * Runs one of systemd's commands by its absolute path, with nothing of this process's environment.
 * Returns why it failed, or undefined.
 */
export async function systemCommand(
  name: "systemctl" | "busctl",
  words: readonly string[],
): Promise<CommandFailure> {
  const path = ["/usr/bin", "/bin"].map((folder) => `${folder}/${name}`).find(exists);
  if (path === undefined) return `there is no /usr/bin/${name}`;
  try {
    const child = Bun.spawn([path, ...words], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: COMMAND_SECONDS * 1000,
      killSignal: "SIGKILL",
      env: {
        PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
        LC_ALL: "C",
        // A reboot must go through firmware though a kernel is loaded: systemctl(1), from 256 on.
        SYSTEMCTL_SKIP_AUTO_KEXEC: "1",
      },
    });
    const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    if (exit === 0) return undefined;
    const lastLine = said.trim().split("\n").at(-1) ?? "";
    return lastLine === "" ? `${name} ended with ${exit}` : lastLine.slice(0, 500);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
