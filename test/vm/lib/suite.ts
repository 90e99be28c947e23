/** Tests that need a guest: skipped by name where the machine lacks what they need. */
import { afterAll, describe, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Guest, runningGuests } from "./guest.ts";
import { findKernel, type KernelName } from "./kernels.ts";
import { type PackageName, testPackages, unpackedPackage } from "./packages.ts";

/** A kernel (with the QEMU for it), a program or a file of this host, or an unpacked package. */
export type Need = KernelName | `tool:${string}` | `file:${string}` | `package:${PackageName}`;

export interface TestOptions {
  readonly needs: readonly Need[];
  /** Seconds; default 450. */
  readonly timeout?: number;
}

/** What of the needs this machine does not have. */
export function missingNeeds(needs: readonly Need[]): string[] {
  return needs.flatMap((need) =>
    hasNeed(need) ? [] : [need.replace(/^(tool|file|package):/, "")],
  );
}

/** A test whose guests are stopped at its end, and whose guests' logs are kept when it fails. */
export function vmTest(name: string, options: TestOptions, body: () => Promise<void>): void {
  const { needs, timeout = 450 } = options;
  const missing = missingNeeds(needs);
  if (missing.length > 0) {
    test.skip(`${name} (needs ${missing.join(", ")})`, () => {});
    return;
  }
  const guarded = async () => {
    const before = new Set(runningGuests());
    try {
      await keepingLogs(name, body);
    } finally {
      await stopAll(runningGuests().filter((guest) => !before.has(guest)));
    }
  };
  test(name, guarded, timeout * 1000);
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
  const missing = missingNeeds(needs);
  const state: { guest?: Guest | undefined } = {};
  const shared = async () => {
    if (state.guest?.alive !== true) state.guest = await start();
    return state.guest;
  };
  describe(name, () => {
    body((title, work, timeout = options.timeout ?? 450) => {
      if (missing.length > 0) {
        test.skip(`${title} (needs ${missing.join(", ")})`, () => {});
        return;
      }
      const guarded = async () => {
        try {
          await keepingLogs(`${name} ${title}`, async () => work(await shared()));
        } catch (error) {
          await state.guest?.stop();
          throw error;
        }
      };
      test(title, guarded, timeout * 1000);
    });
    afterAll(async () => {
      await state.guest?.stop();
    });
  });
}

async function keepingLogs(name: string, body: () => Promise<void>): Promise<void> {
  try {
    await body();
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

function hasNeed(need: Need): boolean {
  if (need.startsWith("tool:")) return Bun.which(need.slice("tool:".length)) !== null;
  if (need.startsWith("file:")) return existsSync(need.slice("file:".length));
  const name = testPackages.find((known) => need === `package:${known}`);
  return name === undefined ? hasKernel(need) : unpackedPackage(name) !== undefined;
}

function hasKernel(need: string): boolean {
  const kernel = findKernel(need);
  if (kernel === undefined || Bun.which(`qemu-system-${kernel.arch}`) === null) return false;
  const busybox = kernel.arch === "x86_64" ? "busybox-static:amd64" : "busybox-static:arm64";
  return unpackedPackage(busybox) !== undefined;
}
