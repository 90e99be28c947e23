/**
 * `bun build.ts mkoverlay`: an initramfs archive with everything that aegis-kexec needs, to append to
 * any initramfs. It changes no directory that is there already.
 */
import { existsSync, readlinkSync, realpathSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { archiveTrailer, type CpioEntry, entryChunks } from "../src/initramfs/cpio.ts";
import { parentEntries } from "../src/initramfs/parents.ts";
import { keyPlace, policyFolder, whatIsAccepted } from "./overlay-policy.ts";
import { ensureBuilt } from "./reuse.ts";

const root = join(import.meta.dir, "..");

/** What the glibc build needs beside itself: see the build's own tests. */
const libraries = ["libc.so.6", "libpthread.so.0", "libdl.so.2", "libm.so.6"];
const systems = {
  x64: { loader: "/lib64/ld-linux-x86-64.so.2", triplet: "x86_64-linux-gnu" },
  arm64: { loader: "/lib/ld-linux-aarch64.so.1", triplet: "aarch64-linux-gnu" },
} as const;

export type System = keyof typeof systems;

export interface OverlayOptions {
  readonly system: System;
  /** The folder that holds loader and libraries: a root file system, or an unpacked libc6 package. */
  readonly sysroot?: string;
  /** Leave loader and libraries out: the initramfs has its own. */
  readonly noLibraries?: boolean;
  /** Add /sbin/kexec, a link. */
  readonly kexecLink?: boolean;
  /** Becomes /etc/aegis-kexec/policy.json. */
  readonly policy?: string;
  /** Public keys, put beside the policy under their own names. */
  readonly keys?: readonly string[];
}

/**
 * The archive, uncompressed. Equal files give equal bytes.
 * @throws Error when something is missing.
 */
export async function mkoverlay(options: OverlayOptions): Promise<Uint8Array> {
  const { system, sysroot = "/", keys = [] } = options;
  await acceptedBy(options);
  const files: [path: string, source: string, mode: number][] = [
    ["/sbin/aegis-kexec", await ensureBuilt(`linux-${system}`), 0o755],
  ];
  if (options.noLibraries !== true) {
    const { loader, triplet } = systems[system];
    files.push([loader, findLoader(sysroot, loader, triplet), 0o755]);
    for (const name of libraries) {
      const path = findLibrary(sysroot, name, triplet);
      files.push([path, inRoot(sysroot, path), 0o755]);
    }
  }
  if (options.policy !== undefined) {
    files.push([`${policyFolder}/policy.json`, options.policy, 0o644]);
  }
  for (const key of keys) files.push([keyPlace(key), key, 0o644]);

  const entries: CpioEntry[] = [];
  for (const [path, source, mode] of files) {
    if (entries.some((entry) => entry.path === path)) throw new Error(`${path} is given twice`);
    entries.push({ type: "file", path, mode, data: await Bun.file(source).bytes() });
  }
  if (options.kexecLink === true) {
    entries.push({ type: "symlink", path: "/sbin/kexec", target: "aegis-kexec" });
  }
  const parents = parentEntries(entries.map(({ path }) => path));
  return new Uint8Array(Buffer.concat([...parents, ...entryChunks(entries), archiveTrailer()]));
}

/**
 * What the node will accept, in lines.
 * @throws Error for a policy or a key that would stop it
 */
export async function acceptedBy({
  policy,
  keys = [],
}: Pick<OverlayOptions, "policy" | "keys">): Promise<readonly string[]> {
  const read = async (path: string) => ({ path, bytes: await Bun.file(path).bytes() });
  return whatIsAccepted(
    policy === undefined ? undefined : await read(policy),
    await Promise.all(keys.map(read)),
  );
}

/** A package has the loader beside the libraries, and a link elsewhere that leaves its folder. */
function findLoader(sysroot: string, loader: string, triplet: string): string {
  const beside = findLibrary(sysroot, basename(loader), triplet, loader);
  return inRoot(sysroot, beside);
}

/** The path in the sysroot of a library that its loader finds there without a cache. */
function findLibrary(sysroot: string, name: string, triplet: string, first?: string): string {
  const folders = [`/lib/${triplet}`, `/usr/lib/${triplet}`, "/lib64", "/usr/lib64", "/usr/lib"];
  const candidates = [
    ...(first === undefined ? [] : [first]),
    ...folders.map((one) => `${one}/${name}`),
  ];
  const found = candidates.find((path) => existsSync(inRoot(sysroot, path)));
  if (found !== undefined) return found;
  throw new Error(`${sysroot} has no ${name}: give a folder that has it by --sysroot`);
}

/** An absolute link inside of the sysroot is meant inside of it. */
function inRoot(sysroot: string, path: string): string {
  const place = join(sysroot, path);
  try {
    const target = readlinkSync(place);
    return target.startsWith("/") ? join(sysroot, target) : realpathSync(place);
  } catch {
    return place;
  }
}

const help = `usage: bun build.ts mkoverlay [OPTION]...

Writes dist/aegis-kexec-initramfs-SYSTEM.cpio.zst, to append to any initramfs, with the
zeros that end an lz4 archive in front of it:
  { cat initrd.img; head -c 8 /dev/zero; cat aegis-kexec-initramfs-x64.cpio.zst; } >new.img

  --system x64|arm64  default: this machine's
  --sysroot DIR       where loader and libraries are found; default: /
  --no-libraries      leave them out: the initramfs has a glibc of its own, which
                      those of this machine would replace
  --kexec-link        add /sbin/kexec, for scripts that call kexec
  --policy FILE       becomes /etc/aegis-kexec/policy.json; each key that it trusts
                      must be given, and what it accepts is told
  --key FILE          a public key, put beside the policy; repeatable
  --level N           how hard zstd tries, 1 to 19; default: 19, which takes a minute
  --help              print this text
`;

/** The command line. @returns the exit code. */
export async function runMkoverlay(args: readonly string[]): Promise<number> {
  try {
    await run(args);
    return 0;
  } catch (error) {
    console.error(
      `mkoverlay: ${error instanceof Error ? error.message : String(error)}\n\n${help}`,
    );
    return 1;
  }
}

async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: {
      system: { type: "string", default: process.arch },
      sysroot: { type: "string" },
      "no-libraries": { type: "boolean" },
      "kexec-link": { type: "boolean" },
      policy: { type: "string" },
      key: { type: "string", multiple: true },
      level: { type: "string", default: "19" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    await Bun.write(Bun.stdout, help);
    return;
  }
  const { system, sysroot, policy, key } = values;
  const level = Number(values.level);
  if (!/^[0-9]+$/.test(values.level) || level < 1 || level > 19) {
    throw new Error(`--level is a number from 1 to 19, not ${values.level}`);
  }
  if (system !== "x64" && system !== "arm64") throw new Error(`no such system: ${system}`);
  if (sysroot === undefined && system !== process.arch && values["no-libraries"] !== true) {
    throw new Error(
      `the libraries of ${system} are not this machine's: name their folder by --sysroot, or leave them out by --no-libraries`,
    );
  }
  // Before the work: a policy that stops the node is found now
  const accepted = await acceptedBy({
    ...(policy === undefined ? {} : { policy }),
    ...(key === undefined ? {} : { keys: key }),
  });
  const archive = await mkoverlay({
    system,
    noLibraries: values["no-libraries"] === true,
    kexecLink: values["kexec-link"] === true,
    ...(sysroot === undefined ? {} : { sysroot: resolve(sysroot) }),
    ...(policy === undefined ? {} : { policy }),
    ...(key === undefined ? {} : { keys: key }),
  });
  const path = join(root, "dist", `aegis-kexec-initramfs-${system}.cpio.zst`);
  await mkdir(dirname(path), { recursive: true });
  await Bun.write(path, await Bun.zstdCompress(archive, { level }));
  console.log(`dist/${basename(path)}  ${(Bun.file(path).size / 1e6).toFixed(1)} MB`);
  for (const line of accepted) console.log(`  ${line}`);
}
