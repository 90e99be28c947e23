/** What is published: the package, and the archives of a release. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { targets } from "../../build/targets.ts";
import { version } from "../../src/version.ts";
import { copySources } from "../copy.ts";
import { needing } from "../needs.ts";
import { inInitialPidNamespace, ownPidNamespace } from "../where.ts";

const root = join(import.meta.dir, "..", "..");
let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-release-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }), 60_000);

async function run(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}\n${out}${err}`);
  return out;
}

const packers = {
  bun: [process.execPath, "pm", "pack", "--quiet", "--destination"],
  npm: ["npm", "pack", "--silent", "--pack-destination"],
} as const;

describe.each([...Object.entries(packers)])("the package that %s packs", (packer, pack) => {
  needing(...(packer === "bun" ? [] : [packer])).test(
    "is small, works and type-checks in another project",
    () => useIt(pack),
    60_000,
  );
});

/** What `bun init` writes into tsconfig.json: bun-types' docs/typescript.mdx. */
const bunInit = {
  lib: ["ESNext"],
  target: "ESNext",
  module: "Preserve",
  moduleDetection: "force",
  allowJs: true,
  moduleResolution: "bundler",
  allowImportingTsExtensions: true,
  verbatimModuleSyntax: true,
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  noFallthroughCasesInSwitch: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  types: ["bun-types"],
};

async function useIt(pack: readonly string[]): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-package-"));
  const project = join(scratch, "project");
  const modules = join(project, "node_modules");
  const folder = join(modules, "aegis-kexec");
  await mkdir(folder, { recursive: true });
  await run([...pack, scratch], root);
  const tarball = join(scratch, `aegis-kexec-${version}.tgz`);
  expect(Bun.file(tarball).size).toBeLessThan(400_000);
  await run(["tar", "-xzf", tarball, "--strip-components=1", "-C", folder], project);
  expect((await readdir(folder)).sort()).toEqual([
    ...["CHANGELOG.md", "LICENSE-MIT", "README.md", "package.json", "src"],
  ]);
  // What the registry would give
  for (const name of ["valibot", "citty", "bun-types", "@types", "undici-types"]) {
    await symlink(join(root, "node_modules", name), join(modules, name));
  }
  await Bun.write(
    join(project, "use.ts"),
    `import { inspect, KexecError, type LoadRequest } from "aegis-kexec";
const request: LoadRequest = { kernel: "/nowhere" };
try {
  await inspect(request);
} catch (error) {
  if (error instanceof KexecError) console.log(error.code);
}
// @ts-expect-error: a number is no path
void (() => inspect({ kernel: 1 }));
`,
  );
  // The README's own example, where there is nothing to boot
  const readme = await Bun.file(join(root, "README.md")).text();
  await Bun.write(join(project, "readme.ts"), /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? "");
  await Bun.write(
    join(project, "tsconfig.json"),
    JSON.stringify({ compilerOptions: bunInit, include: ["use.ts", "readme.ts"] }),
  );
  await run([process.execPath, join(root, "node_modules/.bin/tsc"), "--noEmit"], project);
  const said = await run([process.execPath, "use.ts"], project);
  expect(said).toBe(process.platform === "linux" ? "file-not-found\n" : "unsupported-platform\n");
  if (process.platform === "linux") {
    const example = (...within: string[]) =>
      Bun.spawnSync([...within, process.execPath, "readme.ts"], { cwd: project }).stderr.toString();
    // In a container no handover could follow, which comes before the question what to hand over to
    const contained = "pid-namespace 7 ";
    expect(example()).toStartWith(inInitialPidNamespace() ? "file-not-found 4 " : contained);
    const apart = ownPidNamespace();
    if (apart !== undefined) expect(example(...apart)).toStartWith(contained);
  }
  await rm(scratch, { recursive: true });
}

test("bun would publish it", async () => {
  // A dry run sends nothing, but wants to see a token
  const env = { NPM_CONFIG_TOKEN: "none" };
  const said = await run([process.execPath, "publish", "--dry-run"], root, env);
  expect(said).toContain(`+ aegis-kexec@${version} (dry-run)`);
}, 60_000);

/** The repository, and what is installed, in another folder. */
async function copyRepository(folder: string): Promise<void> {
  await copySources(folder);
  const modules = `${join(root, "node_modules")}/.`;
  await run(["cp", "-a", "--reflink=auto", modules, join(folder, "node_modules")], root);
}

const [first] = targets;
const tools = ["tar", "sha256sum"].filter((tool) => Bun.which(tool) === null);
// Debian 12's npm is older than that command
if (Bun.which("npm") === null || !Bun.spawnSync(["npm", "sbom", "--help"]).success) {
  tools.push("an npm with sbom");
}

describe("a release", () => {
  const missing = tools.length > 0 ? ` (needs ${tools.join(", ")})` : "";
  test.skipIf(tools.length > 0)(
    `built in two folders is the same, and holds what it must${missing}`,
    async () => {
      if (first === undefined) throw new Error("no target");
      const folders = [join(scratch, "one"), join(scratch, "a-folder-with-a-longer-name", "two")];
      const digests = await Promise.all(
        folders.map(async (folder) => {
          await copyRepository(folder);
          const release = join(folder, "dist", "release");
          await run([process.execPath, "run", "release", "--target", first.name], folder);
          await run(["sha256sum", "--check", "--strict", "SHA256SUMS"], release);
          const files = (await readdir(release)).sort();
          return run(["sha256sum", ...files], release);
        }),
      );
      const [one = "", two] = digests;
      expect(two).toBe(one);
      const top = `aegis-kexec-${version}-${first.name}`;
      expect(
        one
          .trim()
          .split("\n")
          .map((line) => line.slice(66)),
      ).toEqual([...["SHA256SUMS", `${top}.tar.gz`, `aegis-kexec-${version}.cdx.json`]]);

      const release = join(scratch, "one", "dist", "release");
      const listed = await run(["tar", "-tzvf", `${top}.tar.gz`], release);
      expect(listed).toMatch(
        new RegExp(`^-rwxr-xr-x 0/0 .* 1970-01-01 .* ${top}/aegis-kexec$`, "m"),
      );
      expect(listed).toContain(`${top}/contrib/man/aegis-kexec.8\n`);
      const notices = await run(["tar", "-xzOf", `${top}.tar.gz`, `${top}/NOTICES`], release);
      for (const name of ["citty", "valibot", "JavaScriptCore"]) expect(notices).toContain(name);

      const bill = await Bun.file(join(release, `aegis-kexec-${version}.cdx.json`)).json();
      expect(bill.bomFormat).toBe("CycloneDX");
      const names = bill.components.map(({ name }: { name: string }) => name).sort();
      expect(names).toEqual(["bun", "citty", "valibot"]);
    },
    180_000,
  );
});
