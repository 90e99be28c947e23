/** What a kernel starts as the whole of a preboot: the binary and what it boots. */
import { readFileSync } from "node:fs";
import { ensureBuilt } from "../../../build/reuse.ts";
import { archiveChunks, type CpioEntry } from "../../../src/initramfs/cpio.ts";
import { binaryFor } from "./aegis.ts";
import { temporaryPath } from "./host.ts";
import { guestInitramfs, type HostFile, noteSources, text } from "./initramfs.ts";
import { type KernelName, kernel } from "./kernels.ts";
import { programFiles } from "./programs.ts";

/** An archive with the binary, its C library and what it boots: no shell, no init, no folder for /proc. */
export async function preboot(
  name: KernelName,
  token: string,
  { program, more = [] }: { program?: HostFile[]; more?: readonly CpioEntry[] } = {},
): Promise<string> {
  const { arch, path } = kernel(name);
  const next = guestInitramfs({ arch, token });
  const files = [
    ...(program ?? (await withProgram(name))),
    { path: "/boot/vmlinuz", source: path, mode: 0o644 },
    { path: "/boot/initrd.img", source: next, mode: 0o644 },
  ];
  const folders = new Set<string>();
  for (const file of [...files, ...more]) {
    const parts = file.path.split("/").slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      folders.add(parts.slice(0, depth).join("/"));
    }
  }
  const entries: CpioEntry[] = [
    ...[...folders].map((path) => ({ type: "directory", path }) as const),
    ...more.map((entry) => ({ ...entry, path: entry.path.slice(1) })),
    text("boot/notes.txt", "not a kernel\n".repeat(200)),
    ...files.map(
      ({ path, source, mode = 0o644 }): CpioEntry => ({
        type: "file",
        path: path.slice(1),
        mode,
        data: readFileSync(source),
      }),
    ),
  ];
  const archive = temporaryPath("preboot.cpio");
  const writer = Bun.file(archive).writer();
  for (const chunk of archiveChunks(entries)) writer.write(chunk);
  await writer.end();
  noteSources(
    archive,
    files.map(({ source }) => source),
  );
  return archive;
}

export async function withProgram(name: KernelName): Promise<HostFile[]> {
  const { arch } = kernel(name);
  const source = await binaryFor(arch);
  return programFiles(arch, [{ path: "/sbin/aegis-kexec", source }]);
}

export async function withMusl(name: KernelName): Promise<HostFile[]> {
  const { arch } = kernel(name);
  const source = await ensureBuilt(arch === "x86_64" ? "linux-x64-musl" : "linux-arm64-musl");
  return programFiles(arch, [{ path: "/sbin/aegis-kexec", source }]);
}
