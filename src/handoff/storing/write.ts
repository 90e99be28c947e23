/** The files of a generation, written into a folder that is no generation yet. */
import { cannot, KexecError } from "../../errors.ts";
import {
  clearWay,
  flushNames,
  makeFolder,
  removeForGood,
  WrittenFile,
} from "../../linux/device/writing.ts";
import { type Folder, InputFile } from "../../linux/file.ts";
import { manifestName, mostNames } from "../../source/generations/stored.ts";
import type { Generation, SourceManifest } from "../../source/kind.ts";
import { type ManifestFile, otherDigest } from "../../trust/manifest.ts";
import { mostSignatures } from "../../trust/quorum.ts";
import type { Observer } from "../report.ts";
import type { OpenStore } from "./place.ts";

/** Bytes that are copied at once. */
const STEP = 1 << 20;
/** Bytes of a signature's file: see trust/signature.ts. */
const largestSignature = 1 << 16;

export interface Copied {
  readonly written: number;
  /** Bytes that an earlier attempt had left. */
  readonly resumed: number;
}

/**
 * Writes and flushes all of it.
 * @param signature Paths of signatures that were named; where none was, those beside the manifest are taken.
 * @throws KexecError `digest-mismatch`, `malformed-input`, `io-error`, and those of the source
 */
export async function writeBeside(
  { manifest, open }: Generation,
  store: OpenStore,
  beside: string,
  signature: readonly string[],
  observer: Observer,
): Promise<Copied> {
  const { folder } = store;
  const { kernel, initrds } = manifest.manifest;
  const files = new Map<string, readonly [ManifestFile, string]>();
  for (const listed of initrds) files.set(listed.path, [listed, "initramfs"]);
  files.set(kernel.path, [kernel, "kernel"]);
  for (const path of files.keys()) requireOwnName(manifest, path);
  for (const path of files.keys()) clearWay(folder, `${beside}/${path}`);
  makeFolder(folder, beside);
  removeStrangers(store, beside, [...files.keys()]);
  requireRoom(
    store,
    beside,
    [...files.values()].map(([listed]) => listed),
    manifest,
  );

  let [written, resumed] = [0, 0];
  for (const [path, [listed, what]] of files) {
    using target = WrittenFile.open(folder, `${beside}/${path}`);
    const had = await copyInto(target, listed, (from) => open(listed, what, from), observer);
    resumed += had;
    written += listed.size - had;
  }
  for (const [name, bytes] of await signaturesOf(manifest, signature, observer)) {
    writeSmall(folder, `${beside}/${name}`, bytes);
  }
  // Last, so that nothing that has one is half.
  writeSmall(folder, `${beside}/${manifestName}`, manifest.bytes);
  for (const path of foldersOf([...files.keys()])) flushNames(folder, `${beside}/${path}`);
  flushNames(folder, beside);
  return { written, resumed };
}

/** Names that only the manifest and its signatures have, in whatever case: FAT knows no difference. */
function requireOwnName({ path: manifest }: SourceManifest, path: string): void {
  if (!path.toLowerCase().startsWith(manifestName)) return;
  throw cannot(`store ${manifest}`, {
    code: "malformed-input",
    details: { path: manifest },
    why: `it names a file ${path}, which is what a store calls the manifest itself`,
    hint: "give the file another name, and write the manifest anew",
  });
}

/** What another attempt left, and this one does not write. */
function removeStrangers({ folder, tree }: OpenStore, beside: string, paths: readonly string[]) {
  const own = new Set(paths.map((path) => path.split("/")[0]));
  for (const name of tree.names(beside, mostNames) ?? []) {
    if (!own.has(name)) removeForGood(folder, `${beside}/${name}`);
  }
}

function requireRoom(
  store: OpenStore,
  beside: string,
  files: readonly ManifestFile[],
  { path }: SourceManifest,
): void {
  const free = store.free();
  if (free === undefined) return;
  let needed = 0;
  for (const listed of files) {
    using file = WrittenFile.open(store.folder, `${beside}/${listed.path}`);
    needed += Math.max(0, listed.size - file.size);
  }
  if (needed <= free) return;
  throw cannot(
    `store ${path}`,
    {
      code: "io-error",
      details: { path },
      why: `no space left on device: it needs ${needed} bytes, and ${free} are free`,
      hint: "make room: remove a generation that is not needed, or keep fewer (--keep)",
    },
    { errno: "ENOSPC" },
  );
}

/**
 * Goes on where an earlier attempt stopped; where what that left is not the beginning of the file, begins anew.
 * @returns the bytes that were there
 */
async function copyInto(
  target: WrittenFile,
  listed: ManifestFile,
  open: (from: number) => ReturnType<Generation["open"]>,
  observer: Observer,
): Promise<number> {
  let found = "";
  const had = target.size <= listed.size ? target.size : 0;
  for (const from of had > 0 ? [had, 0] : [0]) {
    const hasher = new Bun.CryptoHasher("sha256");
    target.cut(from);
    for (let at = 0; at < from; at += STEP) {
      hasher.update(target.read(at, Math.min(STEP, from - at)));
    }
    if (from < listed.size) {
      using file = await open(from);
      for (let at = from; at < listed.size; at += STEP) {
        const bytes = file.read(at, Math.min(STEP, listed.size - at));
        hasher.update(bytes);
        target.write(at, bytes);
        observer.progress?.(`storing ${listed.path}`, at + bytes.length, listed.size, "store");
      }
    }
    found = hasher.digest("hex");
    if (found === listed.sha256) {
      target.flush();
      return from;
    }
  }
  target.cut(0);
  throw cannot(`store ${target.path}`, otherDigest(found, listed), {
    details: { path: target.path },
  });
}

function writeSmall(folder: Folder, path: string, bytes: Uint8Array): void {
  using file = WrittenFile.open(folder, path);
  file.cut(0);
  file.write(0, bytes);
  file.flush();
}

/** Deepest first: a name in a folder counts once what it names is flushed. */
function foldersOf(paths: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const names = path.split("/").slice(0, -1);
    for (let depth = names.length; depth > 0; depth--) folders.add(names.slice(0, depth).join("/"));
  }
  return [...folders].sort((one, other) => other.split("/").length - one.split("/").length);
}

/** By the names that they get; none is verified here. */
async function signaturesOf(
  { openBeside }: SourceManifest,
  given: readonly string[],
  observer: Observer,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const [index, path] of given.entries()) {
    using file = InputFile.open(path, "signature");
    const bytes = file.read(0, Math.min(file.size, largestSignature));
    found.set(`${manifestName}${index === 0 ? "" : `.${index}`}.minisig`, bytes);
  }
  if (given.length > 0) return found;
  const others = (openBeside.suffixes?.(mostNames) ?? []).filter((suffix) =>
    /^\..+\.(?:minisig|sig)$/.test(suffix),
  );
  for (const suffix of [".minisig", ".sig", ...others.sort().slice(0, mostSignatures)]) {
    try {
      using file = await openBeside(suffix, "signature");
      if (file.size <= largestSignature) {
        found.set(`${manifestName}${suffix}`, file.read(0, file.size));
      }
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      if (error.code !== "file-not-found") observer.warn?.(error.message);
    }
  }
  return found;
}
