/**
 * The README's first commands, as they are printed, on a Debian that has npm and nothing else of ours:
 * made by mmdebstrap, entered by chroot.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { copySources } from "../copy.ts";
import { cacheFolder } from "../vm/lib/host.ts";
import { printedCommand } from "../vm/lib/readme.ts";

const root = join(cacheFolder, "fresh-root");
const home = "/root/aegis-kexec";
/** How this machine reaches the network, which the other one must too. */
const networkVariables = /^(https?_proxy|no_proxy|npm_config_registry|NODE_EXTRA_CA_CERTS)$/i;
const networkFiles = ["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"];

const missing = ["mmdebstrap", "unshare"].filter((tool) => Bun.which(tool) === null);
if (process.getuid?.() !== 0) missing.push("root");

async function run(command: readonly string[], env: Record<string, string | undefined>) {
  const child = Bun.spawn([...command], { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (exit !== 0) throw new Error(`exit ${exit} of ${command.join(" ")}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs shell commands in the folder of the repository there. */
function inFreshRoot(script: string): Promise<string> {
  const enter =
    'mount -t proc proc "$0/proc"; mount -t sysfs sysfs "$0/sys"; mount --rbind /dev "$0/dev"; exec chroot "$0" sh -euc "$1"';
  const network = Object.entries(process.env).filter(([name]) => networkVariables.test(name));
  return run(
    [
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", enter, root],
      `cd ${home}; ${script}`,
    ],
    {
      ...Object.fromEntries(network),
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/root",
      LC_ALL: "C.UTF-8",
    },
  );
}

async function makeFreshRoot(): Promise<void> {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(cacheFolder, { recursive: true });
  const include = "--include=npm,ca-certificates";
  await run(
    ["mmdebstrap", "--mode=root", "--variant=minbase", include, "bookworm", root],
    process.env,
  );
  await copySources(join(root, home));
  for (const file of networkFiles.filter((one) => existsSync(one))) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
}

const title = "on a clean Debian with npm";
describe.skipIf(missing.length > 0)(
  missing.length > 0 ? `${title} (needs ${missing.join(", ")})` : title,
  () => {
    beforeAll(makeFreshRoot, 1_800_000);
    afterAll(() => rmSync(root, { recursive: true, force: true }), 120_000);

    test("the demonstration works", async () => {
      const said = await inFreshRoot(printedCommand("demo"));
      expect(said).toContain("It worked: one kernel handed this machine over to the next");
    }, 1_800_000);

    test("the binaries are built", async () => {
      await inFreshRoot(printedCommand("build"));
      const built = readdirSync(join(root, home, "dist")).filter((one) => !one.startsWith("."));
      expect(built.sort()).toEqual([
        ...["aegis-kexec-linux-arm64", "aegis-kexec-linux-arm64-musl"],
        ...["aegis-kexec-linux-x64", "aegis-kexec-linux-x64-musl"],
      ]);
      expect(await inFreshRoot(`dist/aegis-kexec-linux-${process.arch} --version`)).toContain(
        "aegis-kexec",
      );
    }, 1_800_000);

    test("the tests pass", async () => {
      const said = await inFreshRoot(printedCommand("test"));
      expect(said.trim().split("\n").at(-1)).toMatch(
        /^[1-9][0-9]* passed, 0 failed, [0-9]+ skipped$/,
      );
    }, 7_200_000);
  },
);
