/** The long ones of test/vm/attacks.test.ts: every signal at every stage, and the first process. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { ignorable } from "../../../src/linux/signals.ts";
import { consoleWords, startAttacked } from "../lib/attacked.ts";
import { type Guest, startGuest } from "../lib/guest.ts";
import { kernel } from "../lib/kernels.ts";
import { preboot } from "../lib/preboot.ts";
import { vmSuite, vmTest } from "../lib/suite.ts";

const plain = `load /mnt/42/vmlinuz --initrd /mnt/42/initrd.img --cmdline '${consoleWords}' --secret /wait:/etc/key`;
/** Those by which a process may be asked to end: signal(7). */
const caught = [1, 2, 3, 15];
/** Stopped, it does nothing; what comes after that it says itself. */
const stopping = [19];

/** Loads with a secret that is waited for, and sends a signal meanwhile. */
async function whileItWaits(guest: Guest, signal: number): Promise<string> {
  const { stdout } = await guest.run(
    `aegis-kexec ${plain} >/out 2>&1 & pid=$!; exec 9>/wait; n=0; until [ -e /proc/$pid/fd/11 ] || [ $n -gt 20 ]; do sleep 0.1; n=$((n+1)); done; sleep 1; ` +
      `kill -${signal} $pid; sleep 0.3; kill -CONT $pid 2>/dev/null; (printf key >&9) 2>/dev/null; exec 9>&-; wait $pid; echo "$? $(cat /sys/kernel/kexec_loaded)"; aegis-kexec unload >/dev/null`,
    { timeout: 60 },
  );
  return stdout.trim();
}

{
  const token = randomUUID();
  const start = async () => {
    const guest = await startAttacked("shared-x86_64", token);
    await guest.check("mkfifo /wait");
    return guest;
  };
  vmSuite("each signal, from 1 to 64", { needs: ["shared-x86_64"], start }, (test) => {
    for (let first = 1; first <= 64; first += 8) {
      test(`${first} to ${first + 7}, while a secret is held`, async (guest) => {
        for (let signal = first; signal < first + 8; signal++) {
          const seen = await whileItWaits(guest, signal);
          if (caught.includes(signal))
            expect(`${signal}: ${seen}`).toBe(`${signal}: ${128 + signal} 0`);
          else if (ignorable().includes(signal) || stopping.includes(signal)) {
            expect(`${signal}: ${seen}`).toBe(`${signal}: 0 1`);
          } else {
            // A fault, KILL, libc's or the runtime's: it ended before the load, or nothing came of it.
            expect(`${signal}: ${seen}`).toMatch(/: (\d+ 0|0 1)$/);
          }
        }
      }, 200);
    }

    test("at any moment of a load what is loaded was told", async (guest) => {
      for (const signal of [...caught, 10, 12, 14, 34, 64]) {
        for (const pause of ["0.05", "0.2", "0.4", "0.7"]) {
          const { stdout } = await guest.run(
            `printf key >/key; aegis-kexec ${plain.replace("/wait:", "/key:")} >/out 2>&1 & pid=$!; sleep ${pause}; kill -${signal} $pid 2>/dev/null; wait $pid; echo "$? $(cat /sys/kernel/kexec_loaded) $(grep -c '^kernel loaded' /out)"; aegis-kexec unload >/dev/null`,
            { timeout: 60 },
          );
          // Loaded and told, or neither. Before it holds a secret a signal may end it as any program,
          // and so it may once it has told, when nothing is left to do but to end.
          expect(`${signal} ${stdout.trim()}`).toMatch(/ (\d+ 1 1|[1-9]\d* 0 0)$/);
        }
      }
    }, 400);

    test("between the load and the jump none of those that may be ignored keeps the jump", async (guest) => {
      // The log is a pipe that nobody reads: for some seconds the process waits there.
      const up = await guest.handoff(
        `mkfifo /log; printf key >/key; aegis-kexec boot ${plain.replace(/^load /, "").replace("/wait:", "/key:")} --log /log & pid=$!; ` +
          `while [ "$(cat /sys/kernel/kexec_loaded)" = 0 ]; do sleep 0.1; done; for n in ${ignorable().join(" ")}; do kill -$n $pid; done; wait $pid`,
      );
      expect(up).toMatchObject({ token, cmdline: consoleWords });
      await guest.stop();
    }, 300);
  });
}

/** Kernel command lines that a stranger may write; each ends in a reboot, which ends QEMU. */
const hostile = [
  "rdinit=/sbin/aegis-kexec -- internal:append-line",
  "rdinit=/sbin/aegis-kexec -- internal:read-only 1",
  "rdinit=/sbin/aegis-kexec internal:append-line",
  "sysctl.vm.overcommit_memory=2 rdinit=/sbin/aegis-kexec -- boot /boot/vmlinuz --cmdline=x",
  "rdinit=/sbin/aegis-kexec --",
  "rdinit=/sbin/aegis-kexec -- --help",
  "rdinit=/sbin/aegis-kexec -- boot /boot/vmlinuz --cmdline=x --secret -:/x",
  "rdinit=/sbin/aegis-kexec -- boot /dev/console --cmdline=x",
  "rdinit=/sbin/aegis-kexec -- boot /boot/vmlinuz --cmdline=x --log /dev/console --dry-run",
  'rdinit=/sbin/aegis-kexec BUN_BE_BUN=1 BUN_OPTIONS=--version "-- boot /boot/vmlinuz',
];

for (const line of hostile) {
  vmTest(
    `the first process reboots: ${line}`,
    { needs: ["debian-6.12"], timeout: 300 },
    async () => {
      const started = startGuest({
        kernel: kernel("debian-6.12"),
        initramfs: await preboot("debian-6.12", ""),
        cmdline: line,
        bootTimeout: 200,
      });
      const failure = String(await started.catch((error: unknown) => error));
      expect(failure).toContain("QEMU ended");
      expect(failure).not.toContain("Kernel panic");
    },
  );
}
