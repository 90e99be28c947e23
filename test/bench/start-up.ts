/** What a load pays before its own first line: the runtime, and each package that it imports. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildTarget } from "../../build.ts";
import { startGuest } from "../vm/lib/guest.ts";
import { guestInitramfs, text } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { guestScript, measureCommand } from "./measure.ts";
import { type Figure, figure } from "./results.ts";

export interface StartUpCost {
  readonly program: string;
  /** Guest instructions, once warm. */
  readonly instructions: Figure;
}

const bunFfi = `import { dlopen, FFIType } from "bun:ffi";
const { symbols } = dlopen("libc.so.6", {
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: FFIType.i64_fast },
  __errno_location: { args: [], returns: "ptr" },
});
symbols.__errno_location();
symbols.syscall(39, 0, 0, 0, 0, 0, 0);
`;
const citty = `import { defineCommand, runCommand } from "citty";
await runCommand(defineCommand({ meta: { name: "x" }, run: () => {} }), { rawArgs: [] });
`;
const valibot = `import * as v from "valibot";
const schema = v.strictObject({
  kernel: v.pipe(v.string("text"), v.nonEmpty("empty")),
  initrd: v.optional(v.array(v.string("text")), []),
  dryRun: v.optional(v.boolean("yes or no"), false),
});
if (!v.safeParse(schema, { kernel: "/boot/vmlinuz" }).success) process.exit(1);
`;

const sources: readonly (readonly [program: string, source: string])[] = [
  ["empty Bun program", "export {};\n"],
  ["one system call through bun:ffi", bunFfi],
  ["one command by citty", citty],
  ["one object by valibot", valibot],
  ["all three", `${bunFfi}${valibot}${citty}`],
];

const runs = 4;

/** Programs of a few lines, compiled as aegis-kexec is. */
export async function measureStartUp(report: (line: string) => void): Promise<StartUpCost[]> {
  report("start-up: building the programs");
  const root = join(import.meta.dir, "../..");
  // Inside the project, where the packages are found
  const folder = mkdtempSync(join(root, ".cache", "start-up-"));
  try {
    const programs = await Promise.all(
      sources.map(async ([program, source], index) => {
        const entry = join(folder, `${index}.ts`);
        await Bun.write(entry, source);
        const outfile = join(folder, String(index));
        return {
          program,
          path: `/bench/program-${index}`,
          source: await buildTarget("linux-x64", { entry, outfile }),
        };
      }),
    );
    await using guest = await startGuest({
      kernel: kernel("debian-6.12"),
      initramfs: guestInitramfs({
        arch: "x86_64",
        token: "start-up",
        programs,
        entries: [
          guestScript("measure.sh"),
          guestScript("today.sh"),
          text("/bench/cmdline", "x\n"),
        ],
      }),
      memory: 4096,
      icount: "shift=0,sleep=off",
      cmdline: "quiet rootfstype=ramfs",
      bootTimeout: 300,
    });
    await guest.check(". /bench/measure.sh; prepare; sleep 20");
    const costs: StartUpCost[] = [];
    for (const { program, path } of programs) {
      const all: number[] = [];
      for (let run = 0; run < runs; run++) all.push((await measureCommand(guest, path)).busy);
      costs.push({ program, instructions: figure(all.slice(1)) });
    }
    return costs;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
