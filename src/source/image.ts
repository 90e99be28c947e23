/** From the file that was named to the kernel that is loaded: unwrapped, unpacked, recognised. */
import { cannot } from "../errors.ts";
import type { Listener } from "../listener.ts";
import { isBareKernel, type KernelImage, readKernel } from "./kernel.ts";
import { isWhole, type OpenFile, type WholeFile } from "./open-file.ts";
import type { Contents, ImageOptions, Wrapping } from "./unwrap.ts";

export type { ImageOptions, Wrapping } from "./unwrap.ts";

/**
 * A kernel ready for the system call. What was unpacked or taken out of another file is a sealed
 * file in memory; any other kernel is the file that was given. Dispose of it to drop the memory.
 */
export class KernelSource implements Disposable {
  private constructor(
    readonly file: WholeFile,
    readonly kernel: KernelImage,
    readonly wrappings: readonly Wrapping[],
    /** Archives that a UKI brings, in their order; they belong before all others. */
    readonly archives: readonly OpenFile[],
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
    const contents = await takeOut(file, options, listener, held);
    const { wrappings, archives, cmdline } = contents;
    if (options.profile !== undefined && !wrappings.includes("UKI")) {
      throw cannot(`use profile ${options.profile} of ${file.path}`, {
        code: "usage",
        why: "it is not a UKI",
        hint: "leave --profile out",
      });
    }
    const kernel = await readKernel(contents.kernel, options.architecture, {});
    return new KernelSource(contents.kernel, kernel, wrappings, archives, cmdline, held.move());
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

function takeOut(
  file: OpenFile,
  options: ImageOptions,
  listener: Listener,
  held: DisposableStack,
): Contents | Promise<Contents> {
  if (isBareKernel(file) && isWhole(file)) {
    return { kernel: file, wrappings: [], archives: [], cmdline: undefined };
  }
  return import("./unwrap.ts").then(({ unwrap }) => unwrap(file, options, listener, held));
}
