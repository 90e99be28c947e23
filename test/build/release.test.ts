/** What is published: the package, and the archives of a release. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { releases } from "../../build/release/changelog.ts";
import { debianPackage, nobody } from "../../build/release/debian.ts";
import { notices } from "../../build/release/notices.ts";
import { ensureBuilt } from "../../build/reuse.ts";
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

/** That of a release, as a program that packs. */
const packOwn = `import { releases } from "${root}/build/release/changelog.ts";
import { npmPackage } from "${root}/build/release.ts";
const [newest] = await releases("${version}");
await Bun.write(process.argv.at(-1) + "/aegis-kexec-${version}.tgz", await npmPackage(newest));`;

const packers = {
  "a release": [process.execPath, "--eval", packOwn],
  bun: [process.execPath, "pm", "pack", "--quiet", "--destination"],
  npm: ["npm", "pack", "--silent", "--pack-destination"],
} as const;

describe.each(Object.entries(packers))("the package that %s packs", (packer, pack) => {
  needing(...(packer === "npm" ? [packer] : [])).test(
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
  expect(Bun.file(tarball).size).toBeLessThan(600_000);
  await run(["tar", "-xzf", tarball, "--strip-components=1", "-C", folder], project);
  expect((await readdir(folder)).sort()).toEqual([
    ...["CHANGELOG.md", "LICENSE-MIT", "README.md", "contrib", "package.json", "src"],
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

describe("a release", () => {
  needing("tar", "sha256sum", "minisign", "dpkg-deb").test(
    "built in two folders by two users is the same, signed, and holds what it must",
    async () => {
      if (first === undefined) throw new Error("no target");
      const key = join(scratch, "key");
      await run(["minisign", "-G", "-W", "-s", key, "-p", `${key}.pub`], scratch);
      const folders = [join(scratch, "one"), join(scratch, "a-folder-with-a-longer-name", "two")];
      const digests = await Promise.all(
        folders.map(async (folder, index) => {
          await copyRepository(folder);
          // As two people have them: other rights, another zone, another language
          const release = `${process.execPath} run release --target ${first.name} --key ${key}`;
          const odd = index === 0 ? "" : "chmod -R go= build contrib docs src; umask 077; ";
          const zone = { TZ: index === 0 ? "UTC" : "Asia/Tokyo", LC_ALL: "C" };
          await run(["sh", "-ec", `${odd}${release}`], folder, zone);
          const made = join(folder, "dist", "release");
          await run(["sha256sum", "--check", "--strict", "SHA256SUMS"], made);
          await run(["minisign", "-V", "-q", "-p", `${key}.pub`, "-m", "SHA256SUMS"], made);
          return run(["sha256sum", ...(await readdir(made)).sort()], made);
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
      ).toEqual([
        ...["SHA256SUMS", "SHA256SUMS.minisig", `${top}.tar.gz`],
        ...[`aegis-kexec-${version}.cdx.json`, `aegis-kexec-${version}.tgz`],
        `aegis-kexec_${version}-1_amd64.deb`,
      ]);

      const release = join(scratch, "one", "dist", "release");
      const [newest] = await releases(version);
      const listed = await run(["tar", "-tzvf", `${top}.tar.gz`], release, { TZ: "UTC" });
      expect(listed).toMatch(
        new RegExp(`^-rwxr-xr-x root/root .* ${newest?.date} 00:00 ${top}/aegis-kexec$`, "m"),
      );
      expect(listed).toContain(`${top}/contrib/man/aegis-kexec.8\n`);
      expect(listed).toMatch(/^-rwxr-xr-x .*\/contrib\/initramfs-tools\/hook$/m);
      const notices = await run(["tar", "-xzOf", `${top}.tar.gz`, `${top}/NOTICES`], release);
      for (const name of ["citty", "valibot", "JavaScriptCore"]) expect(notices).toContain(name);

      const bill = await Bun.file(join(release, `aegis-kexec-${version}.cdx.json`)).json();
      expect(bill.bomFormat).toBe("CycloneDX");
      const names = bill.components.map(({ name }: { name: string }) => name).sort();
      expect(names).toEqual(["bun", "citty", "valibot"]);
      // Who has the sums' signature has the package as it was signed
      await run(["sh", "-c", "echo x >>SHA256SUMS"], release);
      const forged = Bun.spawnSync(
        ["minisign", "-V", "-q", "-p", `${key}.pub`, "-m", "SHA256SUMS"],
        { cwd: release },
      );
      expect(forged.success).toBe(false);
    },
    300_000,
  );
});

describe.each([
  ["amd64", "linux-x64"],
  ["arm64", "linux-arm64"],
] as const)("the Debian package for %s", (architecture, target) => {
  const packageOf = async (folder: string) => {
    const all = await releases(version);
    const binary = await Bun.file(await ensureBuilt(target)).bytes();
    const about = { architecture, binary, notices: await notices(), maintainer: nobody };
    const path = join(folder, `aegis-kexec_${version}-1_${architecture}.deb`);
    await Bun.write(path, await debianPackage({ ...about, releases: all }));
    return path;
  };

  needing("lintian").test(
    "has no fault that lintian sees",
    async () => {
      const folder = await mkdtemp(join(scratch, "lintian-"));
      const said = await run(
        ["lintian", "--fail-on=error,warning", await packageOf(folder)],
        folder,
      );
      expect(said).toBe("");
    },
    180_000,
  );

  needing("dpkg-deb", "md5sum").test(
    "holds the files that it lists",
    async () => {
      const folder = await mkdtemp(join(scratch, "unpacked-"));
      const path = await packageOf(folder);
      await run(["dpkg-deb", "--raw-extract", path, "root"], folder);
      await run(
        ["md5sum", "--check", "--strict", "--quiet", "DEBIAN/md5sums"],
        join(folder, "root"),
      );
      const field = (name: string) => run(["dpkg-deb", "--field", path, name], folder);
      expect(await field("Architecture")).toBe(`${architecture}\n`);
      expect(await field("Version")).toBe(`${version}-1\n`);
      const unpacked = Bun.file(join(folder, "root/usr/sbin/aegis-kexec"));
      const built = Bun.file(await ensureBuilt(target));
      expect(Bun.hash(await unpacked.bytes())).toBe(Bun.hash(await built.bytes()));
    },
    120_000,
  );
});
