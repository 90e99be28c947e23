/**
 * `bun build/declarations.ts`: the library's types for other projects, without Bun's and whatever their own settings
 * are. Each file that src/index.ts leads to is a module of one declaration file. They are committed; a test keeps
 * them up to date.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");
const source = join(root, "src");

/** The files, and what must be in them. */
export async function declarations(): Promise<ReadonlyMap<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "aegis-kexec-types-"));
  try {
    const settings = join(folder, "tsconfig.json");
    const compilerOptions = {
      ...{ noEmit: false, declaration: true, emitDeclarationOnly: true },
      ...{ rootDir: source, outDir: folder, typeRoots: [join(root, "node_modules")] },
    };
    const whole = { extends: join(root, "tsconfig.json"), compilerOptions };
    await Bun.write(
      settings,
      JSON.stringify({ ...whole, files: [join(source, "index.ts")], include: [] }),
    );
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const made = Bun.spawnSync([process.execPath, tsc, "-p", settings], { cwd: root });
    if (made.exitCode !== 0) throw new Error(`tsc: ${made.stdout}${made.stderr}`);
    return new Map([
      ["contrib/types/index.d.mts", leading],
      ["contrib/types/declarations.d.cts", await modulesFrom(folder)],
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const note = '// Made by "bun build/declarations.ts" from src: do not edit.\n';
const leading = `${note}/// <reference path="./declarations.d.cts" />\nexport * from "aegis-kexec:index";\n`;
/** What projects without Bun's and the browser's types lack. */
const globals = '/// <reference lib="esnext.disposable" />\ninterface AbortSignal {}\n';

/** What the index leads to, each as a module, in the order of their names. */
async function modulesFrom(folder: string): Promise<string> {
  const found = new Map<string, string>();
  const visit = async (path: string): Promise<void> => {
    const name = path.replace(/\.ts$/, "");
    if (found.has(name)) return;
    const text = await Bun.file(join(folder, `${name}.d.ts`)).text();
    found.set(name, "");
    const others = new Set<string>();
    const named = text.replace(/(from |import\()"(\.[^"]+)\.ts"/g, (_, before, other) => {
      const target = relative(folder, join(folder, dirname(name), other));
      others.add(target);
      return `${before}"aegis-kexec:${target}"`;
    });
    found.set(name, named.replace(/^(export )?declare /gm, "$1").replace(/^export \{\};\n/gm, ""));
    for (const other of others) await visit(other);
  };
  await visit("index");
  const modules = [...found]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => `declare module "aegis-kexec:${name}" {\n${text}}\n`);
  return [note, globals, ...modules].join("");
}

if (import.meta.main) {
  for (const [path, text] of await declarations()) await Bun.write(join(root, path), text);
}
