/** What is signed as one file: a UKI, or an image that has all that boots in it. Loaded on demand. */
import { cannot } from "../../errors.ts";
import { readPieces } from "../../image/bytes.ts";
import { InputFile } from "../../linux/file.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import type { Unseen, Whole } from "../../source/kind.ts";
import type { Source } from "../../source/open.ts";
import { isUrl } from "../../source/place.ts";
import { isUki } from "../../source/uki.ts";
import { type Signed, verifySignature } from "../../trust/verify.ts";
import { shellWord } from "../../visible.ts";
import type { TrustReport } from "../report.ts";
import { refuseEntryLines, refuseOptions } from "./refusals.ts";
import type { SignedFile } from "./trust-files.ts";
import { type Demand, requireWorthReading, trustFilesOf, verifySigned } from "./verify-signed.ts";
import { withSignedWhole } from "./whole.ts";

export { isUki } from "../../source/uki.ts";

/** See `Admission.admitUnseen`. */
export async function admitUnseen(demand: Demand, image: Unseen): Promise<void> {
  refuseOptions(demand.options, false);
  // How long it is nobody has said who is believed.
  requireWorthReading(image.path, 0, await trustFilesOf(demand, image));
}

/** See `Gate.admitWhole`. */
export async function admitWhole(demand: Demand, source: Source): Promise<void> {
  requireNothingAdded(demand, source);
  const { path, size } = source.kernel.file;
  requireWorthReading(path, size, await trustFilesOf(demand, signedKernel(source)));
}

/** See `Gate.pass`, of what is no manifest, where trust is required. */
export function passWhole(
  demand: Demand,
  source: Source,
  sealed: Memfd | undefined,
  listener: Listener,
): Promise<TrustReport> {
  const { whole } = source;
  if (whole !== undefined) {
    requireNothingAdded(demand, source);
    return verifyWhole(demand, whole, listener);
  }
  if (sealed !== undefined && isUki(sealed)) {
    requireNothingAdded(demand, source);
    return verifySealed(demand, source, sealed);
  }
  throw cannot(`trust ${source.path}`, {
    code: "untrusted",
    details: { path: source.path },
    why: "no signature covers kernel, initramfs and command line as one",
    hint: isUrl(source.path)
      ? "where the files are made, write a manifest (aegis-kexec manifest), sign it, put it on the server with them, and load that"
      : `write a manifest (aegis-kexec manifest ${shellWord(source.path)} ... > boot.json), sign it, and load boot.json`,
  });
}

/** @throws KexecError `policy-refused` for an option or a line of an entry that no signature covers */
function requireNothingAdded({ options }: Demand, source: Source): void {
  refuseOptions(options, false);
  refuseEntryLines(source);
}

/** The file that boots. */
function verifySealed(demand: Demand, source: Source, sealed: Memfd): Promise<TrustReport> {
  return verifySigned(demand, signedKernel(source), sealed.size, (signature, keys) =>
    withSigned(sealed, signature.covers, (bytes) => verifySignature(bytes, signature, keys)),
  );
}

/** The file that has all that boots in it. */
export function verifyWhole(
  demand: Demand,
  whole: Whole,
  listener: Listener,
): Promise<TrustReport> {
  const { file, openBeside } = whole;
  let digested: Signed | undefined;
  return verifySigned(demand, { path: file.path, openBeside }, file.size, (signature, keys) =>
    digested !== undefined && signature.covers === "blake2b-512"
      ? verifySignature(digested, signature, keys)
      : withSignedWhole(whole, signature.covers, listener, (bytes) => {
          // The digest serves every signature of it
          if ("digest" in bytes) digested = bytes;
          return verifySignature(bytes, signature, keys);
        }),
  );
}

/** The file that boots, signed as a whole. */
function signedKernel({ kernel: { file, openBeside } }: Source): SignedFile {
  const { path } = file;
  return {
    path,
    openBeside: openBeside ?? ((suffix, what) => InputFile.open(`${path}${suffix}`, what)),
  };
}

/**
 * What a detached signature of a sealed copy is over. `use` must be done with it when it returns:
 * the message is a window on the copy.
 */
async function withSigned<T>(
  copy: Memfd,
  covers: "message" | "blake2b-512",
  use: (signed: Signed) => Promise<T>,
): Promise<T> {
  if (covers === "blake2b-512") {
    const hasher = new Bun.CryptoHasher("blake2b512");
    readPieces(copy, 0, copy.size, (bytes) => void hasher.update(bytes));
    return use({ digest: hasher.digest() });
  }
  using window = copy.window(0, copy.size);
  return await use({ message: window.bytes });
}
