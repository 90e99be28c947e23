/**
 * The README's first commands, as they are printed, in containers of a clean Debian: as root, and as
 * somebody with sudo. `test:fresh --all` runs all tests in each of them, which takes hours.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { findKernel } from "../vm/lib/kernels.ts";
import { printedCommand } from "../vm/lib/readme.ts";
import { Container, type DebianName, missingTools, type User } from "./container.ts";

/** The groups that hang on who runs them. */
const ofUser: Readonly<Record<string, string>> = {
  types: "the npm that installed the packages",
  lint: "the same",
  unit: "namespaces, /dev, who runs it, the versions of two dozen tools",
  cli: "the shell, /proc, signals of the first process",
  "vm/readme": "what needs no kernel of ours, by QEMU and sudo",
};

/**
 * Those that hang on that Debian alone: root runs them too. For 20 minutes in all; the others run the same
 * guests by the same QEMU anywhere.
 */
const ofDebian: Readonly<Record<string, string>> = {
  "build/release": "tar, minisign, npm, and that Debian's rules for packages",
  "vm/bench": "QEMU, on both architectures, and kernels that stand in for absent ones",
  "vm/systemd": "a disk that is made there, which takes mounts",
  "vm/packaging": "a chroot there, and its loop devices and /proc",
};
const groupsOf = (user: User) =>
  Object.keys(user === "root" ? { ...ofUser, ...ofDebian } : ofUser).join(" ");
const everything = process.env["AEGIS_TEST_SIZE"] === "all";

/** The last line that CI reads, without failures. */
const passed = /^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped$/;

export function readmeScenario(debian: DebianName, user: User): void {
  const title = `in a container of ${debian}, as ${user}`;
  const why = missingTools.length > 0 ? ` (needs ${missingTools.join(", ")})` : "";
  describe.skipIf(missingTools.length > 0)(title, () => {
    const made: { container?: Container } = {};
    const run = (script: string) => {
      if (made.container === undefined) throw new Error("there is no container");
      return made.container.run(script);
    };

    beforeAll(async () => {
      made.container = await Container.make(debian, user);
    }, 1_800_000);
    afterAll(() => made.container?.remove(), 1_800_000);

    test(`the demonstration works ${title}${why}`, async () => {
      const said = await run(printedCommand("demo"));
      expect(said).toContain("It worked: one kernel handed this machine over to the next");
    }, 1_800_000);

    test(`the binaries are built ${title}${why}`, async () => {
      await run(printedCommand("build"));
      const dist = made.container?.path("dist") ?? "";
      const built = readdirSync(dist).filter((one) => !one.startsWith("."));
      expect(built.sort()).toEqual([
        ...["aegis-kexec-linux-arm64", "aegis-kexec-linux-arm64-musl"],
        ...["aegis-kexec-linux-x64", "aegis-kexec-linux-x64-musl"],
      ]);
      const version = await run(`dist/aegis-kexec-linux-${process.arch} --version`);
      expect(version).toContain("aegis-kexec");
    }, 1_800_000);

    test(`the tests pass ${title}${why}`, async () => {
      const command = printedCommand("test").trim();
      const said = await run(everything ? command : `${command} ${groupsOf(user)}`);
      console.log(said);
      const lines = said.trim().split("\n");
      // A skip that does not say what it needs is a failure there
      expect(lines.at(-1)).toMatch(passed);
      // Nor does anything wait for a kernel that was given
      const builds = /^ {4}bun run kernels (.+)$/m.exec(said)?.[1]?.split(" ") ?? [];
      expect(builds.filter((name) => findKernel(name) !== undefined)).toEqual([]);
    }, 14_400_000);
  });
}
