/** A gigabyte over loopback into sealed memory with its digest, beside `curl | sha256sum`, in one run. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Authority } from "../unit/source/network/authority.ts";

const megabytes = Number(process.env["AEGIS_NETWORK_MB"] ?? 1000);
const size = megabytes * 1_000_000;
/** Of the rate of `curl | sha256sum`. */
const least = 0.8;
/** MiB of the process, the runtime among them; the file is in memory of its own. */
const allowed = 96;
const runs = 2;

const folder = mkdtempSync(join(tmpdir(), "aegis-bench-network-"));
const path = (name: string) => join(folder, name);
const missing = ["curl", "sha256sum"].filter((tool) => Bun.which(tool) === null);
const children: Bun.Subprocess[] = [];

let ports: Readonly<Record<"http" | "https", number>>;
let sha256: string;

async function firstLine(child: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) break;
  }
  return text;
}

function start(script: string, ...words: readonly string[]) {
  const command = [process.execPath, join(import.meta.dir, script), ...words];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  children.push(child);
  return child;
}

beforeAll(async () => {
  if (missing.length > 0) return;
  const authority = new Authority("bench");
  const { cert, key } = authority.issue();
  writeFileSync(path("ca.pem"), authority.cert);
  writeFileSync(path("cert.pem"), cert);
  writeFileSync(path("key.pem"), key);
  // The client asks for it first: what begins so is a manifest.
  writeFileSync(path("boot.json"), "{}");
  const hasher = new Bun.CryptoHasher("sha256");
  const writer = Bun.file(path("large")).writer();
  const block = new Uint8Array(1_000_000);
  for (let number = 0; number < megabytes; number++) {
    new DataView(block.buffer).setUint32(0, number);
    hasher.update(block);
    writer.write(block.slice());
    await writer.flush();
  }
  await writer.end();
  sha256 = hasher.digest("hex");
  ports = JSON.parse(
    await firstLine(start("network-server.ts", folder, path("cert.pem"), path("key.pem"))),
  );
}, 120_000);

afterAll(() => {
  for (const child of children) child.kill();
  rmSync(folder, { recursive: true });
});

async function ours(scheme: "http" | "https") {
  const url = `${scheme}://127.0.0.1:${ports[scheme]}/boot.json`;
  const child = start("network-client.ts", url, path("ca.pem"), String(size), sha256);
  return JSON.parse(await firstLine(child)) as { readonly seconds: number; readonly most: number };
}

function curl(scheme: "http" | "https"): number {
  const url = `${scheme}://127.0.0.1:${ports[scheme]}/large`;
  const begin = performance.now();
  const line = `curl --silent --show-error --cacert ${path("ca.pem")} ${url} | sha256sum`;
  const done = Bun.spawnSync(["sh", "-c", line], { env: { PATH: process.env["PATH"] ?? "" } });
  expect(done.stdout.toString()).toStartWith(sha256);
  return (performance.now() - begin) / 1000;
}

describe.each(["http", "https"] as const)("%s", (scheme) => {
  test.skipIf(missing.length > 0)(
    `a file of ${megabytes} MB comes at ${least} × of the rate of curl | sha256sum, or more${missing.length > 0 ? ` (needs ${missing.join(", ")})` : ""}`,
    async () => {
      const taken: { readonly seconds: number; readonly curl: number; readonly most: number }[] =
        [];
      for (let run = 0; run < runs; run++) {
        const beside = curl(scheme);
        taken.push({ ...(await ours(scheme)), curl: beside });
      }
      for (const one of taken) console.log(`${scheme}: ${JSON.stringify(one)}`);
      const ratio = Math.max(...taken.map((one) => one.curl / one.seconds));
      expect(ratio).toBeGreaterThanOrEqual(least);
      expect(Math.max(...taken.map(({ most }) => most))).toBeLessThan(allowed);
    },
    240_000,
  );
});
