/** Which kind of source was found. What most loads are of is told before the table of kinds is loaded. */
import { imageReader, isPlainKernel, isText } from "./kernel.ts";
import {
  type FoundFile,
  type Generation,
  type Menu,
  manifestKind,
  type Opened,
  type Opening,
  type Reader,
  type SourceKind,
} from "./kind.ts";
import { type Found, isTree } from "./place.ts";

/** A kind, and what was found of it. */
export interface Recognised {
  readonly name: string;
  /** See `SourceKind`. */
  readonly mayBeGeneration?: boolean;
  readonly open?: (opening: Opening) => Opened | Promise<Opened>;
  readonly menu?: (opening: Opening) => Menu | Promise<Menu>;
  generation(opening: Opening, entry: string | undefined): Promise<Generation> | undefined;
}

/** The kind of what was found. */
export function recognise(found: Found): Recognised | Promise<Recognised> {
  if (!isTree(found)) {
    if (isPlainKernel(found)) return recognisedBy("image", imageReader, found);
    if (isPlainManifest(found)) {
      return import("./manifest.ts").then(({ manifestReader }) =>
        recognisedBy(manifestKind, manifestReader, found),
      );
    }
  }
  return import("./kinds.ts").then(({ fileKinds, treeKinds }) =>
    isTree(found) ? firstOf(treeKinds, found) : firstOf(fileKinds, found),
  );
}

/** The bytes in front of the first descriptor of an ISO 9660 image: ECMA-119, 6.2.1. */
const systemArea = 32768;

/** A text that begins with a brace, and is too short for an image: what the table would call a manifest. */
function isPlainManifest(found: FoundFile): boolean {
  return found.beginning[0] === 0x7b && found.file.size <= systemArea && isText(found);
}

async function firstOf<F>(kinds: readonly SourceKind<F>[], found: F): Promise<Recognised> {
  for (const kind of kinds) {
    if (await kind.resembles(found)) {
      const { name, mayBeGeneration = false } = kind;
      return { ...recognisedBy(name, await kind.reader(), found), mayBeGeneration };
    }
  }
  throw new TypeError("the last kind takes everything");
}

function recognisedBy<F>(name: string, reader: Reader<F>, found: F): Recognised {
  const generation = (opening: Opening, entry: string | undefined) =>
    reader.generation?.(found, opening, entry);
  return "menu" in reader
    ? { name, menu: (opening) => reader.menu(found, opening), generation }
    : { name, open: (opening) => reader.open(found, opening), generation };
}
