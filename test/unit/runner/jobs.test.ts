/** What a command line of the test runner asks for, and in what order it is run. */
import { expect, test } from "bun:test";
import { targets } from "../../../build/targets.ts";
import {
  byTime,
  expectedSeconds,
  isWanted,
  parseWanted,
  purposeOf,
  stages,
  workersOf,
} from "../../runner/jobs.ts";
import usual from "../../runner/usual-times.json";

const names = [
  ...["types", "lint", "unit", "build/x", "cli", "bench"],
  ...["vm/trust", "vm/load", "vm/all/menus", "musl/trust", "musl/all/iso", "fresh/fleet"],
];
const chosen = (...args: string[]) => names.filter((name) => isWanted(name, parseWanted(args)));

test("each size is the one before and more", () => {
  expect(chosen("--quick")).toEqual(["types", "lint", "unit", "cli"]);
  expect(chosen()).toEqual(names.slice(0, 8));
  expect(chosen("--all")).toEqual(names.slice(0, 9));
});

test("words select groups and files, the long ones only where they are meant", () => {
  expect(chosen("vm")).toEqual(["vm/trust", "vm/load"]);
  expect(chosen("--all", "vm")).toEqual(["vm/trust", "vm/load", "vm/all/menus"]);
  expect(chosen("vm/all")).toEqual(["vm/all/menus"]);
  expect(chosen("vm/all/menus", "unit")).toEqual(["unit", "vm/all/menus"]);
  expect(chosen("fresh")).toEqual(["fresh/fleet"]);
  expect(chosen("musl")).toEqual(["musl/trust"]);
  expect(chosen("--all", "musl")).toEqual(["musl/trust", "musl/all/iso"]);
  expect(chosen("musl/all")).toEqual(["musl/all/iso"]);
  expect(chosen("vm/tru")).toEqual([]);
});

test("an unknown option is refused", () => {
  expect(() => parseWanted(["--qick"])).toThrow("usage");
  expect(() => parseWanted(["--quick", "--all"])).toThrow("usage");
});

test("the set-up prepares for no more than what is run", () => {
  expect(purposeOf(["types", "unit", "cli"])).toBe("quick");
  expect(purposeOf(["cli", "vm/all/menus"])).toBe("test");
  expect(purposeOf(["musl/trust"])).toBe("test");
  expect(purposeOf(["unit", "fresh/fleet"])).toBe("fresh");
});

test("the longest go first, and what was never timed before them", () => {
  const jobs = ["a", "b", "c", "d"].map((name) => ({ name }));
  const times = { a: 5, b: 50, d: 20 };
  expect(byTime(jobs, times).map(({ name }) => name)).toEqual(["c", "b", "d", "a"]);
  expect(expectedSeconds([50, 20, 5], 2)).toBe(50);
  expect(expectedSeconds([50, 20, 5, 50], 2)).toBe(75);
  expect(expectedSeconds([50, 20, 5, 50], 3)).toBe(55);
  expect(expectedSeconds([50, 20], 1)).toBe(70);
});

test("the groups of the machine are run with musl, but for those that are known to be glibc's", () => {
  const named = (beginning: string) =>
    stages()
      .flat()
      .flatMap(({ name }) => (name.startsWith(beginning) ? [name.slice(beginning.length)] : []));
  const groups = named("vm/").filter((name) => !name.startsWith("all/cli-"));
  const left = groups.filter((name) => !named("musl/").includes(name));
  expect(named("musl/").filter((name) => !groups.includes(name))).toEqual([]);
  expect(left).toContain("systemd");
  expect(left.length).toBe(13);
});

test("every test file of the machine is in one job", () => {
  const listed = stages().flatMap((stage) => stage.map(({ name }) => name));
  expect(new Set(listed).size).toBe(listed.length);
  for (const group of ["unit", "build/release", "cli", "bench", "vm/trust", "fresh/fleet"]) {
    expect(listed).toContain(group);
  }
});

test("the usual times are of jobs that there are", () => {
  const listed = stages().flatMap((stage) => stage.map(({ name }) => name));
  expect(Object.keys(usual).filter((name) => !listed.includes(name))).toEqual([]);
  expect(Object.keys(usual).length).toBeGreaterThan(30);
});

test("all runs the command line on all four binaries, and nothing less does more than one", () => {
  const jobs = stages().flat();
  const targetsOf = (...args: string[]) =>
    jobs
      .filter(({ name }) => isWanted(name, parseWanted(args)))
      .flatMap(({ target }) => target ?? []);
  const others = targets.map(({ name }) => name).filter((name) => name !== "linux-x64");
  expect(targetsOf("--all").sort()).toEqual(others.sort());
  expect(targetsOf()).toEqual([]);
  expect(purposeOf(jobs.flatMap(({ name, target }) => (target ? [name] : [])))).toBe("test");
});

test("two jobs run at a time, or as many as are asked for", () => {
  expect(workersOf({})).toBe(2);
  expect(workersOf({ AEGIS_TEST_WORKERS: "3" })).toBe(3);
  for (const said of ["", "0", "33", "many", "1.5"]) {
    expect(() => workersOf({ AEGIS_TEST_WORKERS: said })).toThrow(/must be a number from 1 to 32/);
  }
});
