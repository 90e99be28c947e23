/** Whether systemd runs this machine, and asking it to hand over: sd_booted(3), systemctl(1). */
import { exists, isDirectory } from "./path.ts";

/** A full system run by systemd: not an initramfs, where nothing is to be stopped. */
export function runBySystemd(): boolean {
  return isDirectory("/run/systemd/system") && !exists("/etc/initrd-release");
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
