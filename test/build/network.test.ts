/** The binary at a server: what the environment may not choose, and what a load of a URL tells. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { Authority } from "../unit/source/network/authority.ts";
import { ok, Server } from "../unit/source/network/server.ts";

const target = process.arch === "arm64" ? "linux-arm64" : "linux-x64";
const folder = mkdtempSync(join(tmpdir(), "aegis-build-network-"));
const authority = new Authority("the organisation's");
const ca = join(folder, "ca.pem");
writeFileSync(ca, authority.cert);
afterAll(() => rmSync(folder, { recursive: true }));

async function run(words: readonly string[], environment: Readonly<Record<string, string>>) {
  const binary = await ensureBuilt(target);
  const child = Bun.spawn([binary, ...words], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    env: environment,
    cwd: folder,
  });
  const stderr = await new Response(child.stderr).text();
  return { exit: await child.exited, stderr };
}

test.each<[string, string, boolean]>([
  ["NODE_EXTRA_CA_CERTS", ca, false],
  ["SSL_CERT_FILE", ca, false],
  ["SSL_CERT_DIR", folder, false],
  ["NODE_USE_SYSTEM_CA", "1", false],
  ["NODE_TLS_REJECT_UNAUTHORIZED", "0", false],
  ["HTTPS_PROXY", "http://127.0.0.1:1", true],
  ["https_proxy", "http://127.0.0.1:1", true],
  ["HTTP_PROXY", "http://127.0.0.1:1", true],
  ["ALL_PROXY", "http://127.0.0.1:1", true],
  ["BUN_CONFIG_VERBOSE_FETCH", "curl", true],
])(
  "%s chooses nothing",
  async (name, value, withCa) => {
    using server = new Server(() => ok("<html>no kernel</html>"), { tls: authority.issue() });
    const words = ["load", server.url("/x"), "--dry-run", "--cmdline", "x", "--wait", "0"];
    const { exit, stderr } = await run([...words, ...(withCa ? ["--ca", ca] : [])], {
      [name]: value,
    });
    const lines = stderr.split("\n").filter((line) => line !== "");
    // One line and its hint, whatever else could have been told
    expect(lines).toHaveLength(2);
    if (withCa) {
      expect(stderr).toContain("not a kernel image");
      expect(exit).toBe(8);
      expect(server.paths).toEqual(["/x"]);
    } else {
      expect(stderr).toContain("no certificate authority that is trusted here vouches");
      expect(exit).toBe(12);
      expect(server.paths).toEqual([]);
    }
  },
  120_000,
);

test("a signal ends the wait for a server, though secrets are held", async () => {
  const paths: string[] = [];
  using server = new Server(
    ({ path }) => {
      paths.push(path);
      return ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "hang"];
    },
    { tls: authority.issue() },
  );
  writeFileSync(join(folder, "key"), "secret words");
  const words = ["load", server.url("/x"), "--dry-run", "--cmdline", "x", "--ca", ca];
  const secret = ["--secret", "key:/etc/cryptsetup-keys.d/root.key"];
  const child = Bun.spawn([await ensureBuilt(target), ...words, ...secret], {
    ...{ stdin: "ignore", stdout: "pipe", stderr: "pipe", env: {}, cwd: folder },
  });
  while (paths.length === 0) await Bun.sleep(10);
  const begin = performance.now();
  child.kill("SIGTERM");
  await child.exited;
  expect(performance.now() - begin).toBeLessThan(5000);
  expect(child.signalCode).toBe("SIGTERM");
}, 60_000);
