/** Which key a misspelt one was meant to be. Pure. */

import { editDistance } from "../../edit-distance.ts";

/** What other boot loaders call the same. */
const synonyms: Readonly<Record<string, string>> = {
  kernel: "linux",
  vmlinuz: "linux",
  image: "linux",
  append: "options",
  cmdline: "options",
  args: "options",
  ramdisk: "initrd",
  initramfs: "initrd",
  module: "initrd",
  dtb: "devicetree",
  fdt: "devicetree",
  name: "title",
};

/** The key that `key` resembles: in another case, with a sign behind it, or a letter or two wrong. */
export function keyResembling(key: string, keys: readonly string[]): string | undefined {
  const [bare = ""] = key.toLowerCase().replaceAll("_", "-").split(/[=:]/);
  if (bare === "" || bare.length > 32) return undefined;
  if (keys.includes(bare)) return bare;
  const synonym = synonyms[bare] ?? synonyms[bare.replace(/s$/, "")];
  if (synonym !== undefined) return synonym;
  return keys.find((known) => editDistance(bare, known) <= (known.length > 4 ? 2 : 1));
}
