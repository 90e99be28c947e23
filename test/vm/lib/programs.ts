/** Programs for guests, with the loader and libraries that they need. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dynamicNeeds } from "./elf.ts";
import type { Arch } from "./host.ts";
import type { GuestEntry, HostFile } from "./initramfs.ts";
import { muslLibraries } from "./musl.ts";
import {
  kexecToolsLibraries,
  makedumpfileLibraries,
  newestKexecTools,
  type PackageName,
  unpackedPackage,
} from "./packages.ts";

/** A program on the host and its place in the guest. */
export interface Program {
  readonly path: string;
  readonly source: string;
  /** Packages that hold its libraries, beside libc6. */
  readonly libraries?: readonly PackageName[];
}

/** Debian's `kexec` (kexec-tools), as /sbin/kexec unless another path is given. */
export function kexecTools(path = "/sbin/kexec"): Program {
  const source = join(folderOf("kexec-tools:amd64"), "sbin/kexec");
  return { path, source, libraries: kexecToolsLibraries };
}

/**
 * The newest `kexec`, with its libraries in a folder beside it, since they are none for other programs. It is a
 * script that calls it by its own loader.
 */
export function newestKexec(path: string): GuestEntry[] {
  const beside = `${path}-libraries`;
  const files = programFiles(
    "x86_64",
    [
      {
        path: `${beside}/kexec`,
        source: join(folderOf("sid/kexec-tools:amd64"), "usr/sbin/kexec"),
        libraries: newestKexecTools.slice(1),
      },
    ],
    "sid/libc6:amd64",
  );
  const moved = files.map((file) => ({
    ...file,
    path: `${beside}/${file.path.slice(file.path.lastIndexOf("/") + 1)}`,
  }));
  const loader = `${beside}/ld-linux-x86-64.so.2`;
  const call = `#!/bin/sh\nexec ${loader} --library-path ${beside} ${beside}/kexec "$@"\n`;
  return [...moved, { type: "file", path, data: new TextEncoder().encode(call), mode: 0o755 }];
}

/** Debian's `makedumpfile`. */
export function makedumpfile(): Program {
  const source = join(folderOf("makedumpfile:amd64"), "usr/bin/makedumpfile");
  return { path: "/usr/bin/makedumpfile", source, libraries: makedumpfileLibraries };
}

/** Debian's `minisign`, as /usr/bin/minisign. */
export function minisign(): Program {
  const source = join(folderOf("minisign:amd64"), "usr/bin/minisign");
  return { path: "/usr/bin/minisign", source, libraries: ["libsodium23:amd64"] };
}

/** Debian's `fsverity`, as /usr/bin/fsverity. */
export function fsverity(): Program {
  const source = join(folderOf("fsverity:amd64"), "usr/bin/fsverity");
  const libraries = ["libfsverity0:amd64", "libssl3:amd64"] as const;
  return { path: "/usr/bin/fsverity", source, libraries };
}

/** The programs, their loader and their libraries, each once. */
export function programFiles(
  arch: Arch,
  programs: readonly Program[],
  libc: PackageName = arch === "x86_64" ? "libc6:amd64" : "libc6:arm64",
): HostFile[] {
  const files = new Map<string, HostFile>();
  for (const program of programs) {
    const { path, source, libraries = [] } = program;
    const packages: PackageName[] = [libc, ...libraries];
    const folders = packages.flatMap((name) => libraryFolders(arch, name));
    files.set(path, { type: "host-file", path, source, mode: 0o755 });
    if (source.endsWith("-musl")) {
      for (const file of muslLibraries(arch)) files.set(file.path, file);
      continue;
    }
    const pending = [source];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { interpreter, libraries: names } = dynamicNeeds(readFileSync(next));
      for (const name of names) {
        const target = `/lib/${triplet(arch)}/${name}`;
        if (files.has(target)) continue;
        const library = folders.map((folder) => join(folder, name)).find(existsSync);
        if (library === undefined) throw new Error(`no package has ${name} for ${source}`);
        files.set(target, { type: "host-file", path: target, source: library, mode: 0o755 });
        pending.push(library);
      }
      if (interpreter === undefined || files.has(interpreter)) continue;
      const loader = folders
        .map((folder) => join(folder, interpreter.slice(interpreter.lastIndexOf("/") + 1)))
        .find(existsSync);
      if (loader === undefined) throw new Error(`no package has ${interpreter} for ${source}`);
      files.set(interpreter, { type: "host-file", path: interpreter, source: loader, mode: 0o755 });
    }
  }
  return [...files.values()];
}

function libraryFolders(arch: Arch, name: PackageName): string[] {
  const root = folderOf(name);
  const libraries = join(root, "usr/lib", triplet(arch));
  // systemd's programs look for its own in the last one.
  return [join(root, "lib", triplet(arch)), libraries, join(libraries, "systemd")];
}

function triplet(arch: Arch): string {
  return `${arch}-linux-gnu`;
}

function folderOf(name: PackageName): string {
  const folder = unpackedPackage(name);
  if (folder === undefined) throw new Error(`${name} is missing: run "bun test/setup.ts"`);
  return folder;
}
