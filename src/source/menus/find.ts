/** Where boot loaders keep their menus, and how the text of one looks. */
import { KexecError } from "../../errors.ts";
import type { FileTree, FoundTree } from "../kind.ts";

export type MenuKind = "GRUB menu" | "syslinux menu";

export interface Config {
  readonly kind: MenuKind;
  /** From the root of the tree, without a slash in front. */
  readonly path: string;
}

/** Of a configuration so much is read to tell what it is. */
export const mostToTell = 64 << 10;
const mostFolders = 64;

const grubFolders = ["grub", "grub2", "boot/grub", "boot/grub2", ""];
const syslinuxConfigs = [
  ...["extlinux/extlinux.conf", "boot/extlinux/extlinux.conf", "extlinux.conf"],
  ...["boot/extlinux.conf", "syslinux/syslinux.cfg", "boot/syslinux/syslinux.cfg"],
  ...["isolinux/isolinux.cfg", "boot/isolinux/isolinux.cfg", "syslinux.cfg", "isolinux.cfg"],
  ...["boot/syslinux.cfg", "EFI/syslinux/syslinux.cfg", "EFI/BOOT/syslinux.cfg"],
  ...["boot/x86_64/loader/isolinux.cfg", "pxelinux.cfg/default"],
];

/** Every menu of a tree, that of GRUB first; of a tree as installed as of an image's. */
export function findConfigs(tree: FileTree): readonly Config[] {
  const grub = [
    ...grubFolders.map((folder) => join(folder, "grub.cfg")),
    // Beside a partition of EFI, below it, and on it.
    ...["EFI", "efi/EFI", "boot/efi/EFI"].flatMap((folder) => vendors(tree, folder)),
    ...grubFolders.map((folder) => join(folder, "loopback.cfg")),
  ];
  const netboot = (namesOf(tree, "debian-installer") ?? []).map(
    (name) => `debian-installer/${name}/pxelinux.cfg/default`,
  );
  return [
    ...grub.map((path) => ({ kind: "GRUB menu" as const, path })),
    ...[...syslinuxConfigs, ...netboot].map((path) => ({ kind: "syslinux menu" as const, path })),
  ].filter(({ path }) => isFile(tree, path));
}

/** Menus beside boot entries that are menus of their own: not those that show these entries, or lead there. */
export function menusBesideEntries(tree: FileTree): readonly string[] {
  return findConfigs(tree)
    .filter(({ path }) => !/^[ \t]*(?:blscfg|configfile)\b/m.test(beginningOf(tree, path)))
    .map(({ path }) => path);
}

function beginningOf(tree: FileTree, path: string): string {
  using file = tree.open(path, "boot menu");
  return new TextDecoder().decode(file.read(0, Math.min(file.size, mostToTell)));
}

/** Whether a directory has a menu: few names are looked at. */
export function hasMenu({ tree }: FoundTree): boolean {
  return findConfigs(tree).length > 0;
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function vendors(tree: FileTree, folder: string): readonly string[] {
  return [...(namesOf(tree, folder) ?? [])].sort().map((name) => `${folder}/${name}/grub.cfg`);
}

function namesOf(tree: FileTree, path: string): readonly string[] | undefined {
  try {
    return tree.names(path, mostFolders)?.slice(0, mostFolders);
  } catch (error) {
    if (error instanceof KexecError) return undefined;
    throw error;
  }
}

function isFile(tree: FileTree, path: string): boolean {
  try {
    using _ = tree.open(path, "boot menu");
    return true;
  } catch (error) {
    if (error instanceof KexecError) return false;
    throw error;
  }
}

// Blanks of one line alone: `\s` takes line feeds too, and each line would be looked at from every blank one
// before it.

/** Statements that no boot entry and no configuration of syslinux has. */
const grubLine =
  /^[ \t]*(?:(?:menuentry|submenu)[ \t]|(?:set|export)[ \t]+\w+(?:=|[ \t]*$)|insmod[ \t]+\w|load_env\b|blscfg\b|(?:configfile|source)[ \t]+[($/\w]|search(?:\.\w+)?[ \t]|if[ \t]+\[|function[ \t]+\w+[ \t]*\{)/m;

const syslinuxLine =
  /^[ \t]*(?:label[ \t]+\S|(?:default|ui|include|menu[ \t]+(?:title|include|begin)|ontimeout|prompt|timeout)[ \t]+\S)/im;
const syslinuxLabel = /^[ \t]*label[ \t]+\S/im;
const syslinuxCommand =
  /^[ \t]*(?:kernel|linux|com32|config|append|localboot|include|menu[ \t]+include)[ \t]+\S/im;

/** What a text is the menu of; undefined where it is none. Menus may show colours, by control characters. */
export function menuKindOf(text: string): MenuKind | undefined {
  if (text.includes("\0")) return undefined;
  if (grubLine.test(text)) return "GRUB menu";
  // A boot entry has a title, and no label; a menu without a label includes or starts something.
  const isSyslinux =
    syslinuxLine.test(text) && (syslinuxLabel.test(text) || syslinuxCommand.test(text));
  const isEntry = /^(?:title|sort-key|machine-id|options)[ \t]/m.test(text);
  return isSyslinux && (syslinuxLabel.test(text) || !isEntry) ? "syslinux menu" : undefined;
}
