/**
 * The programs under test, each callable as `aegis-kexec` and as `kexec` from a folder of its own:
 * the sources and the binary that AEGIS_BINARY names, or the binary of AEGIS_TARGET alone.
 */
import { afterAll, describe, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeArchive } from "../../src/initramfs/cpio.ts";
import { makeArm64, makeBzImage } from "../unit/image/build.ts";
import { foreignProgram } from "./foreign.ts";

const main = join(import.meta.dir, "..", "..", "src", "main.ts");

export interface Program {
  readonly name: string;
  readonly arch: "x64" | "arm64";
  /** What this machine lacks to run it: `needs …`. */
  readonly lacking?: string | undefined;
  /** Why a test cannot be run on it: `needs …`. */
  cannot?(name: string): string | undefined;
  /** Puts it, and nothing else, into the empty folder `bin`. */
  install(bin: string): void;
}

const arch = process.arch === "arm64" ? "arm64" : "x64";

const source: Program = {
  name: "src/main.ts",
  arch,
  install: (bin) => {
    // The name that Bun was called by is the program's.
    const bun = join(bin, "..", "bun");
    mkdirSync(bun);
    for (const name of ["aegis-kexec", "kexec"]) {
      symlinkSync(process.execPath, join(bun, name));
      const path = join(bin, name);
      writeFileSync(path, `#!/bin/sh\nexec '${join(bun, name)}' '${main}' "$@"\n`);
      chmodSync(path, 0o755);
    }
  },
};

export function programs(): Program[] {
  const target = process.env["AEGIS_TARGET"];
  if (target !== undefined && target !== "") return [foreignProgram(target)];
  const binary = process.env["AEGIS_BINARY"];
  if (binary === undefined || binary === "") return [source];
  return [
    source,
    {
      name: "binary",
      arch,
      install: (bin) => {
        for (const name of ["aegis-kexec", "kexec"]) symlinkSync(binary, join(bin, name));
      },
    },
  ];
}

/** Registers a test, skipped by name where the program cannot run it. */
export type ProgramTest = (
  name: string,
  body: () => void | Promise<void>,
  timeout?: number,
) => void;

/** Registers the tests of one program, or of each. */
export function describePrograms(
  body: (workshop: Workshop, test: ProgramTest) => void,
  among: readonly Program[] = programs(),
): void {
  for (const program of among) {
    describe(program.name, () => {
      if (program.lacking !== undefined) {
        test.skip(`runs here (${program.lacking})`, () => {});
        return;
      }
      const workshop = new Workshop(program);
      afterAll(() => workshop[Symbol.dispose]());
      body(workshop, (name, work, timeout) => {
        const why = program.cannot?.(name);
        if (why === undefined) test(name, work, timeout);
        else test.skip(`${name} (${why})`, () => {});
      });
    });
  }
}

/**
 * A folder with the program, and a working directory with a file `kernel`, which the program's
 * architecture can start, and an initramfs `archive`. Dispose of it to remove both.
 */
export class Workshop implements Disposable {
  private readonly root = mkdtempSync(join(tmpdir(), "aegis-kexec-cli-"));
  readonly environment: Record<string, string>;
  private runs = 0;

  constructor(readonly program: Program) {
    const bin = join(this.root, "bin");
    mkdirSync(bin);
    program.install(bin);
    this.environment = { PATH: `${bin}:/usr/bin:/bin`, LC_ALL: "C.UTF-8" };
  }

  /** A new working directory. */
  directory(): string {
    const directory = join(this.root, String(this.runs++));
    mkdirSync(directory);
    writeFileSync(
      join(directory, "kernel"),
      this.program.arch === "arm64" ? makeArm64() : makeBzImage(),
    );
    writeFileSync(join(directory, "archive"), encodeArchive([{ type: "directory", path: "new" }]));
    return directory;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
