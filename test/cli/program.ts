/** The programs under test, each callable as `aegis-kexec` and as `kexec` from a folder of its own. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeArchive } from "../../src/initramfs/cpio.ts";
import { makeArm64, makeBzImage } from "../unit/image/build.ts";

const main = join(import.meta.dir, "..", "..", "src", "main.ts");

export interface Program {
  readonly name: string;
  /** Puts it, and nothing else, into the empty folder `bin`. */
  install(bin: string): void;
}

const source: Program = {
  name: "src/main.ts",
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

/** The sources, and the binary that AEGIS_BINARY names. */
export function programs(): Program[] {
  const binary = process.env["AEGIS_BINARY"];
  if (binary === undefined || binary === "") return [source];
  return [
    source,
    {
      name: "binary",
      install: (bin) => {
        for (const name of ["aegis-kexec", "kexec"]) symlinkSync(binary, join(bin, name));
      },
    },
  ];
}

/**
 * A folder with the program, and a working directory with a file `kernel`, which this machine's
 * architecture can start, and an initramfs `archive`. Dispose of it to remove both.
 */
export class Workshop implements Disposable {
  private readonly root = mkdtempSync(join(tmpdir(), "aegis-kexec-cli-"));
  readonly environment: Record<string, string>;
  private runs = 0;

  constructor(program: Program) {
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
      process.arch === "arm64" ? makeArm64() : makeBzImage(),
    );
    writeFileSync(join(directory, "archive"), encodeArchive([{ type: "directory", path: "new" }]));
    return directory;
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
