/** Writes the manifest of exactly what `load` would load: the same source, the same command line. */

import type { Architecture } from "../architecture.ts";
import { cannot, KexecError } from "../errors.ts";
import { sha256Of } from "../image/bytes.ts";
import { Folder } from "../linux/file.ts";
import { libc } from "../linux/libc.ts";
import { isDirectory } from "../linux/path.ts";
import { checkCmdline } from "../source/cmdline.ts";
import { KernelSource } from "../source/image.ts";
import { Source } from "../source/open.ts";
import type { OpenFile } from "../source/open-file.ts";
import { isUrl } from "../source/place.ts";
import { formatManifest, type Manifest, type ManifestFile } from "../trust/manifest.ts";
import { VerityHasher } from "../trust/verity.ts";
import type { Observer } from "./report.ts";
import { type ManifestRequest, parseManifestRequest } from "./request.ts";
import { examineArchive } from "./stages/archives.ts";
import { fullCmdline, ownCmdline, requireUnsealed } from "./stages/cmdline.ts";

/**
 * The manifest of what `load` would load with these options, with paths relative to the folder of
 * SOURCE. Nothing is loaded, and it takes no privilege. The kernel may be for the other
 * architecture: manifests are written on the machines of those who sign them.
 * @throws KexecError `not-below`, and the codes of `load` for its input
 */
export async function manifest(
  request: ManifestRequest,
  observer: Observer = {},
): Promise<Manifest> {
  const { architecture } = libc();
  const parsed = parseManifestRequest(request);
  if (isUrl(parsed.source)) {
    throw cannot(`write a manifest of ${parsed.source}`, {
      code: "usage",
      why: "it is on a server, and a manifest names files of a folder",
      hint: "write it where the files are made, and put it on the server with them",
    });
  }
  using source = await Source.open({ ...parsed, anew: true }, observer);
  if (source.manifest !== undefined) {
    throw cannot(`write a manifest of ${parsed.source}`, {
      code: "usage",
      why: "it is a manifest already",
      hint: "give the kernel that it is about",
    });
  }
  // Also where a menu on a disk leads into an image: then the file is a range of another.
  const named = [source.kernel, ...source.initrds].map(({ file }) => file);
  if (source.whole !== undefined || named.some(({ fd }) => fd === undefined)) {
    throw cannot(`write a manifest of ${parsed.source}`, {
      code: "usage",
      why: "its files are inside of an ISO image, and a manifest cannot name them",
      hint: `sign the image itself, whole: minisign -S -m ${source.whole?.file.path ?? "IMAGE"}`,
    });
  }
  const profile = source.entry?.facts?.profile ?? 0;
  if (profile !== 0) {
    throw cannot(`write a manifest of ${source.entry?.path}`, {
      code: "usage",
      why: `it takes profile ${profile} of a UKI, and a manifest cannot name one`,
      hint: "sign the UKI itself, whole: all of its profiles are signed by that",
    });
  }
  const [image, target] = await openFor(source, architecture, observer);
  using _ = image;
  if (image.cmdline !== undefined) await requireUnsealed(image.cmdline, source, parsed);
  const cmdline = fullCmdline(ownCmdline(source, image, parsed, observer), parsed);
  checkCmdline(cmdline, image.kernel.limit);
  if (cmdline === "") {
    observer.warn?.(
      "the command line is empty, and the signature will cover that: the kernel gets no root= and no console= (--cmdline TEXT)",
    );
  }
  if (parsed.generation === 0) {
    observer.warn?.("this is generation 0: any floor refuses it (--generation N)");
  }

  const archives = source.initrds.map(({ file }) => file);
  for (const [index, file] of archives.entries()) {
    const followed = index < archives.length - 1;
    const place = { followed, copied: followed, lenient: false };
    const { problem, warnings } = await examineArchive(file, place);
    if (problem !== undefined) throw problem;
    for (const line of warnings) observer.warn?.(line);
  }
  const folder = folderOf(parsed.source);
  const renamed = parsed.contentNames ? (await import("./content-names.ts")).byContent : undefined;
  const described = (file: OpenFile) => {
    const listed = describe(file, folder, parsed.verity, observer);
    return renamed === undefined ? listed : renamed(listed, folder, observer);
  };
  const written: Manifest = {
    format: "aegis-kexec/1",
    generation: parsed.generation,
    architecture: target,
    kernel: described(source.kernel.file),
    initrds: source.initrds.map(({ file }) => described(file)),
    cmdline,
  };
  formatManifest(written);
  return written;
}

/** Opens the image for the architecture that it is for. */
async function openFor(
  source: Source,
  own: Architecture,
  observer: Observer,
): Promise<readonly [image: KernelSource, architecture: Architecture]> {
  const open = (architecture: Architecture) =>
    KernelSource.open(
      source.kernel.file,
      { architecture, profile: undefined, limit: () => Number.POSITIVE_INFINITY },
      observer,
    );
  try {
    return [await open(own), own];
  } catch (error) {
    if (!(error instanceof KexecError) || error.code !== "wrong-architecture") throw error;
    const other = own === "x86_64" ? "aarch64" : "x86_64";
    return [await open(other), other];
  }
}

/** Canonical path of the folder that paths are relative to: SOURCE's, or SOURCE where it is one. */
function folderOf(source: string): string {
  using folder = isDirectory(source) ? Folder.open(source) : Folder.of(source);
  return folder.canonicalPath;
}

function describe(
  file: OpenFile,
  folder: string,
  withVerity: boolean,
  observer: Observer,
): ManifestFile {
  const below = folder === "/" ? "/" : `${folder}/`;
  if (!file.canonicalPath.startsWith(below)) {
    throw cannot(`write a manifest with ${file.path}`, {
      code: "not-below",
      details: { path: file.path },
      why: `it is not below ${folder}, the folder of SOURCE`,
      hint: "put kernel, initramfs and manifest into one folder: it is what is signed and copied",
    });
  }
  const verity = withVerity ? new VerityHasher() : undefined;
  const sha256 = sha256Of(file, (done, bytes) => {
    verity?.update(bytes);
    observer.progress?.(`reading ${file.path}`, done, file.size, "verify");
  });
  return {
    path: file.canonicalPath.slice(below.length),
    size: file.size,
    sha256,
    ...(verity === undefined ? {} : { verity: verity.digest() }),
  };
}
