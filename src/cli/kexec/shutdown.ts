/** The way through the init system: `shutdown -r now`, where kexec-tools looks for it. */
import { cannot } from "../../errors.ts";

const places = ["/sbin/shutdown", "/etc/shutdown", "/bin/shutdown"];

/**
 * Asks the init system to reboot, which ends in the loaded kernel where it knows of kexec
 * (systemd's shutdown does).
 * @returns the exit code of shutdown
 * @throws KexecError `io-error` when there is none
 */
export function shutDown(): number {
  for (const path of places) {
    try {
      return Bun.spawnSync([path, "-r", "now"], {
        argv0: "shutdown",
        stdio: ["inherit", "inherit", "inherit"],
      }).exitCode;
    } catch (error) {
      // What cannot be run is passed over, as by kexec-tools.
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }
  throw cannot(
    "shut down into the loaded kernel",
    {
      code: "io-error",
      why: "there is no shutdown command",
      hint: "the kernel is loaded: kexec -e hands over at once, without a shutdown",
    },
    { errno: "ENOENT" },
  );
}
