/** What is published: the package, and the archives of a release. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { release } from "../../build/release.ts";
import { targets } from "../../build/targets.ts";
import { version } from "../../src/version.ts";

const root = join(import.meta.dir, "..", "..");
let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-release-test-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function run(command: readonly string[], cwd: string): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}\n${out}${err}`);
  return out;
}

test("the package is small, and works and type-checks in another project", async () => {
  const project = join(scratch, "project");
  const modules = join(project, "node_modules");
  const folder = join(modules, "aegis-kexec");
  await mkdir(folder, { recursive: true });
  await run([process.execPath, "pm", "pack", "--quiet", "--destination", scratch], root);
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
  const config = await Bun.file(join(root, "tsconfig.json")).json();
  await Bun.write(
    join(project, "tsconfig.json"),
    JSON.stringify({ ...config, include: ["use.ts"] }),
  );
  await run([process.execPath, join(root, "node_modules/.bin/tsc"), "--noEmit"], project);
  const said = await run([process.execPath, "use.ts"], project);
  expect(said).toBe(process.platform === "linux" ? "file-not-found\n" : "unsupported-platform\n");
}, 60_000);

const [first] = targets;
const tools = ["npm", "tar", "sha256sum"].filter((tool) => Bun.which(tool) === null);

describe.skipIf(tools.length > 0)("a release", () => {
  test("is the same twice, and holds what it must", async () => {
    if (first === undefined) throw new Error("no target");
    const [one, two] = [join(scratch, "one"), join(scratch, "two")];
    await release(one, [first]);
    await release(two, [first]);
    const sums = await Bun.file(join(one, "SHA256SUMS")).text();
    expect(await Bun.file(join(two, "SHA256SUMS")).text()).toBe(sums);
    await run(["sha256sum", "--check", "--strict", "SHA256SUMS"], one);

    const top = `aegis-kexec-${version}-${first.name}`;
    const listed = await run(["tar", "-tzvf", `${top}.tar.gz`], one);
    expect(listed).toMatch(new RegExp(`^-rwxr-xr-x 0/0 .* 1970-01-01 .* ${top}/aegis-kexec$`, "m"));
    expect(listed).toContain(`${top}/contrib/man/aegis-kexec.8\n`);
    const notices = await run(["tar", "-xzOf", `${top}.tar.gz`, `${top}/NOTICES`], one);
    for (const name of ["citty", "valibot", "JavaScriptCore"]) expect(notices).toContain(name);

    const bill = await Bun.file(join(one, `aegis-kexec-${version}.cdx.json`)).json();
    expect(bill.bomFormat).toBe("CycloneDX");
    const names = bill.components.map(({ name }: { name: string }) => name).sort();
    expect(names).toEqual(["bun", "citty", "valibot"]);
  }, 180_000);
});
