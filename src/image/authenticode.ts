/**
 * The signature of a PE file, as the kernel reads it before a kexec:
 * crypto/asymmetric_keys/verify_pefile.c. Whether a key is trusted is not known
 * here; who signed, and whether the file is still what was signed, is.
 */

import { type Cause, KexecError } from "../errors.ts";
import {
  type ByteSource,
  broken,
  fieldsOf,
  type ImageProblem,
  isWithin,
  readPieces,
  readWithin,
} from "./bytes.ts";
import { inFileOrder, type PeImage } from "./pe.ts";
import { type DigestAlgorithm, readSignedData, type SignedData } from "./pkcs7.ts";

/** A rule of the certificate table that is broken, and what the kernel answers to it. */
export interface SignatureProblem extends Cause {
  /** `ENOTSUPP` is 524, which the C library has no name for (include/linux/errno.h). */
  readonly errno: "ELIBBAD" | "ENOTSUPP" | "EMSGSIZE" | "EKEYREJECTED" | "EBADMSG";
}

export interface Authenticode {
  /** Every signature that could be read. The kernel looks at the first one alone. */
  readonly signatures: readonly SignedData[];
  /** What is wrong with the first one: then the kernel does not get as far as a key. */
  readonly problem: SignatureProblem | undefined;
}

const format = "PE file";
// include/linux/pe.h: struct win_certificate, WIN_CERT_REVISION_2_0, WIN_CERT_TYPE_PKCS_SIGNED_DATA.
const wrapperSize = 8;
const revision2 = 0x0200;
const pkcsSignedData = 0x0002;
const mostSignatures = 16;
// pefile_strip_sig_wrapper refuses lengths of more than two bytes with EMSGSIZE.
const largestSignature = 0xffff + 4;

/** The signatures of a PE file; undefined when it has none. Reads the table only. */
export function readAuthenticode(source: ByteSource, pe: PeImage): Authenticode | undefined {
  const table = pe.certificateTable;
  if (table === undefined) return undefined;
  if (table.offset < pe.headerSize || !isWithin(source.size, table.offset, table.size)) {
    return failed("ELIBBAD", "its certificate table does not lie inside the file");
  }

  const signatures: SignedData[] = [];
  let at = 0;
  while (at + wrapperSize <= table.size && signatures.length < mostSignatures) {
    // The kernel looks at the first one alone: pefile_strip_sig_wrapper.
    const entry = readEntry(source, table.offset + at, table.size - at, at === 0);
    if ("problem" in entry) return { signatures, problem: at === 0 ? entry.problem : undefined };
    signatures.push(entry.signedData);
    // Entries start at multiples of 8 bytes (PE format, "attribute certificate table").
    at += Math.ceil(entry.length / 8) * 8;
  }
  if (signatures.length === 0) {
    return failed("ELIBBAD", "its certificate table is too short for a signature");
  }
  return { signatures, problem: undefined };
}

function readEntry(
  source: ByteSource,
  offset: number,
  room: number,
  withKey: boolean,
): { length: number; signedData: SignedData } | { problem: SignatureProblem } {
  const wrapper = fieldsOf(source.read(offset, wrapperSize));
  const length = wrapper.u32(0);
  if (length > room) return problem("ELIBBAD", "its signature is longer than the table it is in");
  if (wrapper.u16(4) !== revision2) {
    return problem("ENOTSUPP", "its signature's wrapper is not of revision 2.0");
  }
  if (wrapper.u16(6) !== pkcsSignedData) {
    return problem("ENOTSUPP", "its signature is not of the type PKCS#7");
  }
  const size = length - wrapperSize;
  if (size < 4) return problem("EKEYREJECTED", "its signature is empty");
  const start = fieldsOf(source.read(offset + wrapperSize, 4));
  if (start.u8(0) !== 0x30) return problem("ELIBBAD", "its signature is not PKCS#7");
  if (start.u8(1) > 0x82) return problem("EMSGSIZE", "its signature is longer than 64 KiB");
  const bytes = readWithin(source, offset + wrapperSize, Math.min(size, largestSignature));
  if (bytes === undefined) return problem("ELIBBAD", "its signature does not end inside the file");
  if (derLength(start) > size) return problem("ELIBBAD", "its signature is cut short");
  try {
    return { length, signedData: readSignedData(bytes, withKey) };
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return problem("EBADMSG", `its ${error.message}`);
  }
}

function derLength(start: ReturnType<typeof fieldsOf>): number {
  const first = start.u8(1);
  if (first === 0x81) return start.u8(2) + 3;
  if (first === 0x82) return start.u8(2) * 256 + start.u8(3) + 4;
  return first === 0x80 ? 0 : first + 2;
}

function problem(
  errno: SignatureProblem["errno"],
  why: string,
): { readonly problem: SignatureProblem } {
  return { problem: { code: "kernel-signature-malformed", errno, why } };
}

function failed(errno: SignatureProblem["errno"], why: string): Authenticode {
  return { signatures: [], ...problem(errno, why) };
}

/**
 * Digest of a PE file without its checksum and its signatures, as the kernel
 * takes it (pefile_digest_pe_contents), in lower-case hexadecimal. Reads the
 * whole file, in pieces.
 */
export function authenticodeDigest(
  source: ByteSource,
  pe: PeImage,
  algorithm: DigestAlgorithm,
): string | ImageProblem {
  const hasher = new Bun.CryptoHasher(algorithm);
  for (const [start, end] of digestedRanges(source, pe)) {
    if (end < start || end > source.size) {
      return broken(format, "kernel-signature-malformed", "its parts are larger than the file");
    }
    readPieces(source, start, end, (bytes) => hasher.update(bytes));
  }
  return hasher.digest("hex");
}

function digestedRanges(source: ByteSource, pe: PeImage): readonly (readonly [number, number])[] {
  const afterChecksum = pe.checksumOffset + 4;
  const entry = pe.certificateEntryOffset;
  const headers: readonly (readonly [number, number])[] =
    entry === undefined
      ? [[afterChecksum, pe.headerSize]]
      : [
          [afterChecksum, entry],
          [entry + 8, pe.headerSize],
        ];
  const sections = inFileOrder(pe.sections);
  const hashed = sections.reduce((sum, section) => sum + section.size, pe.headerSize);
  const ranges: (readonly [number, number])[] = [
    [0, pe.checksumOffset],
    ...headers,
    ...sections.map(({ offset, size }) => [offset, offset + size] as const),
  ];
  // The kernel counts what it has digested and goes on from that offset: bytes
  // after the last section are covered, the table's size is left out at the end.
  if (source.size > hashed) {
    ranges.push([hashed, source.size - (pe.certificateTable?.size ?? 0)]);
  }
  return ranges;
}

/**
 * Whether a file is still what was signed; undefined when the algorithm of the
 * digest is not known here. Reads the whole file.
 */
export function matchesSignature(
  source: ByteSource,
  pe: PeImage,
  signature: SignedData,
): boolean | undefined {
  if (signature.digestAlgorithm === undefined) return undefined;
  const digest = authenticodeDigest(source, pe, signature.digestAlgorithm);
  return digest === signature.digest;
}
