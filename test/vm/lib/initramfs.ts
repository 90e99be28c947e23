/** Guest archives: busybox, the agent as /init, and what a test adds; written by the project's own writer. */
import { closeSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { archiveChunks, type CpioEntry, parentDirectories } from "../../../src/initramfs/cpio.ts";
import { type Arch, temporaryPath } from "./host.ts";
import type { Kernel } from "./kernels.ts";
import { moduleFiles } from "./modules.ts";
import { unpackedPackage } from "./packages.ts";
import { type Program, programFiles } from "./programs.ts";

/** A file taken from the host when the archive is written. */
export interface HostFile {
  readonly type: "host-file";
  readonly path: string;
  readonly source: string;
  readonly mode?: number;
}

export type GuestEntry = CpioEntry | HostFile;

/** What the agent mounts before it announces itself. */
export type Mount = "proc" | "sysfs" | "devtmpfs" | "securityfs";

export interface InitramfsOptions {
  readonly arch: Arch;
  /** What the agent announces itself with: a random text proves which archive was booted. */
  readonly token?: string;
  /** Later entries win. Missing parent directories are added. */
  readonly entries?: readonly GuestEntry[];
  /** Programs with the libraries that they need. */
  readonly programs?: readonly Program[];
  /** Modules of a Debian kernel that are loaded, with what they need, before the announcement. */
  readonly modules?: { readonly kernel: Kernel; readonly names: readonly string[] };
  /** Default: all. */
  readonly mounts?: readonly Mount[];
  /** Shell lines that the agent runs before it announces itself. */
  readonly start?: string;
}

/** The device on which agent and host talk, by machine: see `qemu.ts`. */
const ports = {
  x86_64: { path: "/dev/ttyS1", major: 4, minor: 65 },
  aarch64: { path: "/dev/ttyAMA0", major: 204, minor: 64 },
} as const;

const written = new Map<string, string>();
const withMusl = new Set<string>();

/** Notes of an archive which files went into it. */
export function noteSources(path: string, sources: readonly string[]): void {
  if (sources.some((source) => source.endsWith("-musl"))) withMusl.add(path);
}

/** Whether the archive has a binary of this program that wants musl. */
export function guestHasMusl(path: string): boolean {
  return withMusl.has(path);
}

/** Writes the archive, uncompressed, once for equal options. @returns its path on the host. */
export function guestInitramfs(options: InitramfsOptions): string {
  const entries = withParents(guestEntries(options));
  const key = Bun.hash(JSON.stringify(entries.map(identity))).toString(16);
  const known = written.get(key);
  if (known !== undefined) return known;
  const path = temporaryPath("initramfs.cpio");
  const file = openSync(path, "w");
  for (const chunk of archiveChunks(entries.map(loaded))) {
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
  }
  closeSync(file);
  written.set(key, path);
  noteSources(
    path,
    entries.flatMap((entry) => (entry.type === "host-file" ? [entry.source] : [])),
  );
  return path;
}

/** The entries of a guest archive, without parent directories. */
export function guestEntries(options: InitramfsOptions): GuestEntry[] {
  const { arch, token, entries = [], programs = [], modules, start = "" } = options;
  const mounts = options.mounts ?? ["proc", "sysfs", "devtmpfs", "securityfs"];
  const port = ports[arch];
  const loading = modules === undefined ? [] : moduleFiles(modules.kernel, modules.names);
  const begin = [...loading.map(({ path }) => `insmod ${path}`), start].join("\n");
  return [
    ...["dev", "proc", "sys", "tmp", "root", "run"].map(
      (path) => ({ type: "directory", path }) as const,
    ),
    ...["bin", "sbin", "usr/bin", "usr/sbin"].map((path) => ({ type: "directory", path }) as const),
    { type: "directory", path: ".bench/run" },
    device("/dev/console", 5, 1),
    device("/dev/null", 1, 3),
    device(port.path, port.major, port.minor),
    ...busybox(arch),
    { type: "file", path: "init", data: agent(), mode: 0o755 },
    text(".bench/config", `PORT=${port.path}\nMOUNTS='${mounts.join(" ")}'\n`),
    ...(begin === "" ? [] : [text(".bench/start", `${begin}\n`)]),
    ...(token === undefined ? [] : [text("token", `${token}\n`)]),
    ...loading,
    ...programFiles(arch, programs),
    ...entries,
  ];
}

/** A text file. */
export function text(path: string, content: string, mode = 0o644): CpioEntry {
  return { type: "file", path, data: new TextEncoder().encode(content), mode };
}

function device(path: string, major: number, minor: number): CpioEntry {
  return { type: "character-device", path, major, minor, mode: 0o666 };
}

function agent(): Uint8Array {
  return readFileSync(join(import.meta.dir, "agent.sh"));
}

/** Applets that the agent and test scripts call by path; the shell finds all others by itself. */
const links = ["sh", "mount", "umount", "cat", "ls", "sleep", "reboot", "poweroff", "insmod"];

function busybox(arch: Arch): GuestEntry[] {
  const architecture = arch === "x86_64" ? "amd64" : "arm64";
  const folder = unpackedPackage(`busybox-static:${architecture}`);
  if (folder === undefined) throw new Error('busybox is missing: run "bun test/setup.ts"');
  return [
    { type: "host-file", path: "bin/busybox", source: join(folder, "bin/busybox"), mode: 0o755 },
    ...links.map((name) => ({ type: "symlink", path: `bin/${name}`, target: "busybox" }) as const),
  ];
}

/** The entries with the directories that they stand in, each before what it holds. */
function withParents(entries: readonly GuestEntry[]): GuestEntry[] {
  const parents = parentDirectories(entries.map(({ path }) => path));
  return [...parents.map((path) => ({ type: "directory", path }) as const), ...entries];
}

function loaded(entry: GuestEntry): CpioEntry {
  if (entry.type !== "host-file") return entry;
  const { path, source, mode = 0o644 } = entry;
  return { type: "file", path, mode, data: readFileSync(source) };
}

/** What makes two entries equal, without reading the host's files. */
function identity(entry: GuestEntry): unknown {
  if (entry.type === "file") return { ...entry, data: Bun.hash(entry.data).toString(16) };
  if (entry.type !== "host-file") return entry;
  const { size, mtimeMs, ino } = statSync(entry.source);
  return { ...entry, size, mtimeMs, ino };
}
