/**
 * `bun build/release.ts`: dist/release/ with an archive for each target, the software bill of
 * materials and SHA256SUMS. The same sources give the same bytes, wherever they stand.
 */
import { chmod, cp, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../src/version.ts";
import { notices } from "./release/notices.ts";
import { billOfMaterials } from "./release/sbom.ts";
import { ensureBuilt } from "./reuse.ts";
import { type Target, targets } from "./targets.ts";

const root = join(import.meta.dir, "..");

/** What stands beside the binary in every archive. */
const texts = ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE-MIT", "contrib", "docs"];

/** Writes a release into a new folder. @throws Error that says what failed. */
export async function release(folder: string, wanted: readonly Target[]): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const { name } of wanted) {
    const archive = await archiveOf(name);
    await Bun.write(join(folder, `aegis-kexec-${version}-${name}.tar.gz`), archive);
  }
  const bill = `${JSON.stringify(await billOfMaterials(), undefined, 2)}\n`;
  await Bun.write(join(folder, `aegis-kexec-${version}.cdx.json`), bill);
  const sums: string[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const hash = new Bun.CryptoHasher("sha256").update(await Bun.file(join(folder, file)).bytes());
    sums.push(`${hash.digest("hex")}  ${file}\n`);
  }
  await Bun.write(join(folder, "SHA256SUMS"), sums.join(""));
}

async function archiveOf(name: Target["name"]): Promise<Uint8Array> {
  const work = await mkdtemp(join(tmpdir(), "aegis-kexec-release-"));
  try {
    const top = `aegis-kexec-${version}-${name}`;
    const folder = join(work, top);
    await mkdir(folder);
    await cp(await ensureBuilt(name), join(folder, "aegis-kexec"));
    await chmod(join(folder, "aegis-kexec"), 0o755);
    for (const text of texts) await cp(join(root, text), join(folder, text), { recursive: true });
    await Bun.write(join(folder, "NOTICES"), await notices());
    // Nothing of the building machine: order, times, owners, the group's and others' rights
    const fixed = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const child = Bun.spawn(
      ["tar", "--create", "--format=ustar", ...fixed, "--mode=u+rw,go=rX", top],
      { cwd: work, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const [tar, said] = await Promise.all([
      new Response(child.stdout).arrayBuffer(),
      new Response(child.stderr).text(),
    ]);
    if ((await child.exited) !== 0) throw new Error(`tar: ${said.trim()}`);
    return Bun.gzipSync(new Uint8Array(tar), { level: 6 });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { target: { type: "string" } }, strict: true });
  const wanted = targets.filter(({ name }) => name === (values.target ?? name));
  if (wanted.length === 0) throw new Error(`no such target: ${values.target}`);
  await release(join(root, "dist", "release"), wanted);
  for (const file of (await readdir(join(root, "dist", "release"))).sort()) {
    console.log(`dist/release/${file}`);
  }
}
