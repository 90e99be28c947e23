/** Where the names in a boot menu that is given as a file may count from. Pure. */

/** Folders of a menu's file that are its loader's own: the files count from above them. */
const own = /^(?:grub2?|extlinux|syslinux|isolinux|loader|pxelinux\.cfg|EFI)$/i;

/** How far above the menu's own folder its files may count from, the highest first. */
export function levelsAbove(canonicalPath: string): readonly number[] {
  const folders = canonicalPath.split("/").slice(0, -1).reverse();
  let level = 0;
  if (own.test(folders[1] ?? "") && /^EFI$/i.test(folders[1] ?? "")) level = 2;
  else if (own.test(folders[0] ?? "")) level = 1;
  if (level > 0 && folders[level] === "boot") level += 1;
  return Array.from({ length: level + 1 }, (_, index) => level - index);
}

/**
 * Names in a configuration of syslinux count from its own folder, or, on a network server, from one above:
 * Debian's names all of debian-installer/amd64/boot-screens. The lowest first.
 */
export function levelsOfNames(canonicalPath: string): readonly number[] {
  const depth = canonicalPath.split("/").length - 2;
  return Array.from({ length: Math.min(3, depth) + 1 }, (_, index) => index);
}
