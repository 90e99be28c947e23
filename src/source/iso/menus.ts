/** The boot menu of an ISO image, found as its own boot loader would find it. */
import type { Architecture } from "../../architecture.ts";
import { cannot } from "../../errors.ts";
import { exists } from "../../linux/path.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { readGrubMenu } from "../../menu/grub/menu.ts";
import type { ReadMenu } from "../../menu/host.ts";
import { isoVariables } from "../../menu/iso-words.ts";
import { shellWord } from "../../visible.ts";
import type { Opened, Opening } from "../kind.ts";
import { findConfigs } from "../menus/find.ts";
import { judgeProgram } from "../menus/programs.ts";
import type { IsoFiles } from "./files.ts";
import type { Holder } from "./holder.ts";
import { imageDevice, isoHost } from "./host.ts";

export interface FoundMenu {
  /** Of its configuration, on the image. */
  readonly path: string;
  readonly entries: readonly MenuEntry[];
  readonly why: string | undefined;
  readonly notes: readonly string[];
  /** Opens an entry's files, where that is not done as for all menus. */
  open?(entry: MenuEntry, opening: Opening): Opened | Promise<Opened>;
}

/** The one that GRUB's manual calls for menus of images in files comes first: that is what it is for. */
const grubConfigs = [
  ...["/boot/grub/loopback.cfg", "/boot/grub2/loopback.cfg", "/grub/loopback.cfg"],
  ...["/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/grub/grub.cfg", "/grub2/grub.cfg"],
];
const mostFolders = 256;

/** @throws KexecError `file-not-found` where there is none, `malformed-input` */
export async function findMenu(
  files: IsoFiles,
  holder: Holder,
  opening: Opening,
): Promise<FoundMenu> {
  const host = isoHost(files, holder);
  const cpu = cpuOf(opening.architecture);
  const platform = exists("/sys/firmware/efi") ? "efi" : "pc";
  const notes: string[] = [];
  // One without an entry that can be booted counts where no other has any: that of a firmware or a
  // medium that the image is not for.
  let empty: FoundMenu | undefined;
  const take = (path: string, menu: ReadMenu): FoundMenu | undefined => {
    const taken = found(path, menu, files);
    if (taken.entries.some(({ problem }) => problem === undefined)) return taken;
    if (menu.entries.length === 0) notes.push(`${path}: no entries`, ...menu.notes);
    else empty ??= taken;
    return undefined;
  };
  for (const path of [...grubConfigs, ...efiConfigs(files)]) {
    if (files.look(path)?.type !== "file") continue;
    const config = { device: imageDevice, path };
    const menu = readGrubMenu(host, { config, platform, cpu, variables: isoVariables(holder) });
    const taken = menu && take(path, menu);
    if (taken !== undefined) return taken;
  }
  const ofSyslinux = findConfigs(files).filter(({ kind }) => kind === "syslinux menu");
  for (const { path } of ofSyslinux) {
    const { readSyslinuxMenu } = await import("../../menu/syslinux/menu.ts");
    const config = { device: imageDevice, path: `/${path}` };
    const menu = readSyslinuxMenu(host, { config, cpu });
    const taken = menu && take(`/${path}`, menu);
    if (taken !== undefined) return taken;
  }
  const others = (await bootEntries(files, opening)) ?? empty;
  if (others !== undefined) return others;
  const why = notes.length > 0 ? notes.join("; ") : whyNone(files);
  throw cannot(`boot the ISO image ${files.image.path}`, {
    code: "file-not-found",
    details: { path: files.image.path },
    why,
    hint: `menus are looked for in boot/grub, boot/grub2, EFI/*, isolinux, syslinux and loader/entries; take kernel and initramfs out of the image (xorriso -osirrox on -indev ${shellWord(files.image.path)} -extract / FOLDER), and give those`,
  });
}

function whyNone(files: IsoFiles): string {
  const names = files.names("/", mostFolders) ?? [];
  // What mastering programs of Windows put there for those who read no UDF.
  if (names.every((name) => /^readme\.txt$/i.test(name))) {
    return "its files are in a UDF file system, as those of Windows' images are, which is not read here";
  }
  const isWindows = ["/bootmgr", "/sources/boot.wim"].some(
    (path) => files.look(path) !== undefined,
  );
  return isWindows
    ? "it is an image of Windows, and kexec starts Linux only"
    : "it has no boot menu that is known here";
}

/** As GRUB calls it. */
function cpuOf(architecture: Architecture): string {
  return architecture === "aarch64" ? "arm64" : architecture;
}

/** `EFI/BOOT` is what firmware looks at, in whatever capitals. */
function efiConfigs(files: IsoFiles): string[] {
  const efi = files.names("/", mostFolders)?.find((name) => /^efi$/i.test(name));
  const folders = efi === undefined ? [] : (files.names(`/${efi}`, mostFolders) ?? []);
  const rank = (name: string) => (/^boot$/i.test(name) ? 0 : 1);
  return folders
    .toSorted((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1))
    .flatMap((name) => {
      const folder = `/${efi}/${name}`;
      const configs =
        files.look(folder)?.type === "directory" ? files.names(folder, mostFolders) : [];
      return (configs ?? [])
        .filter((one) => /^grub\.cfg$/i.test(one))
        .map((one) => `${folder}/${one}`);
    });
}

function found(path: string, menu: ReadMenu, files: IsoFiles): FoundMenu {
  const judged = menu.entries.map((entry) =>
    judgeProgram(entry, ({ path: program }) => files.open(program, "program")),
  );
  const entries = judged.map((entry, index): MenuEntry => {
    const elsewhere = [entry.kernel, ...entry.initrds].find(
      (place) => place !== undefined && place.device !== imageDevice,
    );
    return {
      id: entry.id,
      title: entry.title,
      kernel: entry.kernel?.path,
      initrds: entry.initrds.map((initrd) => initrd.path),
      cmdline: entry.cmdline,
      default: index === menu.default,
      problem:
        entry.problem ??
        (elsewhere === undefined ? undefined : `${elsewhere.path} is not on the image`),
      from: entry.from.replace(/^\/+/, ""),
    };
  });
  const named = `${files.image.path}:${path}`;
  return { path: named, entries, why: menu.why, notes: menu.notes };
}

/** Boot Loader Specification entries on the image. */
async function bootEntries(files: IsoFiles, opening: Opening): Promise<FoundMenu | undefined> {
  if (files.look("/loader/entries")?.type !== "directory") return undefined;
  const { entriesReader } = await import("../entry/entries.ts");
  const menu = await entriesReader.menu({ tree: files, treeAbove: () => undefined }, opening);
  const { entries, why, warnings } = await menu.list();
  return {
    path: `${files.image.path}:/loader/entries`,
    entries,
    why,
    notes: warnings ?? [],
    open: (entry) => {
      const own = entries.find((one) => one.id === entry.id && one.from === entry.from);
      if (own === undefined) throw new TypeError("an entry of another menu");
      return menu.open(own, opening);
    },
  };
}
