/**
 * `bun build/release.ts [--target NAME] [--key PATH] [--maintainer "NAME <ADDRESS>"]`: dist/release/ with
 * an archive for each target, Debian packages, the npm package, the software bill of materials and
 * SHA256SUMS, signed by minisign with a key that is given. The same sources give the same bytes,
 * wherever they stand.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { files } from "../package.json" with { type: "json" };
import { version } from "../src/version.ts";
import { type Release, releases, secondsOf } from "./release/changelog.ts";
import { debianName, debianPackage, nobody } from "./release/debian.ts";
import { notices } from "./release/notices.ts";
import { billOfMaterials } from "./release/sbom.ts";
import { type ArchiveFile, tar } from "./release/tar.ts";
import { ensureBuilt } from "./reuse.ts";
import { type Target, targets } from "./targets.ts";

const root = join(import.meta.dir, "..");

/** What stands beside the binary in every archive. */
const texts = ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-MIT", "contrib/**", "docs/**"];

/** Debian's names of architectures, of the targets that its C library runs. */
const debianArchitectures: Partial<Record<Target["name"], "amd64" | "arm64">> = {
  "linux-x64": "amd64",
  "linux-arm64": "arm64",
};

export interface ReleaseOptions {
  readonly targets: readonly Target[];
  /** The file of minisign's secret key; minisign itself asks for its password. */
  readonly key?: string;
  readonly maintainer?: string;
}

/** Writes a release into a new folder. @throws Error that says what failed. */
export async function release(folder: string, options: ReleaseOptions): Promise<void> {
  const { maintainer = nobody, key } = options;
  const all = await releases(version);
  const [newest] = all;
  if (newest === undefined) throw new Error("CHANGELOG.md names no release");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const put = (name: string, data: Uint8Array | string) => Bun.write(join(folder, name), data);
  for (const { name } of options.targets) {
    const binary = await Bun.file(await ensureBuilt(name)).bytes();
    await put(`aegis-kexec-${version}-${name}.tar.gz`, await archiveOf(name, binary, newest));
    const architecture = debianArchitectures[name];
    if (architecture === undefined) continue;
    const about = { architecture, binary, notices: await notices(), releases: all, maintainer };
    await put(debianName(newest, architecture), await debianPackage(about));
  }
  await put(`aegis-kexec-${version}.tgz`, await npmPackage(newest));
  await put(
    `aegis-kexec-${version}.cdx.json`,
    `${JSON.stringify(await billOfMaterials(), undefined, 2)}\n`,
  );
  const sums: string[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const hash = new Bun.CryptoHasher("sha256").update(await Bun.file(join(folder, file)).bytes());
    sums.push(`${hash.digest("hex")}  ${file}\n`);
  }
  await put("SHA256SUMS", sums.join(""));
  if (key === undefined) return;
  // Its own comment would name the time
  const comment = `aegis-kexec ${version}`;
  const sign = ["minisign", "-S", "-s", key, "-t", comment, "-m", join(folder, "SHA256SUMS")];
  await run(sign, process.cwd());
}

async function archiveOf(
  name: Target["name"],
  binary: Uint8Array,
  newest: Release,
): Promise<Uint8Array> {
  const files: ArchiveFile[] = [
    { path: "aegis-kexec", mode: 0o755, data: binary },
    { path: "NOTICES", mode: 0o644, data: new TextEncoder().encode(await notices()) },
    ...(await sourcesOf(texts)),
  ];
  const archive = tar(files, secondsOf(newest), `aegis-kexec-${version}-${name}/`);
  return Bun.gzipSync(new Uint8Array(archive), { level: 6 });
}

/** The npm package. (npm and Bun pack the same files, with the rights that they have on the machine.) */
export async function npmPackage(newest: Release): Promise<Uint8Array> {
  const whole = files.flatMap((name) => [name, `${name}/**`]);
  const archive = tar(await sourcesOf(["package.json", ...whole]), secondsOf(newest), "package/");
  return Bun.gzipSync(new Uint8Array(archive), { level: 9 });
}

async function sourcesOf(patterns: readonly string[]): Promise<ArchiveFile[]> {
  const paths = patterns.flatMap((pattern) => [
    ...new Bun.Glob(pattern).scanSync({ cwd: root, dot: true }),
  ]);
  return Promise.all(
    paths.map(async (path) => {
      const data = await Bun.file(join(root, path)).bytes();
      // Scripts that are installed by a copy
      return { path, data, mode: data[0] === 0x23 && data[1] === 0x21 ? 0o755 : 0o644 };
    }),
  );
}

async function run(command: readonly string[], cwd: string): Promise<void> {
  const child = Bun.spawn([...command], {
    cwd,
    stdin: "inherit",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`failed: ${command.join(" ")}`);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      target: { type: "string" },
      key: { type: "string" },
      maintainer: { type: "string" },
    },
    strict: true,
  });
  const { target, ...options } = values;
  const wanted = targets.filter(({ name }) => name === (target ?? name));
  if (wanted.length === 0) throw new Error(`no such target: ${target}`);
  const folder = join(root, "dist", "release");
  await release(folder, { targets: wanted, ...options });
  for (const file of (await readdir(folder)).sort()) console.log(`dist/release/${file}`);
}
