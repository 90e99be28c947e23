/**
 * The binaries for which this machine has no loader, or no processor, as commands like any other:
 * untouched, under their own names, and able to start themselves again. Each start is in a mount
 * namespace where the loader is below /lib, and the emulator the kernel's interpreter of their kind.
 */
import { chmodSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ForeignTarget, librariesOf, libraryPackages } from "../build/run-target.ts";
import { absent } from "../needs.ts";
import { processEmulator, unpackedPackage } from "../vm/lib/packages.ts";
import { lackOfEmulation } from "./emulation.ts";
import type { Program } from "./program.ts";

const repository = join(import.meta.dir, "..", "..");
const binfmt = "/proc/sys/fs/binfmt_misc";

/**
 * How the kernel knows a program for arm64: scripts/qemu-binfmt-conf.sh of QEMU. P keeps argv[0],
 * by which the program is `kexec`; F opens the emulator now, wherever it is looked for later.
 */
const arm64 = {
  magic: String.raw`\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00`,
  mask: String.raw`\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff`,
  flags: "PF",
} as const;

/** The program of AEGIS_TARGET. @throws Error for a target that is none of these */
export function foreignProgram(target: string): Program {
  const name = Object.keys(libraryPackages).find((one) => one === target);
  if (!isForeign(name)) throw new Error(`AEGIS_TARGET: there is no ${target}`);
  const binary = join(repository, "dist", `aegis-kexec-${name}`);
  const emulated = name !== "linux-x64-musl";
  return {
    name,
    arch: emulated ? "arm64" : "x64",
    lacking: lackOf(name, binary),
    ...(emulated ? { cannot: lackOfEmulation } : {}),
    install: (bin) => {
      const enter = join(bin, "..", "enter.sh");
      writeFileSync(enter, entryScript(name));
      for (const word of ["aegis-kexec", "kexec"]) {
        // The name that the program is called by is the link's
        const link = join(bin, "..", word);
        symlinkSync(binary, link);
        const path = join(bin, word);
        const command = [...namespace(), "/bin/sh", enter, link].map(quoted).join(" ");
        writeFileSync(path, `#!/bin/sh\nexec ${command} "$@"\n`);
        chmodSync(path, 0o755);
      }
    },
  };
}

function isForeign(name: string | undefined): name is ForeignTarget {
  return name !== undefined && Object.hasOwn(libraryPackages, name);
}

function emulator(): string {
  return join(unpackedPackage(processEmulator) ?? "", "usr/bin/qemu-aarch64");
}

/** Own mounts, and the right to make them. `unchanged`: a plain chroot's root cannot be changed. */
function namespace(): string[] {
  const unshare = Bun.which("unshare") ?? "unshare";
  return [unshare, "--user", "--map-root-user", "--mount", "--propagation", "unchanged"];
}

/** Shell that makes the namespace fit and becomes the command. */
function entryScript(name: ForeignTarget): string {
  const mount = quoted(Bun.which("mount") ?? "mount");
  // A relative path: the package's own may hold what separates overlayfs's folders, a colon
  const overlay = `lib=$(/usr/bin/readlink -f /lib)
(cd ${quoted(librariesOf(name) ?? "")} && ${mount} -t overlay -o "lowerdir=lib:$lib" overlay "$lib")`;
  const { magic, mask, flags } = arm64;
  const kind = quoted(`:aegis-arm64:M::${magic}:${mask}:${emulator()}:${flags}`);
  const register = `${mount} -t binfmt_misc none ${binfmt}
printf %s ${kind} >${binfmt}/register`;
  const steps = name === "linux-x64-musl" ? [overlay] : [overlay, register];
  return `set -eu\n${steps.join("\n")}\nexec "$@"\n`;
}

/** What this machine lacks: `needs …`. */
function lackOf(name: ForeignTarget, binary: string): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs x86_64";
  const emulated = name !== "linux-x64-musl";
  const wanted = [...libraryPackages[name], ...(emulated ? [processEmulator] : [])];
  const packages = wanted.filter((one) => unpackedPackage(one) === undefined);
  const built = existsSync(binary) ? [] : [`bun build/reuse.ts ${name}`];
  const missing = [...absent(["unshare", "mount"]), ...packages, ...built];
  if (missing.length > 0) return `needs ${missing.join(", ")}`;
  // Not the binary: that it does not start must fail
  const entered = Bun.spawnSync(
    [...namespace(), "/bin/sh", "-c", entryScript(name), "sh", "/bin/true"],
    { stderr: "pipe" },
  );
  if (entered.success) return undefined;
  // The mark of a skipped test ends at a bracket: test/runner/report.ts
  const said = entered.stderr.toString().trim().replace(/[()]/g, "");
  const kernel = emulated ? "binfmt_misc and overlayfs, Linux 6.7" : "overlayfs";
  return `needs ${kernel} in a user namespace: ${said}`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
