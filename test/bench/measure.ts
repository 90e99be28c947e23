/** Runs works in guests and gathers what they cost. */
import { join } from "node:path";
import type { Guest } from "../vm/lib/guest.ts";
import type { GuestEntry } from "../vm/lib/initramfs.ts";
import { readTrace, type Sample } from "./instrument.ts";
import { countedInstructions, type Scene } from "./scene.ts";
import { type ProgramName, partSize, type Work, type WorkName } from "./works.ts";

/** One run of a program. */
export interface Run extends Sample {
  readonly work: WorkName;
  readonly program: ProgramName;
  /** Which guest, from 0. */
  readonly boot: number;
  /** Which run in this guest, from 0: the first one is cold. */
  readonly turn: number;
}

export interface Plan {
  readonly works: readonly Work[];
  /** Guests, each freshly booted. */
  readonly boots: number;
  /** Runs of each program in each guest. */
  readonly turns: number;
  /** MiB of the guest. */
  readonly memory: number;
  /** Count instructions, or else take the time. */
  readonly icount: boolean;
  /** Only what the ratios are made of: this program, and what it is compared with. */
  readonly ratios?: boolean;
}

/** Measures all works in each of `boots` guests, the programs of a work by turns. */
export async function measureAll(
  scene: Scene,
  plan: Plan,
  report: (line: string) => void,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let boot = 0; boot < plan.boots; boot++) {
    report(`guest ${boot + 1} of ${plan.boots}, ${plan.memory} MiB: booting`);
    await using guest = await scene.start(plan);
    if (plan.icount) report(`  instrument: ${await checkInstrument(guest)}`);
    for (const work of plan.works) {
      await prepareWork(guest, work);
      const compared: readonly ProgramName[] = [work.reference, "aegis-kexec"];
      const contenders = work.contenders.filter(
        ({ program }) =>
          !scene.missing.has(program) && (plan.ratios !== true || compared.includes(program)),
      );
      // In another order in each guest, so that nobody always goes first
      const order = contenders.map((_, index) => contenders[(index + boot) % contenders.length]);
      for (let turn = 0; turn < plan.turns; turn++) {
        for (const contender of order) {
          if (contender === undefined) continue;
          const sample = await measureOne(guest, work, contender.command);
          runs.push({ work: work.name, program: contender.program, boot, turn, ...sample });
        }
      }
      report(`  ${work.name}: done`);
    }
  }
  return runs;
}

/**
 * Runs a program of known length.
 * @returns what to say of it
 * @throws Error when the instrument is wrong by 1 % or more
 */
async function checkInstrument(guest: Guest): Promise<string> {
  const { busy } = await measureCommand(guest, "/bench/count");
  const error = busy / countedInstructions - 1;
  const said = `${countedInstructions} instructions counted as ${busy}`;
  if (Math.abs(error) >= 0.01) throw new Error(`the instrument is wrong: ${said}`);
  return said;
}

/** Makes the archives that are too large to travel in the guest's own. */
async function prepareWork(guest: Guest, work: Work): Promise<void> {
  const sizes = { "plain-200": ["large", 200], "plain-1000": ["huge", 1000] } as const;
  if (work.name !== "plain-200" && work.name !== "plain-1000") return;
  const [name, size] = sizes[work.name];
  const parts = Array.from({ length: size / partSize }, () => "/boot/part-1.img").join(" ");
  await guest.check(`rm -f /boot/large.img; cat ${parts} >/boot/${name}.img`, { timeout: 300 });
}

/** One run, which must end with a kernel loaded where the work is to load one. */
async function measureOne(guest: Guest, work: Work, command: string): Promise<Sample> {
  await guest.check("kexec -s -u; rm -f /run/joined.img");
  const sample = await measureCommand(guest, command);
  const loaded = await guest.check("cat /sys/kernel/kexec_loaded");
  if (work.loads !== (loaded.trim() === "1")) throw new Error(`nothing was loaded by: ${command}`);
  return sample;
}

/** A script of guest/, at its place in a guest. */
export function guestScript(name: "measure.sh" | "today.sh"): GuestEntry {
  const source = join(import.meta.dir, "guest", name);
  return { type: "host-file", path: `/bench/${name}`, source };
}

/** Runs a command, or a function of guest/today.sh, under the instrument. */
export async function measureCommand(guest: Guest, command: string): Promise<Sample> {
  const script = [
    ". /bench/measure.sh",
    ". /bench/today.sh",
    "read -r cmdline </bench/cmdline",
    `measure ${command}`,
  ];
  return readTrace(await guest.check(script.join("\n"), { timeout: 1800 }));
}
