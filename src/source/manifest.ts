/** A manifest as a source: what it says is admitted before any file that it names is opened. */
import { cannot, KexecError } from "../errors.ts";
import { type ManifestFile, maxManifestSize, otherSize, parseManifest } from "../trust/manifest.ts";
import type { FoundFile, Generation, Opened, Opening, Reader, SourceManifest } from "./kind.ts";
import type { HeldFile, SourceFile } from "./open-file.ts";

export const manifestReader = {
  open: openManifest,
  generation: generationOf,
} satisfies Reader<FoundFile>;

/** Admits the manifest, and opens nothing yet. @throws KexecError */
export async function generationOf(found: FoundFile, opening: Opening): Promise<Generation> {
  const manifest = readManifest(found);
  await opening.admission.admit(manifest);
  const open: Generation["open"] = async (...named) => openExpected(found, ...named);
  return { manifest, open };
}

async function openManifest(found: FoundFile, opening: Opening): Promise<Opened> {
  const manifest = readManifest(found);
  const { admission, held } = opening;
  await admission.admit(manifest);
  const { kernel: listedKernel, initrds: listedInitrds, cmdline } = manifest.manifest;
  const file = held.use(await openExpected(found, listedKernel, "kernel", 0));
  const kernel = asExpected(file, listedKernel);
  const initrds: SourceFile[] = [];
  for (const listed of listedInitrds) {
    const opened = held.use(await openExpected(found, listed, "initramfs", 0));
    initrds.push(asExpected(opened, listed));
  }
  return { kernel, initrds, cmdline, manifest };
}

/** What came over the network was digested on its way, and nobody can change it any more. */
function asExpected(file: HeldFile, listed: ManifestFile): SourceFile {
  return { file, expected: file.sealedAs === listed.sha256 ? undefined : listed };
}

function readManifest({ file, openBeside }: FoundFile): SourceManifest {
  if (file.size > maxManifestSize) {
    throw new KexecError("bad-manifest", {
      message: `${file.path} is not a manifest: larger than ${maxManifestSize} bytes`,
    });
  }
  const bytes = file.read(0, file.size);
  return { path: file.path, bytes, manifest: parseManifest(bytes, file.path), openBeside };
}

/** Sizes are compared before a byte is read: a wrong one needs no digest. */
function openExpected(
  found: FoundFile,
  entry: ManifestFile,
  what: string,
  from: number,
): HeldFile | Promise<HeldFile> {
  const opened = found.openBelow(entry.path, what, entry, from);
  return opened instanceof Promise
    ? opened.then((file) => ofSize(file, entry))
    : ofSize(opened, entry);
}

function ofSize(file: HeldFile, entry: ManifestFile): HeldFile {
  if (file.size === entry.size) return file;
  const { path, size } = file;
  file[Symbol.dispose]();
  throw cannot(`use ${path}`, otherSize(size, entry), { details: { path } });
}
