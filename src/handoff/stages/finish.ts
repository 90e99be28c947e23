/** Once the kernel took it: what is told of it, and what the machine's boot loader would have written. */
import { KexecError } from "../../errors.ts";
import { releaseIn } from "../../image/bzimage.ts";
import type { Afterwards } from "../../source/kind.ts";
import type { Source } from "../../source/open.ts";
import type { LoadReport, Observer } from "../report.ts";
import type { Verified } from "./verify.ts";

/** What cannot be done is told; the kernel is loaded all the same. */
export function finish({ afterwards }: Source, observer: Observer): void {
  make(afterwards, observer);
}

/**
 * A generation that the kernel does not take has failed a try: else a machine that starts the newest of a store would
 * fail at it for ever. @returns the error
 */
export function countRefusal(
  { afterwards }: Pick<Source, "afterwards">,
  error: unknown,
  observer: Observer,
): unknown {
  const isOfImage = error instanceof KexecError && [6, 8, 9].includes(error.exit);
  if (isOfImage)
    make(
      afterwards.filter(({ counts }) => counts === true),
      observer,
    );
  return error;
}

function make(afterwards: readonly Afterwards[], observer: Observer): void {
  for (const { what, make } of afterwards) {
    let why: string | undefined;
    try {
      why = make();
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      why = error.message;
    }
    if (why === undefined) observer.note?.(`done: ${what}`);
    else observer.warn?.(`cannot ${what}: ${why}`);
  }
}

export function kernelReport(source: Source, { image }: Verified): LoadReport["kernel"] {
  const { canonicalPath: path, size } = source.kernel.file;
  const version = image.kernel.version ?? null;
  return { path, size, format: image.format, version, release: releaseIn(version) };
}
