/** What is no bare kernel: a UKI is taken apart, and what is compressed is unpacked. */

import type { Architecture } from "../architecture.ts";
import { cannot } from "../errors.ts";
import { type ByteSource, hasMagic, head, magicOf } from "../image/bytes.ts";
import { type Compression, mayBeCompressed, readCompression } from "../image/compression.ts";
import { sizeWithoutPadding } from "../image/padding.ts";
import { readPe } from "../image/pe.ts";
import { readZboot } from "../image/zboot.ts";
import { Memfd } from "../linux/memfd.ts";
import type { Listener } from "../listener.ts";
import { isBareKernel } from "./kernel.ts";
import { appendRange, isWhole, type OpenFile, rangeOf, type WholeFile } from "./open-file.ts";
import { readUkiParts } from "./uki.ts";
import { unpack } from "./unpack.ts";

export interface ImageOptions {
  readonly architecture: Architecture;
  /** Of a UKI. Undefined: the default one, and the file need not be a UKI. */
  readonly profile: number | undefined;
  /**
   * Bytes that unpacking may give, see `unpack`, and that a kernel in another file may have; asked
   * for where there is one.
   */
  readonly limit: () => number;
}

/** What packed the kernel, from the outside in. */
export type Wrapping = "UKI" | "zboot" | Compression;

/** What came out of a file. */
export interface Contents {
  /** A whole file: the one that was given, or one in memory. */
  readonly kernel: WholeFile;
  readonly wrappings: readonly Wrapping[];
  readonly archives: readonly OpenFile[];
  readonly cmdline: string | undefined;
}

/** A compressed zboot image inside a UKI is what distributions make; deeper is nobody's kernel. */
const mostWrappings = 4;
const dosMagic = magicOf("MZ");

/** A kernel, or what it may be packed in: a PE file, and what is compressed once more. */
function mayBeKernel(bytes: ByteSource): boolean {
  const isPe = hasMagic(head(bytes, dosMagic.length), 0, dosMagic);
  return isPe || isBareKernel(bytes) || mayBeCompressed(bytes);
}

/**
 * Takes the kernel out of `file`. What it makes in memory is put on `held`.
 * @throws KexecError of `readUkiParts` and `unpack`
 */
export async function unwrap(
  file: OpenFile,
  options: ImageOptions,
  listener: Listener,
  held: DisposableStack,
): Promise<Contents> {
  const wrappings: Wrapping[] = [];
  let part: OpenFile = file;
  const uki = readUkiParts(file, options.architecture, options.profile ?? 0, listener);
  if (uki !== undefined) {
    wrappings.push("UKI");
    part = uki.kernel;
  }
  // All that is unpacked on the way to the kernel counts, since all of it is held until then.
  let left: number | undefined;
  for (;;) {
    const step = nextWrapping(part);
    if (step === undefined) break;
    if (wrappings.length === mostWrappings) {
      throw cannot(`unpack ${file.path}`, {
        code: "kernel-unsuitable",
        details: { path: file.path },
        why: `it is packed more than ${mostWrappings} times over`,
      });
    }
    wrappings.push(...step.wrappings);
    left ??= options.limit();
    const unpacked = held.use(
      await unpack(step.payload, step.compression, left, listener, mayBeKernel),
    );
    left -= unpacked.size;
    if (step.wrappings.includes("zboot")) unpacked.shorten(signedSize(unpacked));
    unpacked.seal();
    part = unpacked;
  }
  return {
    kernel: isWhole(part) ? part : held.use(copyOf(part, options.limit())),
    wrappings,
    archives: uki?.archives ?? [],
    cmdline: uki?.cmdline,
  };
}

interface NextWrapping {
  readonly wrappings: readonly Wrapping[];
  readonly payload: OpenFile;
  readonly compression: Compression;
}

function nextWrapping(part: OpenFile): NextWrapping | undefined {
  if (isBareKernel(part)) return undefined;
  const zboot = readZboot(part);
  if (zboot?.kind === "broken") {
    throw cannot(`unpack ${part.path}`, zboot);
  }
  if (zboot !== undefined) {
    const { payload, compression, method } = zboot;
    if (compression === undefined) {
      throw cannot(`unpack ${part.path}`, {
        code: "kernel-unsuitable",
        details: { path: part.path },
        why: `its compression ${JSON.stringify(method)} is not known here`,
        hint: "give the kernel inside it, unpacked",
      });
    }
    const { offset, length } = payload;
    return {
      wrappings: ["zboot", compression],
      payload: rangeOf(part, offset, length, part.path),
      compression,
    };
  }
  const compression = readCompression(part);
  return compression && { wrappings: [compression], payload: part, compression };
}

/** The kernel checks the signature of the image inside a zboot image, not the one around it. */
function signedSize(image: Memfd): number {
  const pe = readPe(image);
  return pe?.kind === "pe" ? sizeWithoutPadding(image, pe) : image.size;
}

function copyOf(part: OpenFile, limit: number): Memfd {
  if (part.size > limit) {
    throw cannot(`copy ${part.path}`, {
      code: "out-of-memory",
      details: { size: part.size, limit },
      why: `it has ${part.size} bytes, and a kernel may have at most ${limit} here`,
      hint: "free memory: the kernel holds the image twice while it loads it",
    });
  }
  const copy = Memfd.create("kernel", part.path);
  try {
    appendRange(copy, part, 0, part.size);
    copy.seal();
    return copy;
  } catch (error) {
    copy[Symbol.dispose]();
    throw error;
  }
}
