/** What is signed as one file: a UKI, or an image that has all that boots in it. Loaded on demand. */
import { cannot } from "../../errors.ts";
import { InputFile } from "../../linux/file.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import type { Unseen, Whole } from "../../source/kind.ts";
import type { Source } from "../../source/open.ts";
import { isUki } from "../../source/uki.ts";
import { type Signed, verifySignature } from "../../trust/verify.ts";
import { shellWord } from "../../visible.ts";
import type { TrustReport } from "../report.ts";
import { refuseEntryLines, refuseOptions } from "./refusals.ts";
import type { SignedFile } from "./trust-files.ts";
import { type Demand, requireWorthReading, trustFilesOf, verifySigned } from "./verify-signed.ts";
import { withSignedWhole } from "./whole.ts";

export { isUki } from "../../source/uki.ts";

/** Bytes that are digested at once: a window of this size, so that memory does not grow with files. */
const STEP = 16 << 20;

/** See `Admission.admitUnseen`. */
export async function admitUnseen(demand: Demand, image: Unseen): Promise<void> {
  refuseOptions(demand.options, false);
  // How long it is nobody has said who is believed.
  requireWorthReading(image.path, 0, await trustFilesOf(demand, image));
}

/** See `Gate.admitWhole`. */
export async function admitWhole(demand: Demand, source: Source): Promise<void> {
  refuseOptions(demand.options, false);
  refuseEntryLines(source);
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
  const uki = sealed !== undefined && isUki(sealed) ? sealed : undefined;
  const verify =
    whole !== undefined
      ? () => verifyWhole(demand, whole, listener)
      : uki !== undefined
        ? () => verifySealed(demand, source, uki)
        : undefined;
  if (verify === undefined) {
    throw cannot(`trust ${source.path}`, {
      code: "untrusted",
      details: { path: source.path },
      why: "no signature covers kernel, initramfs and command line as one",
      hint: `write a manifest (aegis-kexec manifest ${shellWord(source.path)} ... > boot.json), sign it, and load boot.json`,
    });
  }
  refuseOptions(demand.options, false);
  refuseEntryLines(source);
  return verify();
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
  if (covers === "blake2b-512") return use({ digest: digestOf(copy, "blake2b512") });
  using window = copy.window(0, copy.size);
  return await use({ message: window.bytes });
}

function digestOf(copy: Memfd, algorithm: "blake2b512"): Uint8Array {
  const hasher = new Bun.CryptoHasher(algorithm);
  for (let at = 0; at < copy.size; at += STEP) {
    using window = copy.window(at, Math.min(STEP, copy.size - at));
    hasher.update(window.bytes);
  }
  return hasher.digest();
}
