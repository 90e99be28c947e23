/** Tests that need a guest: skipped by name where the machine lacks what they need. */
import { afterAll, describe, test } from "bun:test";
import { existsSync } from "node:fs";
import { notBuiltMark } from "../../runner/report.ts";
import type { Program } from "../../runner/tools.ts";
import { type BuiltName, builtKernels, findSource } from "./built-kernels.ts";
import { type Guest, runningGuests } from "./guest.ts";
import type { Arch } from "./host.ts";
import { buildFor, findKernel, type KernelName } from "./kernels.ts";
import { type PackageName, testPackages, unpackedPackage } from "./packages.ts";
import { callingTest, watching } from "./witness.ts";

/**
 * A kernel (with the QEMU for it), the source that kernels are built from, a program or a file of this
 * host, or an unpacked package.
 */
export type Need =
  | KernelName
  | "kernel-source"
  | `tool:${Program}`
  | `file:${string}`
  | `package:${PackageName}`;

/** What the machine can be asked for, whether or not the set-up installs it. */
type Asked = Need | `tool:${string}`;

export interface TestOptions {
  readonly needs: readonly Need[];
  /** Seconds; default 450. */
  readonly timeout?: number;
}

/**
 * What a test's name ends in where it cannot be run: what this machine does not have, or, where that
 * is kernels that it could build and nothing else, their names.
 */
export function whyNot(needs: readonly Asked[]): string | undefined {
  const missing = needs.filter((need) => !hasNeed(need));
  if (missing.length === 0) return undefined;
  const builds = missing.map(usefulBuild);
  const wanted = builds.filter((name) => name !== undefined);
  if (wanted.length === missing.length) return notBuiltMark([...new Set(wanted)]);
  const names = missing.filter((_, index) => builds[index] === undefined);
  return `(needs ${names.map((need) => need.replace(/^(tool|file|package):/, "")).join(", ")})`;
}

/** How many times longer than usual kernels take that stand in for faster ones. */
function patienceFor(needs: readonly Need[]): number {
  return Math.max(1, ...needs.map((need) => findKernel(need)?.patience ?? 1));
}

/** A test whose guests are stopped at its end, and whose guests' logs are kept when it fails. */
export function vmTest(name: string, options: TestOptions, body: () => Promise<void>): void {
  const { needs, timeout = 450 } = options;
  const problem = whyNot(needs);
  if (problem !== undefined) {
    test.skip(`${name} ${problem}`, () => {});
    return;
  }
  const file = callingTest();
  const guarded = async () => {
    const before = new Set(runningGuests());
    try {
      await keepingLogs({ name, file }, body);
    } finally {
      await stopAll(runningGuests().filter((guest) => !before.has(guest)));
    }
  };
  test(name, guarded, timeout * patienceFor(needs) * 1000);
}

/** Registers a test that gets the suite's guest. */
export type SuiteTest = (
  name: string,
  body: (guest: Guest) => Promise<void>,
  timeout?: number,
) => void;

/**
 * Tests that share a guest, started by the first one and stopped after the
 * last. A test that fails, or that ends the guest, leaves the next a fresh one.
 */
export function vmSuite(
  name: string,
  options: TestOptions & { readonly start: () => Promise<Guest> },
  body: (test: SuiteTest) => void,
): void {
  const { needs, start } = options;
  const problem = whyNot(needs);
  const patience = patienceFor(needs);
  const file = callingTest();
  const state: { guest?: Guest | undefined } = {};
  const shared = async () => {
    if (state.guest?.alive !== true) state.guest = await start();
    return state.guest;
  };
  describe(name, () => {
    body((title, work, timeout = options.timeout ?? 450) => {
      if (problem !== undefined) {
        test.skip(`${title} ${problem}`, () => {});
        return;
      }
      const guarded = async () => {
        try {
          await keepingLogs(
            { name: `${name} ${title}`, file },
            async () => work(await shared()),
            () => state.guest,
          );
        } catch (error) {
          await state.guest?.stop();
          throw error;
        }
      };
      test(title, guarded, timeout * patience * 1000);
    });
    afterAll(async () => {
      await state.guest?.stop();
    });
  });
}

async function keepingLogs(
  { name, file }: { readonly name: string; readonly file: string },
  body: () => Promise<void>,
  shared: () => Guest | undefined = () => undefined,
): Promise<void> {
  const passed = watching(name, file);
  try {
    await body();
    passed(shared());
  } catch (error) {
    for (const guest of runningGuests()) {
      console.error(`console of the guest: ${guest.keepLog(`${name}-${guest.kernel.name}`)}`);
    }
    throw error;
  }
}

async function stopAll(guests: readonly Guest[]): Promise<void> {
  await Promise.all(guests.map((guest) => guest.stop()));
}

function hasNeed(need: Asked): boolean {
  if (need.startsWith("tool:")) return Bun.which(need.slice("tool:".length)) !== null;
  if (need.startsWith("file:")) return existsSync(need.slice("file:".length));
  if (need === "kernel-source") return findSource() !== undefined;
  const name = testPackages.find((known) => need === `package:${known}`);
  return name === undefined ? hasKernel(need) : unpackedPackage(name) !== undefined;
}

function hasKernel(need: string): boolean {
  const kernel = findKernel(need);
  return kernel !== undefined && hasBench(kernel.arch);
}

/** What is to be built for it, where that would be of use here. */
function usefulBuild(need: Asked): BuiltName | undefined {
  // The source comes with any kernel.
  const build = need === "kernel-source" ? "x86_64-small" : buildFor(need);
  return build !== undefined && hasBench(builtKernels[build].arch) ? build : undefined;
}

function hasBench(arch: Arch): boolean {
  if (Bun.which(`qemu-system-${arch}`) === null) return false;
  const busybox = arch === "x86_64" ? "busybox-static:amd64" : "busybox-static:arm64";
  return unpackedPackage(busybox) !== undefined;
}
