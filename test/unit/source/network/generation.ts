/** A signed generation on a server, and what becomes of it here. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../../src/errors.ts";
import { gateFor } from "../../../../src/handoff/gate/choose-gate.ts";
import type { Gate } from "../../../../src/handoff/gate/gate.ts";
import { libc } from "../../../../src/linux/libc.ts";
import type { Listener } from "../../../../src/listener.ts";
import type { Opening } from "../../../../src/source/kind.ts";
import { manifestReader } from "../../../../src/source/manifest.ts";
import { findOnNetwork, type NetworkOptions } from "../../../../src/source/network/network.ts";
import { signerOf } from "../../trust/signer.ts";
import { Authority } from "./authority.ts";
import { type Answer, type Asked, ok, Server, type ServerOptions, status } from "./server.ts";

export const authority = new Authority("the organisation's");
export const stranger = new Authority("somebody else's");
export const served = authority.issue();
export const folder = mkdtempSync(join(tmpdir(), "aegis-network-"));

export function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

export const signer = signerOf("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
export const trusted = write("org.pub", signer.minisignKey());
export const ca = write("ca.pem", authority.cert);

const bytes = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed) & 255);
export const kernel = bytes(20_000, 7);
export const initrd = bytes(3000, 99);

const sha256 = (of: Uint8Array) => new Bun.CryptoHasher("sha256").update(of).digest("hex");
export const manifest = JSON.stringify({
  format: "aegis-kexec/1",
  generation: 42,
  architecture: libc().architecture,
  kernel: { path: "vmlinuz", size: kernel.length, sha256: sha256(kernel) },
  initrds: [{ path: "sub/initrd 1.img", size: initrd.length, sha256: sha256(initrd) }],
  cmdline: "quiet",
});
export const signature = signer.minisign(Buffer.from(manifest));

export const files: Readonly<Record<string, string | Uint8Array>> = {
  "/node/boot.json": manifest,
  "/node/boot.json.minisig": signature,
  "/node/vmlinuz": kernel,
  "/node/sub/initrd%201.img": initrd,
};
export const places = Object.keys(files);

/** Serves the generation; `instead` answers in the place of it where it wants to. */
export function serve(
  instead: (asked: Asked) => Answer | undefined = () => undefined,
  options: ServerOptions = { tls: served },
): Server {
  return new Server((asked) => {
    const file = files[asked.path];
    return instead(asked) ?? (file === undefined ? status(404) : ok(file));
  }, options);
}

export const trustOptions = {
  trust: [trusted],
  signature: [],
  threshold: undefined,
  minGeneration: undefined,
  policy: undefined,
  cmdline: undefined,
  reuseCmdline: false,
  append: undefined,
  initrd: [],
  profile: undefined,
};

/** Opens what a URL boots, as a load does; undefined where it is whole, else the error. */
export async function fetched(
  url: string,
  options: Partial<NetworkOptions> = {},
  listener: Listener = {},
  gate?: Gate,
): Promise<KexecError | undefined> {
  using held = new DisposableStack();
  try {
    const admission = gate ?? (await gateFor(trustOptions));
    // A busy machine stays silent for a while, too
    const asked = { ca, wait: 0, stall: 5000, ...options };
    const found = await findOnNetwork(url, held, admission, asked, listener);
    const opening: Opening = {
      architecture: libc().architecture,
      listener,
      admission,
      starts: false,
      held,
      follow: () => Promise.reject(new Error("it leads nowhere")),
    };
    const opened = await manifestReader.open(found, opening);
    const [archive] = opened.initrds;
    const got = [opened.kernel.file, archive?.file];
    for (const [index, wanted] of [kernel, initrd].entries()) {
      const file = got[index];
      const same = file !== undefined && Buffer.compare(file.read(0, file.size), wanted) === 0;
      if (!same) throw new Error("other bytes passed than were signed");
    }
    return undefined;
  } catch (error) {
    if (error instanceof KexecError) return error;
    throw error;
  }
}
