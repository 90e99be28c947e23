/** How a kernel image was built, as far as a configuration tells that lies beside it or in it. */

import type { ByteSource } from "../../image/bytes.ts";
import { readText } from "../../linux/descriptor.ts";
import type { KernelImage } from "../kernel.ts";
import { searchKernel } from "./text.ts";

const largestConfig = 4 << 20;

/** `uname -r` of the kernel, by its image; undefined where the image has no version, as arm64's. */
export function releaseOf({ version }: Pick<KernelImage, "version">): string | undefined {
  const release = version?.split(" ", 1)[0] ?? "";
  return /^\d[\w.+~-]{0,100}$/.test(release) ? release : undefined;
}

/**
 * The text of its configuration where distributions put one: beside the image, or in a place that its release
 * names. Whoever wrote the image wrote those, too: good for warnings, not for trust.
 */
export function configBeside(kernel: KernelImage, path: string): string | undefined {
  const release = releaseOf(kernel);
  if (release === undefined) return undefined;
  const folder = path.slice(0, path.lastIndexOf("/"));
  for (const place of [
    `${folder}/config-${release}`,
    `/boot/config-${release}`,
    `/lib/modules/${release}/config`,
  ]) {
    const file = readText(place, largestConfig);
    if (file.ok && file.text.includes("CONFIG_")) return file.text;
  }
  return undefined;
}

/** The same, else that in the image itself, which is unpacked for it: some hundred milliseconds. */
export async function kernelConfig(
  kernel: KernelImage,
  file: ByteSource,
  path: string,
): Promise<string | undefined> {
  const beside = configBeside(kernel, path);
  if (beside !== undefined) return beside;
  return (await searchKernel(kernel, file, []))?.config;
}
