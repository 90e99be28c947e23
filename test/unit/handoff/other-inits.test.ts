import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { others } from "../../../src/handoff/leave/other-inits.ts";
import { type Process, parseStat } from "../../../src/linux/processes.ts";

const folder = mkdtempSync(join(tmpdir(), "inits-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a process is read whatever its name is", () => {
  const read = (name: string, state = "S", flags = 4194304) =>
    parseStat(`42 (${name}) ${state} 7 42 42 0 -1 ${flags} 0 0\n`);
  expect(read("a) S 1 (b")).toEqual({
    pid: 42,
    parent: 7,
    name: "a) S 1 (b",
    ofKernel: false,
    ended: false,
  });
  expect(read("kworker/0:1", "I", 0x0020_8040)).toMatchObject({ ofKernel: true });
  expect(read("gone", "Z")).toMatchObject({ ended: true });
  expect(parseStat("")).toBeUndefined();
});

test("all are stopped but the first, those who started this, supervisors and the kernel's", () => {
  const one = (
    pid: number,
    parent: number,
    name: string,
    rest: Partial<Process> = {},
  ): Process => ({
    ...{ pid, parent, name, ofKernel: false, ended: false },
    ...rest,
  });
  const all = [
    one(1, 0, "init"),
    one(2, 0, "kthreadd", { ofKernel: true }),
    one(10, 1, "sshd"),
    one(11, 10, "sh"),
    one(12, 11, "aegis-kexec"),
    one(13, 12, "aegis-kexec"),
    one(20, 1, "database"),
    one(21, 20, "writer"),
    one(22, 1, "gone", { ended: true }),
    one(30, 1, "runsvdir"),
    one(31, 30, "runsv"),
    one(32, 31, "service"),
    one(33, 1, "supervise-daemo"),
  ];
  expect(others(all, 12).map(({ pid }) => pid)).toEqual([20, 21, 32]);
});

/** How processes are put apart here: by root as it is, by others in a user namespace of their own. */
const apart = [[], ["--user", "--map-root-user"]]
  .map((mine) => ["unshare", ...mine, "--pid", "--fork", "--mount-proc"])
  .find((command) => Bun.which("unshare") !== null && Bun.spawnSync([...command, "true"]).success);
const why = apart === undefined ? " (needs unshare, with pid namespaces)" : "";

test.skipIf(apart === undefined)(
  `real processes see SIGTERM, what is stopped too; what ignores it ends all the same${why}`,
  () => {
    const program = join(folder, "stop.ts");
    const source = join(import.meta.dir, "..", "..", "..", "src");
    writeFileSync(
      program,
      `import { stopOthers } from "${source}/handoff/leave/other-inits.ts";
     import { readProcesses } from "${source}/linux/processes.ts";
     await stopOthers("another init", {}, { init: 1, term: 1, kill: 1 });
     console.log(readProcesses().filter(({ ended }) => !ended).length);`,
    );
    const script = join(folder, "init.sh");
    writeFileSync(
      script,
      `(trap 'echo saw TERM >>${folder}/seen; exit 0' TERM; while :; do sleep 0.1; done) &
     (trap '' TERM; exec sleep 1000) &
     sh -c 'trap "echo stopped saw TERM >>${folder}/seen; exit 0" TERM; kill -STOP $$; sleep 1000' &
     sleep 0.5; ${process.execPath} ${program}`,
    );
    const { stdout } = Bun.spawnSync([...(apart ?? []), "sh", script], { stderr: "ignore" });
    // This shell and the program: nobody else is left.
    expect(stdout.toString()).toBe("2\n");
    expect(readFileSync(join(folder, "seen"), "utf8").split("\n").sort()).toEqual([
      "",
      "saw TERM",
      "stopped saw TERM",
    ]);
  },
  60_000,
);
