/** From the file that was named to the kernel that is loaded: unwrapped, unpacked, recognised. */
import { KexecError } from "../errors.ts";
import { type Compression, readCompression } from "../image/compression.ts";
import { sizeWithoutPadding } from "../image/padding.ts";
import { readPe } from "../image/pe.ts";
import { readZboot } from "../image/zboot.ts";
import { Memfd } from "../linux/memfd.ts";
import type { Architecture } from "../linux/syscalls.ts";
import { type KernelImage, readKernel } from "./kernel.ts";
import { isWhole, type Listener, type OpenFile, type Part, rangeOf, wholeOf } from "./part.ts";
import { isBareKernel, readUkiParts } from "./uki.ts";
import { unpack } from "./unpack.ts";

export interface ImageOptions {
  readonly architecture: Architecture;
  /** Of a UKI. Undefined: the default one, and the file need not be a UKI. */
  readonly profile: number | undefined;
  /** Bytes that unpacking may give; see `unpack`. */
  readonly limit: number;
}

/** What packed the kernel, from the outside in. */
export type Wrapping = "UKI" | "zboot" | Compression;

/** A compressed zboot image inside a UKI is what distributions make; deeper is nobody's kernel. */
const mostWrappings = 4;

/**
 * A kernel ready for the system call. What was unpacked or taken out of another file is a sealed
 * file in memory; any other kernel is the file that was given. Dispose of it to drop the memory.
 */
export class KernelSource implements Disposable {
  private constructor(
    readonly file: OpenFile,
    readonly kernel: KernelImage,
    readonly wrappings: readonly Wrapping[],
    /** Archives that a UKI brings, in their order; they belong before all others. */
    readonly archives: readonly Part[],
    /** The command line that a UKI brings. */
    readonly cmdline: string | undefined,
    private readonly held: DisposableStack,
  ) {}

  /**
   * @param file Stays the caller's, and must outlive this.
   * @throws KexecError of `readUkiParts`, `unpack` and `readKernel`
   */
  static async open(
    file: OpenFile,
    options: ImageOptions,
    listener: Listener,
  ): Promise<KernelSource> {
    using held = new DisposableStack();
    const wrappings: Wrapping[] = [];
    let part = wholeOf(file);
    const uki = readUkiParts(file, options.architecture, options.profile ?? 0, listener);
    if (uki !== undefined) {
      wrappings.push("UKI");
      part = uki.kernel;
    } else if (options.profile !== undefined) {
      throw new KexecError("usage", {
        message: `cannot use profile ${options.profile} of ${file.path}: it is not a UKI`,
        hint: "leave --profile out",
      });
    }
    for (;;) {
      const step = nextWrapping(part);
      if (step === undefined) break;
      if (wrappings.length === mostWrappings) {
        throw new KexecError("kernel-unsuitable", {
          message: `cannot unpack ${file.path}: it is packed more than ${mostWrappings} times over`,
        });
      }
      wrappings.push(...step.wrappings);
      const unpacked = held.use(
        await unpack(step.payload, step.compression, options.limit, listener),
      );
      if (step.wrappings.includes("zboot")) unpacked.shorten(signedSize(unpacked));
      unpacked.seal();
      part = wholeOf(unpacked);
    }
    const alone = isWhole(part) ? part.file : held.use(copyOf(part));
    const kernel = readKernel(alone, part.path, options.architecture, {});
    return new KernelSource(
      alone,
      kernel,
      wrappings,
      uki?.archives ?? [],
      uki?.cmdline,
      held.move(),
    );
  }

  /** The format in words: `bzImage`, `arm64 Image (zboot, zstd)`. */
  get format(): string {
    const { format } = this.kernel;
    return this.wrappings.length === 0 ? format : `${format} (${this.wrappings.join(", ")})`;
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
}

interface Step {
  readonly wrappings: readonly Wrapping[];
  readonly payload: Part;
  readonly compression: Compression;
}

function nextWrapping(part: Part): Step | undefined {
  if (isBareKernel(part)) return undefined;
  const zboot = readZboot(part);
  if (zboot?.kind === "broken") {
    throw new KexecError(zboot.code, { message: `cannot unpack ${part.path}: ${zboot.problem}` });
  }
  if (zboot !== undefined) {
    const { payload, compression, method } = zboot;
    if (compression === undefined) {
      throw new KexecError("kernel-unsuitable", {
        message: `cannot unpack ${part.path}: nothing is known of its compression ${JSON.stringify(method)}`,
        hint: "give the kernel inside it, unpacked",
      });
    }
    const { offset, length } = payload;
    return {
      wrappings: ["zboot", compression],
      payload: rangeOf(part.file, part.offset + offset, length, part.path),
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

function copyOf(part: Part): Memfd {
  const copy = Memfd.create("kernel", part.path);
  try {
    copy.appendFile(part.file, part.offset, part.size);
    copy.seal();
    return copy;
  } catch (error) {
    copy[Symbol.dispose]();
    throw error;
  }
}
