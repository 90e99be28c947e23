/**
 * What is loaded on demand, and together.
 *
 * Each file that is loaded on demand would be a module of the binary, and so would what each set of such
 * files shares: two hundred. The runtime takes note of every module when it starts, and a load takes in a
 * dozen that do nothing but pass others on. So what is wanted in the same cases is one module, which has
 * the names of all its files. Measured in guest instructions, a start costs 0.2 million less, a load 0.5.
 */
import { basename, dirname, join, resolve } from "node:path";

/** Files below src, in lines: who wants one gets all of its line. */
export const together: Readonly<Record<string, readonly string[]>> = {
  helpers: ["handoff/helper/append-line", "handoff/helper/read-only", "handoff/network/lease"],
  "first process": ["cli/init", "handoff/modules/loader", "handoff/network/set-up"],
  handover: ["cli/commands/boot", "cli/commands/exec"],
  inspect: ["cli/commands/inspect", "cli/menu", "handoff/inspection/several"],
  status: ["cli/commands/status", "machine/tpm-facts"],
  generations: [
    "cli/commands/fetch",
    "cli/commands/bless",
    "cli/commands/manifest",
    "handoff/content-names",
    "source/generations/store",
  ],
  arguments: ["cli/arguments/help", "cli/arguments/nearest", "cli/arguments/progress"],
  diagnosis: [
    "diagnosis/diagnose",
    "diagnosis/lost-handover",
    "handoff/evidence",
    "machine/build-facts",
    "machine/live-update",
    "source/build/config",
  ],
  leave: ["handoff/leave/live-update", "handoff/leave/other-inits"],
  verified: [
    "handoff/gate/trust-gate",
    "handoff/stages/verity",
    "source/manifest",
    "source/generations/manifest-entry",
  ],
  secrets: [
    "handoff/stages/interruption",
    "handoff/stages/join-archives",
    "initramfs/inject",
    "linux/secret-memory",
  ],
  next: ["handoff/next/screen", "handoff/next/unpack-room"],
  several: ["handoff/several", "handoff/gate/no-way-down"],
  options: [
    "handoff/attempt-log",
    "handoff/gate/sealed-cmdline",
    "handoff/stages/console",
    "handoff/stages/lock",
    "handoff/stages/luks",
    "handoff/stages/measure",
    "handoff/stages/rsdp",
    "machine/crash",
  ],
  entries: [
    "menu/counting",
    "source/choose",
    "source/entry/entries",
    "source/entry/entry",
    "source/entry/file",
    "source/entry/find",
  ],
  menus: [
    "menu/grub/menu",
    "menu/syslinux/menu",
    "menu/text-kind",
    "source/menus/find",
    "source/menus/menu",
    "source/menus/pairs",
  ],
  "ISO images": ["source/iso/files", "source/iso/folder", "source/iso/iso", "source/iso/modules"],
  wrapped: ["image/recognise", "source/addons", "source/gunzip", "source/unwrap"],
};

const src = resolve(import.meta.dir, "..", "src");
/** The modules have paths as files have: what has none is put in an order that differs from build to build. */
const ending = ".together.ts";
export const pathOf = (file: string) => join(src, `${file}.ts`);
const lineOf = new Map(
  Object.entries(together).flatMap(([line, files]) =>
    files.map((file) => [pathOf(file), line] as const),
  ),
);

/** The bundler plugin. The build fails where two files of a line have the same name, or one is gone. */
export const loadedTogether: Bun.BunPlugin = {
  name: "loaded together",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer, kind }) => {
      if (kind !== "dynamic-import") return undefined;
      const line = lineOf.get(resolve(dirname(importer), path));
      return line === undefined ? undefined : { path: join(src, `${line}${ending}`) };
    });
    build.onLoad({ filter: /\.together\.ts$/ }, async ({ path }) => {
      const line = basename(path, ending);
      const files = together[line] ?? [];
      await requireOwnNames(line, files);
      return { contents: moduleOf(files), loader: "ts" };
    });
  },
};

const moduleOf = (files: readonly string[]) =>
  files.map((file) => `export * from "./${file}.ts";\n`).join("");

/** A name that two files export would be exported by neither. @throws Error that names both */
export async function requireOwnNames(line: string, files: readonly string[]): Promise<void> {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const seen = new Map<string, string>();
  for (const file of files) {
    for (const name of transpiler.scan(await Bun.file(pathOf(file)).text()).exports) {
      const other = seen.get(name);
      if (other !== undefined) {
        throw new Error(`${other} and ${file} both export ${name}: ${line} cannot be one module`);
      }
      seen.set(name, file);
    }
  }
}
