/** Stores a generation: verified, written beside the others, flushed, and only then given its name. */
import type { Architecture } from "../architecture.ts";
import { cannot } from "../errors.ts";
import { libc, requireLinux } from "../linux/libc.ts";
import type { Generation } from "../source/kind.ts";
import { FoundSource } from "../source/open.ts";
import { gateFor } from "./gate/choose-gate.ts";
import type { TrustOptions } from "./gate/gate.ts";
import type { FetchReport, Observer } from "./report.ts";
import { OpenStore } from "./storing/place.ts";
import {
  type FetchRequest,
  type ParsedFetchRequest,
  parseFetchRequest,
} from "./storing/request.ts";
import { storeGeneration } from "./storing/store.ts";

/**
 * Verifies the generation that SOURCE is, or has, and stores it whole or not at all. One that was begun is gone
 * on with. What the store has is left as it is when this fails.
 * @throws KexecError with a code of exits 2, 4, 5, 8, 10 or 12
 */
export async function fetch(request: FetchRequest, observer: Observer = {}): Promise<FetchReport> {
  requireLinux();
  const { architecture } = libc();
  const parsed = parseFetchRequest(request);
  const gate = await gateFor(trustOptions(parsed, parsed.signature));
  using held = new DisposableStack();
  const { source: path, wait, ca, clientCert, clientKey, signal, entry } = parsed;
  const wanted = { source: path, wait, ca, clientCert, clientKey, signal };
  observer.progress?.(`opening ${path}`, 0, 0, "open");
  const source = held.use(await FoundSource.find(wanted, observer, gate));
  const generation = await source.generation(entry);
  const trust = gate.admitted;
  requireArchitecture(generation, architecture);
  if (trust === null) {
    observer.warn?.(
      `no key is trusted: the files are what ${generation.manifest.path} says, and anyone may have written that`,
    );
  }
  // A signature that was named is that of this generation, and of no other.
  const inside = await gateFor(trustOptions(parsed, []));
  using store = await OpenStore.open(parsed, inside, observer);
  return { ...(await storeGeneration(generation, store, parsed, observer)), trust };
}

function trustOptions(parsed: ParsedFetchRequest, signature: readonly string[]): TrustOptions {
  const { trust, threshold, minGeneration, policy } = parsed;
  return {
    ...{ trust, threshold, minGeneration, policy, signature: [...signature] },
    ...{ cmdline: undefined, reuseCmdline: false, append: undefined },
    ...{ initrd: [], profile: undefined },
  };
}

function requireArchitecture({ manifest }: Generation, architecture: Architecture): void {
  const wanted = manifest.manifest.architecture;
  if (wanted === architecture) return;
  throw cannot(`fetch ${manifest.path}`, {
    code: "wrong-architecture",
    details: { path: manifest.path },
    why: `it is for ${wanted}, and this machine is ${architecture}`,
    hint: `fetch a generation that was made for ${architecture}`,
  });
}
