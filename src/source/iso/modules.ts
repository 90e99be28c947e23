/** Whether an initramfs can mount the file system that holds the image, by the modules in it. */

import { archiveNames } from "../archive-names.ts";
import type { OpenFile } from "../open-file.ts";

/** Modules by the names of mount(8), where they differ. */
const moduleNames: Readonly<Record<string, readonly string[]>> = {
  ext2: ["ext2", "ext4"],
  ext3: ["ext3", "ext4"],
  ntfs: ["ntfs3", "ntfs"],
  msdos: ["msdos", "vfat"],
};

/**
 * What the archives say of the file system: modules, and the list of those that the kernel has built
 * in (modules.builtin, which initramfs-tools and dracut copy).
 * @returns undefined where nothing can be told: no modules in them, or not all could be read
 */
export async function hasModule(
  archives: readonly OpenFile[],
  type: string,
): Promise<boolean | undefined> {
  const wanted = moduleNames[type] ?? [type];
  const paths = new RegExp(
    `(?:^|/)(?:${wanted.map(escaped).join("|")})\\.ko(?:\\.(?:xz|gz|zst))?$`,
    "m",
  );
  let [any, found, whole] = [false, false, true];
  for (const archive of archives) {
    const read = await archiveNames(archive, (name, data) => {
      if (/\.ko(?:\.(?:xz|gz|zst))?$/.test(name)) any = true;
      found = paths.test(data === undefined ? name : new TextDecoder().decode(data));
      return found;
    });
    if (found) return true;
    whole &&= read;
  }
  return any && whole ? false : undefined;
}

function escaped(text: string): string {
  return text.replace(/[^\w]/g, "\\$&");
}
