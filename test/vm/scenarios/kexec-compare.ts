/** kexec-tools and this program called as `kexec`: one command line after the other, by each of them. */
import { expect } from "bun:test";
import { initrd, scene, vmlinuz } from "../lib/aegis.ts";
import type { Guest } from "../lib/guest.ts";
import { type GuestEntry, text } from "../lib/initramfs.ts";
import { unpackedPackage } from "../lib/packages.ts";
import { kexecTools, newestKexec } from "../lib/programs.ts";
import { type SuiteTest, vmSuite } from "../lib/suite.ts";
import type { Outcome, Row } from "./kexec-table.ts";

export const tools = { theirs: "/theirs", newest: "/newest", ours: "/ours" } as const;
type Theirs = "theirs" | "newest";

/** Both programs as `kexec`, each in a folder of its own, and a shutdown that only takes a note. */
export const entries: readonly GuestEntry[] = [
  { type: "symlink", path: "/ours/kexec", target: "/sbin/aegis-kexec" },
  text("/sbin/shutdown", '#!/bin/sh\necho "$0 $@" >/tmp/shutdown\n', 0o755),
  text("/boot/notes.txt", "not a kernel\n".repeat(200)),
  { type: "file", path: "/boot/empty", data: new Uint8Array() },
];
export const theirPackage =
  `file:${unpackedPackage("kexec-tools:amd64") ?? "kexec-tools"}` as const;
export const programs = () => [kexecTools("/theirs/kexec")];

interface Run extends Outcome {
  readonly said: string;
}

/** Brings the guest into the state before, and runs a line with one of the programs as `kexec`. */
async function run(guest: Guest, tool: string, { line, before }: Row): Promise<Run> {
  const prepare = [
    "/theirs/kexec -s -u; /theirs/kexec -s -p -u; rm -f /tmp/shutdown",
    before === "reboot" || before === "both" ? `/theirs/kexec -s -l ${vmlinuz}` : "",
    before === "crash" || before === "both" ? `/theirs/kexec -s -p ${vmlinuz}` : "",
  ];
  const { exit, stdout, stderr } = await guest.run(
    `{ ${prepare.filter((part) => part !== "").join("\n")}\n} >/dev/null 2>&1
PATH=${tool}:$PATH K=${vmlinuz} I=${initrd}
{ ${line}
} >/tmp/said 2>&1
exit=$?
cat /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_loaded
cat /tmp/shutdown 2>/dev/null || echo
cat /tmp/said
exit $exit`,
  );
  const [loaded, crashLoaded, shutdown = "", ...said] = stdout.split("\n");
  return {
    exit,
    loaded: loaded === "1",
    crashLoaded: crashLoaded === "1",
    shutdown,
    said: `${said.join("\n")}${stderr}`,
  };
}

/** What is wrong with a row: nothing, or an account of it. */
async function compare(guest: Guest, row: Row, tool: Theirs): Promise<string[]> {
  const theirs = await run(guest, tools[tool], row);
  const ours = await run(guest, tools.ours, row);
  const { says = "" } = row;
  const differs = tool === "newest" && row.newest !== undefined ? row.newest.differs : row.differs;
  const same = outcomeOf(theirs) === outcomeOf(ours);
  const problems = [
    theirs.said.includes(says) || (tool === "newest" && row.newest?.silent === true)
      ? []
      : ["kexec-tools does not say what the row has"],
    ours.said.includes(says) ? [] : ["this program does not say it"],
    same || differs !== undefined ? [] : ["a difference that is not listed"],
    !same || differs === undefined ? [] : ["the listed difference is gone"],
    isLike(theirs, differs?.theirs) ? [] : ["kexec-tools does not do what is listed"],
    isLike(ours, differs?.ours) ? [] : ["this program does not do what is listed"],
  ].flat();
  if (problems.length === 0) return [];
  const told = (run: Run) => `${outcomeOf(run)}\n${run.said.trim().slice(0, 500)}`;
  return [
    `${row.line}: ${problems.join("; ")}\n  kexec-tools: ${told(theirs)}\n  ours: ${told(ours)}`,
  ];
}

export async function compareAll(
  guest: Guest,
  table: readonly Row[],
  tool: Theirs = "theirs",
): Promise<void> {
  const problems: string[] = [];
  for (const row of table) problems.push(...(await compare(guest, row, tool)));
  expect(problems.join("\n\n")).toBe("");
}

/** Files that the rows name. */
export async function prepare(guest: Guest): Promise<void> {
  await guest.check(
    `cp ${vmlinuz} /boot/busy; head -c 700000 ${vmlinuz} >/boot/truncated; chmod 755 /boot`,
  );
}

function outcomeOf({ exit, loaded, crashLoaded, shutdown }: Outcome): string {
  return JSON.stringify({ exit, loaded, crashLoaded, shutdown });
}

function isLike(outcome: Outcome, expected: Partial<Outcome> = {}): boolean {
  return outcomeOf({ ...outcome, ...expected }) === outcomeOf(outcome);
}

/** Debian's kernel has both system calls, and memory for a crash kernel; what it loads is small. */
export function besideKexecTools(title: string, body: (test: SuiteTest) => void): void {
  vmSuite(
    title,
    {
      needs: ["debian-6.1", "shared-x86_64", theirPackage, "package:sid/kexec-tools:amd64"],
      start: () =>
        scene({
          first: "debian-6.1",
          next: "shared-x86_64",
          entries: [...entries, ...newestKexec("/newest/kexec")],
          initramfs: { programs: programs() },
          guest: { memory: 1024, cmdline: "crashkernel=128M" },
        }).start(),
    },
    body,
  );
}
