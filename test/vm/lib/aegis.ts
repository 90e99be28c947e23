/** A guest with aegis-kexec and something to hand over to: what most tests begin with. */
import { randomUUID } from "node:crypto";
import { ensureBuilt } from "../../../build/reuse.ts";
import {
  type Announcement,
  consoleArguments,
  type Guest,
  type GuestOptions,
  startGuest,
} from "./guest.ts";
import { type Arch, isAboutMusl } from "./host.ts";
import { type GuestEntry, guestInitramfs, type InitramfsOptions, text } from "./initramfs.ts";
import { type KernelName, kernel } from "./kernels.ts";

export interface SceneOptions {
  /** The kernel that runs first. */
  readonly first: KernelName;
  /** The kernel to hand over to; default: the first. */
  readonly next?: KernelName;
  readonly entries?: readonly GuestEntry[];
  /** What the second initramfs has beside its token. */
  readonly nextEntries?: readonly GuestEntry[];
  readonly nextPrograms?: InitramfsOptions["programs"];
  readonly initramfs?: Omit<InitramfsOptions, "arch" | "token" | "entries">;
  readonly guest?: Omit<GuestOptions, "kernel" | "initramfs">;
}

export interface Scene {
  /** What the second kernel's init announces itself with; nothing else knows it. */
  readonly token: string;
  /** What the second kernel needs to be heard. */
  readonly console: string;
  /** The kernels' and archives' paths on the host. */
  readonly nextKernel: string;
  readonly nextInitramfs: string;
  start(): Promise<Guest>;
}

/** In the guest: the kernel to hand over to, and its initramfs. */
export const vmlinuz = "/boot/vmlinuz";
export const initrd = "/boot/initrd.img";

/**
 * A guest with the binary at /sbin/aegis-kexec, a kernel at /boot/vmlinuz and its initramfs at
 * /boot/initrd.img. The archive is written when the guest starts.
 */
export function scene(options: SceneOptions): Scene {
  const { first, next = first, entries = [], nextEntries = [], nextPrograms = [] } = options;
  const token = randomUUID();
  const { arch } = kernel(first);
  const nextKernel = kernel(next).path;
  const nextInitramfs = guestInitramfs({
    arch,
    token,
    entries: nextEntries,
    programs: nextPrograms,
  });
  return {
    token,
    console: `${consoleArguments(arch)} quiet`,
    nextKernel,
    nextInitramfs,
    start: async () => {
      const binary = await binaryFor(arch);
      const initramfs = guestInitramfs({
        ...options.initramfs,
        arch,
        token: "first",
        programs: [
          ...(options.initramfs?.programs ?? []),
          { path: "/sbin/aegis-kexec", source: binary },
        ],
        entries: [
          { type: "host-file", path: vmlinuz, source: nextKernel },
          { type: "host-file", path: initrd, source: nextInitramfs },
          text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
          ...entries,
        ],
      });
      return startGuest({ memory: 1024, ...options.guest, kernel: kernel(first), initramfs });
    },
  };
}

/** The binary for guests: linked to glibc, or to musl where that is what this run is about. */
export function binaryFor(arch: Arch): Promise<string> {
  const name = arch === "x86_64" ? "linux-x64" : "linux-arm64";
  return ensureBuilt(isAboutMusl ? `${name}-musl` : name);
}

/** A word for a command line that no other test has. */
export function unique(): string {
  return `test=${randomUUID()}`;
}

/** The JSON object of an error, or what was printed instead. */
export function errorOf(stdout: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(stdout);
  if (typeof parsed === "object" && parsed !== null && "error" in parsed) {
    const { error } = parsed;
    if (typeof error === "object" && error !== null) return { ...error };
  }
  throw new Error(`no error: ${stdout}`);
}

export type { Announcement };
