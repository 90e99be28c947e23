/**
 * The manifest: what one signature covers as one piece, kernel, initramfs and
 * command line. It is read as strictly as can be, so that what the organisation
 * signed has one meaning.
 */

import { type Cause, cannot, KexecError } from "../errors.ts";
import {
  closed,
  listBy,
  type Rule,
  readClosed,
  textBy,
  wholeNumberFrom,
  wordOf,
} from "./closed.ts";
import type { Checked } from "./json.ts";
import { relativePathProblem } from "./path-rules.ts";
import { hasControlCharacter } from "./text.ts";

/** A file that the manifest covers. */
export interface ManifestFile {
  /** Canonical, relative to the manifest's folder and below it by its text; links are not resolved. */
  readonly path: string;
  /** Bytes: at least 1. */
  readonly size: number;
  /** SHA-256 of the whole file: 64 lower-case hex digits. */
  readonly sha256: string;
  /** fs-verity digest, `sha256:` and 64 lower-case hex digits: see trust/verity.ts. */
  readonly verity?: `sha256:${string}`;
}

export interface Manifest {
  readonly format: "aegis-kexec/1";
  /** From 0 to 2^53 - 1. */
  readonly generation: number;
  readonly architecture: "x86_64" | "aarch64";
  readonly kernel: ManifestFile;
  /** At most 64, joined in this order. */
  readonly initrds: readonly ManifestFile[];
  /** The whole command line, without control characters. May be empty. */
  readonly cmdline: string;
}

/** Bytes that a manifest may have: 64 KiB. A longer file need not be read. */
export const maxManifestSize = 65536;

const maxInitrds = 64;

const hexDigest = /^[0-9a-f]{64}$/;

const digest = (value: string) =>
  hexDigest.test(value) ? undefined : "must be 64 lower-case hex digits";
const verity = (value: string) =>
  value.startsWith("sha256:") && hexDigest.test(value.slice("sha256:".length))
    ? undefined
    : 'must be "sha256:" and 64 lower-case hex digits';

const file: Rule<ManifestFile> = closed<ManifestFile>(
  {
    path: textBy(relativePathProblem),
    // kexec_file_load(2) refuses an empty file: fs/kernel_read_file.c, kernel_read_file.
    size: wholeNumberFrom(1),
    sha256: textBy(digest),
    verity: textBy<`sha256:${string}`>(verity),
  },
  ["verity"],
);

const rule: Rule<Manifest> = closed<Manifest>({
  format: wordOf(["aegis-kexec/1"], 'must be "aegis-kexec/1"'),
  generation: wholeNumberFrom(0),
  architecture: wordOf(["x86_64", "aarch64"], 'must be "x86_64" or "aarch64"'),
  kernel: file,
  initrds: listBy(file, maxInitrds),
  // A NUL ends the line for the kernel; the others are white space to it or nothing at all.
  cmdline: textBy((value) =>
    hasControlCharacter(value) ? "must not have control characters" : undefined,
  ),
});

function readManifest(bytes: Uint8Array): Checked<Manifest> {
  return readClosed(bytes, maxManifestSize, rule);
}

/**
 * Reads a manifest. Throws `KexecError` with code `bad-manifest` that names the
 * first broken rule and its place. `name` is for messages.
 */
export function parseManifest(bytes: Uint8Array, name = "manifest"): Manifest {
  const { value, problems } = readManifest(bytes);
  if (value !== undefined) return value;
  throw new KexecError("bad-manifest", {
    message: `${name} is not a manifest: ${problems[0]}`,
    details: { path: name, rule: problems[0] },
    hint: "write it with: aegis-kexec manifest",
  });
}

/** Every rule that the bytes break, each with its place in the JSON; none where they are a manifest. */
export function manifestProblems(bytes: Uint8Array): readonly string[] {
  return readManifest(bytes).problems;
}

/**
 * The one text of a manifest: fixed order of keys, two spaces of indent, a line
 * end last. `parseManifest` takes it. Throws `KexecError` with code
 * `malformed-input` where no manifest can say this, as with a path that leaves
 * the folder.
 */
export function formatManifest(manifest: Manifest): string {
  const { format, generation, architecture, kernel, initrds, cmdline } = manifest;
  const ordered = {
    format,
    generation,
    architecture,
    kernel: orderedFile(kernel),
    initrds: initrds.map(orderedFile),
    cmdline,
  };
  const written = `${JSON.stringify(ordered, undefined, 2)}\n`;
  const [problem] = manifestProblems(new TextEncoder().encode(written));
  if (problem === undefined) return written;
  throw cannot("write a manifest", { code: "malformed-input", why: problem });
}

function orderedFile({ path, size, sha256, verity }: ManifestFile): ManifestFile {
  return { path, size, sha256, ...(verity === undefined ? {} : { verity }) };
}

/** A file of another size than the manifest says. */
export function otherSize(size: number, expected: ManifestFile): Cause<"digest-mismatch"> {
  return {
    code: "digest-mismatch",
    details: { size, expected: String(expected.size), found: String(size) },
    why: `it has ${size} bytes, and the manifest says ${expected.size}`,
    hint: "it is not the file that the manifest was written for, or it was not copied whole",
  };
}

/** A file of the right size with another digest, in hexadecimal. */
export function otherDigest(found: string, expected: ManifestFile): Cause<"digest-mismatch"> {
  return {
    code: "digest-mismatch",
    details: { size: expected.size, expected: expected.sha256, found },
    why: "its SHA-256 is not the manifest's",
    hint: "it was changed, or it belongs to another generation: copy the generation again, whole",
  };
}
