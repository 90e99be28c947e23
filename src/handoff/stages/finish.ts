/** What the machine's boot loader would have written by now, had it started this kernel. */
import { KexecError } from "../../errors.ts";
import type { Source } from "../../source/open.ts";
import type { Observer } from "../report.ts";

/** What cannot be done is told; the kernel is loaded all the same. */
export function finish({ afterwards }: Source, observer: Observer): void {
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
