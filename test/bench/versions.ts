/** Versions of everything that has a part in the figures. */
import { basename } from "node:path";
import { version } from "../../src/version.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { newestSystemd, type PackageName, unpackedPackage } from "../vm/lib/packages.ts";

export async function versions(): Promise<Record<string, string>> {
  return {
    "aegis-kexec": version,
    Bun: Bun.version,
    Linux: kernel("debian-6.12").release ?? "unknown",
    QEMU: (await firstLine("qemu-system-x86_64", "--version")).replace(
      /^QEMU emulator version /,
      "",
    ),
    "kexec-tools": packageVersion("kexec-tools:amd64"),
    systemd: packageVersion(newestSystemd),
    minisign: packageVersion("minisign:amd64"),
    openssl: packageVersion("openssl:amd64"),
    cc: await firstLine("cc", "--version"),
    zstd: await firstLine("zstd", "--version"),
    xz: await firstLine("xz", "--version"),
  };
}

/** Its folder is called name_version_architecture. */
function packageVersion(name: PackageName): string {
  const folder = unpackedPackage(name);
  return folder === undefined ? "missing" : (basename(folder).split("_")[1] ?? "unknown");
}

async function firstLine(program: string, ...args: readonly string[]): Promise<string> {
  if (Bun.which(program) === null) return "missing";
  const child = Bun.spawn([program, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  return (await new Response(child.stdout).text()).split("\n")[0]?.trim() ?? "";
}
