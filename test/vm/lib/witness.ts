/** On what each test that passed was shown: of that `bun run tested` writes docs/tested.md. */
import { appendFileSync, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { cacheFolder, isAboutMusl, repository } from "./host.ts";
import { guestHasMusl } from "./initramfs.ts";
import type { Kernel } from "./kernels.ts";

/** A machine, and the kernels that it went through. */
export interface Place {
  readonly arch: string;
  /** As `uname -r` says, the first one first. */
  readonly releases: readonly string[];
  /** KiB. */
  readonly pages: number;
  /** MiB. */
  readonly memory: number;
  readonly firmware: "none" | "BIOS" | "UEFI, Secure Boot";
  readonly lockdown: boolean;
  readonly libc: "glibc" | "musl";
}

/** A line of the record. */
export interface Shown {
  readonly test: string;
  readonly places: readonly Place[];
  /** Of the errors that programs printed as JSON; records of before have none. */
  readonly codes?: readonly string[];
}

interface Witnessed {
  readonly announcement: { readonly release: string; readonly cmdline: string };
}

interface Machine {
  readonly kernel: Kernel;
  readonly initramfs: string;
  readonly memory?: number;
  readonly firmware?: unknown;
}

const started: {
  readonly guest: Witnessed;
  readonly place: Omit<Place, "releases">;
  first: string;
}[] = [];

/** CONFIG_PAGE_SIZE of the kernels of aarch64 that do not have 4 KiB. */
function pagesOf({ name }: Kernel): number {
  return Number(/-(16|64)k$/.exec(name)?.[1] ?? 4);
}

/** A guest that came up. QEMU starts a kernel of x86_64 by SeaBIOS, and one of aarch64 itself. */
export function witness(guest: Witnessed, { kernel, initramfs, memory, firmware }: Machine): void {
  const { release, cmdline } = guest.announcement;
  const bare = kernel.arch === "x86_64" ? "BIOS" : "none";
  started.push({
    guest,
    first: release,
    place: {
      arch: kernel.arch,
      pages: pagesOf(kernel),
      memory: memory ?? 1024,
      firmware: firmware === undefined ? bare : "UEFI, Secure Boot",
      lockdown: firmware !== undefined || /\blockdown=/.test(cmdline),
      libc: guestHasMusl(initramfs) ? "musl" : "glibc",
    },
  });
}

/** Codes of errors that programs printed, in the order in which they came. */
const codes: string[] = [];

/** Notes the codes of errors in what a program printed. */
export function noteCodes(printed: string): void {
  for (const [, code = ""] of printed.matchAll(/\{"error":\{"code":"([a-z-]+)"/g)) codes.push(code);
}

/** The test file that calls: of several in one process, `Bun.main` may be another one. */
export function callingTest(): string {
  return /(\/[^\s():]+\.test\.ts)/.exec(new Error().stack ?? "")?.[1] ?? Bun.main;
}

function recordOf(file: string): string {
  const group = relative(join(repository, "test"), file).replace(/\.test\.ts$/, "");
  const job = isAboutMusl ? group.replace(/^vm\//, "musl/") : group;
  const folder = join(cacheFolder, "tested");
  mkdirSync(folder, { recursive: true });
  return join(folder, `${job.replaceAll("/", "+")}.jsonl`);
}

/**
 * Begins to watch a test. @returns what writes down, once it has passed, where: on the guests that it
 * started, and on the one that its suite shares.
 */
export function watching(test: string, file: string): (shared: Witnessed | undefined) => void {
  const before = started.length;
  const seen = codes.length;
  return (shared) => {
    const used = started.filter(({ guest }, index) => index >= before || guest === shared);
    const places = used.map(({ guest, place, first }) => ({
      ...place,
      releases: [...new Set([first, guest.announcement.release])],
    }));
    appendFileSync(
      recordOf(file),
      `${JSON.stringify({ test, places, codes: [...new Set(codes.slice(seen))] } satisfies Shown)}\n`,
    );
  };
}
