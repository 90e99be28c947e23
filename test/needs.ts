/** Tests that need what a machine may lack: skipped there, under a name that says what. */
import { describe, test } from "bun:test";
import { existsSync } from "node:fs";
import { notBuiltMark } from "./runner/report.ts";
import { buildFor, findKernel, type Kernel, type KernelName } from "./vm/lib/kernels.ts";

type Body = () => void | Promise<void>;

/** Of programs and, where they begin with a slash, files: those that this machine lacks. */
export function absent(needs: readonly string[]): string[] {
  return needs.filter((need) =>
    need.startsWith("/") ? !existsSync(need) : Bun.which(need) === null,
  );
}

/** `test` and `describe` for what needs these programs or files. */
export function needing(...needs: readonly string[]) {
  const missing = absent(needs);
  const mark = missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`;
  return {
    test: (name: string, body: Body, timeout?: number) =>
      test.skipIf(mark !== "")(`${name}${mark}`, body, timeout),
    describe: (name: string, body: () => void) =>
      describe.skipIf(mark !== "")(`${name}${mark}`, body),
  };
}

/** A test of a kernel's image, without a machine to boot it. */
export function testOfKernel(
  wanted: KernelName,
  name: string,
  body: (kernel: Kernel) => void | Promise<void>,
): void {
  const kernel = findKernel(wanted);
  const build = buildFor(wanted);
  if (kernel !== undefined) test(name, () => body(kernel));
  else
    test.skip(`${name} ${build === undefined ? `(needs ${wanted})` : notBuiltMark([build])}`, () => {});
}
