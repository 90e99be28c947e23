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
  return { manifest, open: (listed, what, from) => openExpected(found, listed, what, from) };
}

async function openManifest(found: FoundFile, opening: Opening): Promise<Opened> {
  const { manifest, open } = await generationOf(found, opening);
  const { kernel, initrds, cmdline } = manifest.manifest;
  const openListed = async (listed: ManifestFile, what: string): Promise<SourceFile> => {
    const file = opening.held.use(await open(listed, what, 0));
    // What came over the network was digested on its way, and nobody can change it any more.
    return { file, expected: file.sealedAs === listed.sha256 ? undefined : listed };
  };
  const openedKernel = await openListed(kernel, "kernel");
  const openedInitrds: SourceFile[] = [];
  for (const listed of initrds) openedInitrds.push(await openListed(listed, "initramfs"));
  return { kernel: openedKernel, initrds: openedInitrds, cmdline, manifest };
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
async function openExpected(
  found: FoundFile,
  entry: ManifestFile,
  what: string,
  from: number,
): Promise<HeldFile> {
  using guard = new DisposableStack();
  const file = guard.use(await found.openBelow(entry.path, what, entry, from));
  if (file.size !== entry.size)
    throw cannot(`use ${file.path}`, otherSize(file.size, entry), { details: { path: file.path } });
  guard.move();
  return file;
}
