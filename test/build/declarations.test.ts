/** The library's types, as other projects see them. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { declarations } from "../../build/declarations.ts";

const root = join(import.meta.dir, "..", "..");
const project = mkdtempSync(join(tmpdir(), "aegis-kexec-types-"));
afterAll(() => rmSync(project, { recursive: true }));
mkdirSync(join(project, "node_modules"));
symlinkSync(root, join(project, "node_modules", "aegis-kexec"));

const program = `import { hasCode, inspect, KexecError, load, type Observer, type Phase } from "aegis-kexec";
const phases: Phase[] = [];
const observer: Observer = { progress: (_step, _done, _total, phase) => void phases.push(phase) };
export async function use(): Promise<number | undefined> {
  try {
    const { kernel } = await load({ kernel: "vmlinuz", initrd: ["initrd.img"], cmdline: "x" }, observer);
    return kernel.size;
  } catch (error) {
    if (hasCode(error, "cmdline-too-long")) return error.details.limit;
    return error instanceof KexecError && error.hint === null ? error.exit : undefined;
  }
}
// @ts-expect-error: a number is no path
export const wrong = () => inspect({ kernel: 1 });
// @ts-expect-error: that error has no such data
export const noSigner = (error: unknown) => hasCode(error, "usage") && error.details.signer;
`;
writeFileSync(join(project, "use.ts"), program);
writeFileSync(join(project, "package.json"), '{"type":"module"}');

const common = { strict: true, noEmit: true, types: [], skipLibCheck: true };
const settings: Readonly<Record<string, object>> = {
  "without any types": { ...common, module: "nodenext", target: "es2022", lib: ["es2022"] },
  "with the browser's, and every declaration checked": {
    ...{ ...common, module: "esnext", moduleResolution: "bundler", target: "es2022" },
    ...{ lib: ["esnext", "dom", "dom.iterable"], skipLibCheck: false },
    ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, isolatedModules: true },
  },
  "for a bundler": { ...common, module: "preserve", lib: ["esnext"], verbatimModuleSyntax: true },
};

test.each(Object.entries(settings))(
  "they check under a project's own settings: %s",
  (_, compilerOptions) => {
    const given = { compilerOptions, include: ["use.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(given));
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const { exitCode, stdout } = Bun.spawnSync([process.execPath, tsc, "-p", project], {
      cwd: project,
    });
    expect([stdout.toString(), exitCode]).toEqual(["", 0]);
  },
  60_000,
);

test("the committed declarations are the code's", async () => {
  for (const [path, text] of await declarations()) {
    expect([path, (await Bun.file(join(root, path)).text()) === text]).toEqual([path, true]);
  }
}, 60_000);
