/**
 * The libraries of the musl binaries, of Debian's packages and a few stubs, which libstdc++ asks for
 * by a name that it has already.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askingWithoutFirstLetter } from "./elf.ts";
import { type Arch, temporaryPath } from "./host.ts";
import type { HostFile } from "./initramfs.ts";
import { muslPackages, unpackedPackage } from "./packages.ts";
import { stubLibrary } from "./stub-library.ts";

/**
 * What Debian's libstdc++ and libgcc want of glibc and musl does not have. Enough for a program that
 * is to start, not for one that relies on it: nothing here is random, formatted or called at an end.
 */
const stubs = {
  __libc_single_threaded: "zeros",
  arc4random: 4,
  __cxa_thread_atexit_impl: 0,
  __getauxval: 0,
  __strftime_l: 0,
  // libgcc's own, of a version that musl does not look for.
  __cpu_indicator_init: 0,
  __cpu_model: "zeros",
  // Not found: the unwinder asks dl_iterate_phdr(3) then.
  _dl_find_object: -1,
} as const;

/** @throws Error when a package is missing */
export function muslLibraries(arch: Arch): HostFile[] {
  const folders = muslPackages[arch].flatMap((name) => unpackedPackage(name) ?? []);
  const find = (file: string): string => {
    const source = folders.map((folder) => join(folder, file)).find(existsSync);
    if (source === undefined) throw new Error(`no package has ${file}: run "bun test/setup.ts"`);
    return source;
  };
  const made = (name: string, bytes: Uint8Array): string => {
    const path = temporaryPath(name);
    writeFileSync(path, bytes);
    return path;
  };
  // libc.musl is the loader itself, and so are libc and libm: it looks for none of them.
  const musl = find(`lib/${arch}-linux-musl/libc.so`);
  const standard = readFileSync(find(`usr/lib/${arch}-linux-gnu/libstdc++.so.6`));
  // On x86_64 libstdc++ asks for glibc's loader as well; that file may hold the same stubs.
  const stubsPath = made("stubs.so", stubLibrary(arch, stubs));
  const files = {
    [`/lib/ld-musl-${arch}.so.1`]: musl,
    [`/lib/libc.musl-${arch}.so.1`]: musl,
    "/lib/libstdc++.so.6": made("libstdc++", askingWithoutFirstLetter(standard, "libm.so.6")),
    "/lib/libgcc_s.so.1": find(`lib/${arch}-linux-gnu/libgcc_s.so.1`),
    "/lib/ibm.so.6": stubsPath,
    ...(arch === "x86_64" ? { "/lib/ld-linux-x86-64.so.2": stubsPath } : {}),
  };
  return Object.entries(files).map(([path, source]) => ({
    type: "host-file",
    path,
    source,
    mode: 0o755,
  }));
}
