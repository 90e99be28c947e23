/** SOURCE on a server: what it is shows in its first bytes, and only what may be taken is fetched on. */
import { cannot, KexecError } from "../../errors.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import { maxManifestSize } from "../../trust/manifest.ts";
import type { Admission, FoundFile } from "../kind.ts";
import { beginningOf, type HeldFile } from "../open-file.ts";
import { addressBelow, addressBeside, parseAddress, shownAddress } from "./address.ts";
import { Client } from "./client.ts";
import { type IdentityFiles, readIdentity } from "./identity.ts";
import { type Expectation, transfer } from "./transfer.ts";

/** What is asked for beside the URL. */
export interface NetworkOptions extends IdentityFiles {
  /** Seconds to wait for the network and the server. */
  readonly wait: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a byte that end a transfer; undefined: 15 s. */
  readonly stall?: number | undefined;
}

const defaultStall = 15_000;
/** Bytes of a signature; above the limit of trust/signature.ts, which says so in its own words. */
const largestSignature = 1 << 16;
/** Bytes of a text that is no manifest: a menu, a boot entry, the page of a server that has no such file. */
const largestText = 1 << 20;
/** Bytes of an image: the largest installers have some 20 GB. */
const largestImage = 2 ** 36;

/**
 * Opens what a URL names; it is closed with `held`.
 * @throws KexecError of exits 2, 4, 5, 9 and 12
 */
export async function findOnNetwork(
  source: string,
  held: DisposableStack,
  admission: Pick<Admission, "required" | "admitUnseen" | "requireRoom">,
  options: NetworkOptions,
  listener: Listener,
): Promise<FoundFile> {
  const url = parseAddress(source);
  requireProtected(url, admission);
  const { wait, signal, stall = defaultStall } = options;
  const client = new Client({ identity: readIdentity(options), signal, stall });
  const get = (address: URL, expectation: Omit<Expectation, "requireRoom">) =>
    transfer(
      client,
      address,
      { ...expectation, requireRoom: (bytes) => admission.requireRoom?.(bytes) },
      { wait, signal },
      listener,
    );
  const kept = new Kept();
  const openBeside = (suffix: string, what: string) =>
    // Small, and read by everyone who asks who signed it
    kept.get(suffix, { stays: true }, async () =>
      held.use(await orAbsent(get(addressBeside(url, suffix), { what, most: largestSignature }))),
    );
  const file = held.use(
    await get(url, {
      what: "kernel",
      most: largestImage,
      began: async (beginning) => {
        if (isManifest(beginning)) return maxManifestSize;
        if (!beginning.subarray(0, 512).includes(0)) return largestText;
        await admission.admitUnseen?.({ path: shownAddress(url), openBeside });
        return largestImage;
      },
    }),
  );
  return {
    file,
    beginning: beginningOf(file),
    openBelow: (path, what, signed, from = 0) => {
      const key = `/${path} ${signed?.sha256} ${signed?.size} ${from}`;
      const sealedAs = from === 0 ? signed?.sha256 : undefined;
      return kept.get(key, { sealedAs }, () =>
        get(addressBelow(url, path), { what, signed, most: largestSignature, from }),
      );
    },
    openBeside,
    treeAbove: () => undefined,
  };
}

/** What was fetched is not fetched again while somebody has it. */
class Kept {
  private readonly files = new Map<string, { readonly file: Promise<Memfd>; lent: number }>();

  /**
   * @param how.sealedAs see `OpenFile.sealedAs`
   * @param how.stays whether it is kept, and closed by somebody else
   */
  async get(
    key: string,
    { sealedAs, stays = false }: { sealedAs?: string | undefined; stays?: boolean },
    fetch: () => Promise<Memfd>,
  ): Promise<HeldFile> {
    const { files } = this;
    const entry = files.get(key) ?? { file: fetch(), lent: stays ? 1 : 0 };
    files.set(key, entry);
    entry.lent += 1;
    const giveBack = () => {
      entry.lent -= 1;
      if (entry.lent === 0) files.delete(key);
      return entry.lent === 0;
    };
    try {
      const file = await entry.file;
      const { path, canonicalPath, fd, extents, size } = file;
      return {
        ...{ path, canonicalPath, fd, extents, size, sealedAs },
        read: (offset, length) => file.read(offset, length),
        [Symbol.dispose]: () => {
          if (giveBack()) file[Symbol.dispose]();
        },
      };
    } catch (error) {
      giveBack();
      throw error;
    }
  }
}

/** Object stores say 403 of what is not there, so that nobody learns their names. */
async function orAbsent(fetched: Promise<Memfd>): Promise<Memfd> {
  try {
    return await fetched;
  } catch (error) {
    if (!(error instanceof KexecError) || !/ answers 403$/.test(error.message)) throw error;
    throw new KexecError("file-not-found", { message: error.message, errno: "ENOENT" });
  }
}

/** Whoever is on the way may change what comes by http://, and only a signature shows that. */
function requireProtected(
  { protocol, href }: URL,
  { required }: Pick<Admission, "required">,
): void {
  if (protocol === "https:" || required) return;
  throw cannot(`fetch ${shownAddress(new URL(href))}`, {
    code: "untrusted",
    why: "by http:// anybody on the way may change it, and no key is trusted that would show that",
    hint: "use https://, or name the public key that signed it with --trust",
  });
}

/** As kinds.ts tells a manifest: JSON, an object. */
function isManifest(beginning: Uint8Array): boolean {
  return /^\ufeff?\s*\{/.test(new TextDecoder().decode(beginning.subarray(0, 64)));
}
