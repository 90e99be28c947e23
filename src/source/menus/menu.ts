/** A boot menu as a source: GRUB's and that of syslinux, of a file and of a directory. */

import { cannot, KexecError } from "../../errors.ts";
import { exists } from "../../linux/path.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { addWrite, type MenuPlace, type ReadEntry, type ReadMenu } from "../../menu/host.ts";
import { besideIn } from "../beside.ts";
import { whereItStands } from "../choose.ts";
import type {
  Afterwards,
  FileTree,
  FoundFile,
  FoundTree,
  Listing,
  Menu,
  Opened,
  Opening,
  Reader,
} from "../kind.ts";
import { canWrite, writeEnvironment } from "./afterwards.ts";
import { type Config, findConfigs, menuKindOf, mostToTell } from "./find.ts";
import { levelsAbove, levelsOfNames } from "./levels.ts";
import { factsOf, fileSystemOf, openTree, otherDevices } from "./mounted.ts";
import { judgeProgram } from "./programs.ts";
import { type Device, type Located, ownDevice, TreeHost } from "./tree-host.ts";

/** An entry of such a menu, and what it was made of. */
export interface LoaderEntry extends MenuEntry {
  readonly read: ReadEntry;
}

export const menuFileReader = {
  menu: (found: FoundFile, opening: Opening) => {
    const { file } = found;
    const kind = menuKindOf(
      new TextDecoder().decode(file.read(0, Math.min(file.size, mostToTell))),
    );
    const { canonicalPath } = file;
    const levels =
      kind === "syslinux menu" ? levelsOfNames(canonicalPath) : levelsAbove(canonicalPath);
    const trees = [...levels].flatMap((level) => {
      const tree = found.treeAbove(level);
      return tree === undefined ? [] : [opening.held.use(tree)];
    });
    const [tree] = trees;
    if (tree === undefined || kind === undefined) {
      throw cannot(`load the boot menu ${file.path}`, {
        code: "malformed-input",
        details: { path: file.path },
        why: "its files cannot be found from there",
        hint: "give the directory or the disk that it is on",
      });
    }
    const path = canonicalPath
      .split("/")
      .slice(-1 - Math.max(...levels))
      .join("/");
    return new LoaderMenu([{ kind, path }], trees, opening, file.path);
  },
} satisfies Reader<FoundFile>;

export const menuTreeReader = {
  menu: ({ tree }: FoundTree, opening: Opening) =>
    new LoaderMenu(findConfigs(tree), [tree], opening),
} satisfies Reader<FoundTree>;

/** GRUB's names: `efi` where firmware started this machine by EFI, `arm64` for aarch64. */
function machineOf({ architecture }: Opening): { platform: "efi" | "pc"; cpu: string } {
  const platform = architecture === "aarch64" || exists("/sys/firmware/efi") ? "efi" : "pc";
  const cpu = architecture === "aarch64" ? "arm64" : platform === "efi" ? "x86_64" : "i386";
  return { platform, cpu };
}

/** The first of the menus that has entries. */
export class LoaderMenu implements Menu<LoaderEntry> {
  readonly noun = "menu entry";
  private readonly host: TreeHost;
  /** What reads ISO images, once a menu asks for it. */
  private iso: typeof import("../iso/files.ts") | undefined;
  /** The menu that the entries are of. */
  private taken: ReadMenu | undefined;
  private readonly folder: string;

  constructor(
    private readonly configs: readonly Config[],
    trees: readonly FileTree[],
    private readonly opening: Opening,
    private readonly named?: string,
  ) {
    const { held } = opening;
    const [tree] = trees;
    this.folder = tree?.path.replace(/\/$/, "") ?? "";
    this.path = this.pathOf(configs[0]);
    const system = tree === undefined ? undefined : fileSystemOf(tree.canonicalPath);
    const root = system === undefined ? undefined : openTree(system.mount.mountPoint);
    const device: Device = {
      name: ownDevice,
      trees: root === undefined ? trees : [...trees, held.use(root)],
      facts: () => (system === undefined ? {} : factsOf(system.mount)),
    };
    this.host = new TreeHost(
      device,
      () => otherDevices(system?.mount, held),
      (image) => this.openImage(image),
    );
  }

  readonly path: string;

  private pathOf(config: Config | undefined): string {
    return this.named ?? `${this.folder}/${config?.path ?? ""}`;
  }

  async list(): Promise<Listing<LoaderEntry>> {
    const warnings: string[] = [];
    for (const [index, config] of this.configs.entries()) {
      const menu = await this.readLasting(config, warnings);
      // What it would boot is not known, and what another of the folder boots may be something else.
      if (menu?.beyondBounds) throw cannotLoad(this.pathOf(config), menu.notes.at(-1) ?? "");
      if (menu === undefined || menu.entries.length === 0) {
        const [why] = menu === undefined ? ["it cannot be read"] : menu.notes;
        warnings.push(`${config.path} has no entries${why === undefined ? "" : `: ${why}`}`);
        continue;
      }
      const rest = this.configs.slice(index + 1).map(({ path }) => path);
      if (rest.length > 0) warnings.push(`${config.path} is taken, and not ${rest.join(", ")}`);
      const chosen = defaultOf(menu);
      this.taken = menu;
      return {
        entries: menu.entries.map((entry, at) => this.entryOf(entry, at === chosen.index)),
        why: chosen.why,
        warnings: [...warnings, ...menu.notes],
      };
    }
    throw cannotLoad(this.path, warnings.join("; ") || "it has no entries");
  }

  /** An entry that is meant for once is taken if that can be written down, and if it can be booted. */
  private async readLasting(config: Config, warnings: string[]): Promise<ReadMenu | undefined> {
    const menu = await this.read(config);
    if (menu?.oneShot !== true) return menu;
    const once = menu.entries[menu.default ?? -1];
    const why =
      once?.problem ??
      (menu.writes.every(({ file }) => this.canWrite(file))
        ? undefined
        : "grubenv cannot be written here, and it would be taken every time");
    if (why === undefined) return menu;
    warnings.push(`next_entry in grubenv (${once?.id}) is left alone: ${why}`);
    return this.read(config, new Set(["next_entry"]));
  }

  /** An ISO image that the menu makes a device by `loopback`. */
  private openImage({ tree, path }: Located): Omit<Device, "name"> | undefined {
    const { held, listener } = this.opening;
    if (this.iso === undefined) return undefined;
    try {
      const image = held.use(tree.open(path, "ISO image"));
      const files = held.use(new this.iso.IsoFiles(image, false, listener));
      const { uuid, label } = files.volume;
      return { trees: [files], facts: () => ({ uuid, label, type: "iso9660" }) };
    } catch (error) {
      if (error instanceof KexecError) return undefined;
      throw error;
    }
  }

  private canWrite(file: MenuPlace): boolean {
    const located = this.host.locate(file);
    return located !== undefined && canWrite(located);
  }

  private async read(
    config: Config,
    withoutVariables?: ReadonlySet<string>,
  ): Promise<ReadMenu | undefined> {
    const place = { device: ownDevice, path: `/${config.path}` };
    const { platform, cpu } = machineOf(this.opening);
    if (config.kind === "GRUB menu") {
      const { largestConfig, readGrubMenu } = await import("../../menu/grub/menu.ts");
      const text = new TextDecoder().decode(this.host.read(place, largestConfig));
      if (/\bloopback\s/.test(text)) this.iso ??= await import("../iso/files.ts");
      const once = withoutVariables === undefined ? {} : { withoutVariables };
      const menu = readGrubMenu(this.host, { config: place, platform, cpu, ...once });
      const open = (program: MenuPlace) => {
        const located = this.host.locate(program);
        return located?.tree.open(located.path, "kernel");
      };
      return menu && { ...menu, entries: menu.entries.map((entry) => judgeProgram(entry, open)) };
    }
    const { readSyslinuxMenu } = await import("../../menu/syslinux/menu.ts");
    return readSyslinuxMenu(this.host, { config: place, cpu });
  }

  private entryOf(read: ReadEntry, isDefault: boolean): LoaderEntry {
    const shown = (place: ReadEntry["kernel"]) =>
      place === undefined
        ? undefined
        : this.host.isImage(place.device)
          ? `${place.device}:${place.path}`
          : place.device === ownDevice || !this.host.devices.includes(place.device)
            ? place.path
            : `(${place.device})${place.path}`;
    return {
      id: read.id,
      title: read.title,
      kernel: shown(read.kernel),
      initrds: read.initrds.map((place) => shown(place) ?? ""),
      cmdline: read.kernel === undefined ? undefined : read.cmdline,
      default: isDefault,
      problem: read.problem,
      from: read.from.replace(/^\/+/, ""),
      read,
    };
  }

  open(entry: LoaderEntry, opening: Opening): Opened {
    const { read } = entry;
    const { held, admission, listener } = opening;
    listener.note?.(`menu entry: ${entry.id} of ${entry.from}`);
    if (read.problem !== undefined || read.kernel === undefined) {
      throw cannot(`load the menu entry ${entry.id}`, {
        code: "malformed-input",
        details: { path: entry.from },
        why: read.problem ?? "it names no kernel",
        hint: whereItStands(entry),
      });
    }
    const adds = read.initrds.length > 0 ? "archives" : read.cmdline === "" ? undefined : "words";
    if (admission.required && adds !== undefined) {
      throw cannot(`use the ${adds} of the menu entry ${entry.id}`, {
        code: "policy-refused",
        details: { path: entry.from },
        why: "trust is required, and nobody signed the menu",
        hint: "boot a signed manifest, or a signed UKI that has them inside",
      });
    }
    const opened = (place: NonNullable<ReadEntry["kernel"]>, what: string) => {
      const located = this.host.locate(place);
      if (located === undefined) {
        throw cannot(`open the ${what} ${place.path} of the menu entry ${entry.id}`, {
          code: "file-not-found",
          details: { path: place.path },
          why: "it is not there",
        });
      }
      const { tree, path } = located;
      return {
        file: held.use(tree.open(path, what)),
        expected: undefined,
        openBeside: besideIn(tree, path),
      };
    };
    return {
      kernel: opened(read.kernel, "kernel"),
      initrds: read.initrds.map((place) => opened(place, "initramfs")),
      cmdline: read.chained && read.cmdline === "" ? undefined : read.cmdline,
      entry: { path: this.path, facts: undefined },
      afterwards: this.afterwards(read),
    };
  }

  private afterwards(entry: ReadEntry): readonly Afterwards[] {
    const writes = [...(this.taken?.writes ?? []), ...entry.writes];
    return writes.reduce(addWrite, []).flatMap((write) => {
      const located = this.host.locate(write.file);
      return located === undefined ? [] : [writeEnvironment(located, write)];
    });
  }
}

function cannotLoad(path: string, why: string): KexecError {
  return cannot(`load the boot menu ${path}`, {
    code: "malformed-input",
    details: { path },
    why,
    hint: "give its kernel, initramfs and command line directly",
  });
}

/** As GRUB: where the default fails, what `fallback` names. */
function defaultOf(menu: ReadMenu): { readonly index: number | undefined; readonly why: string } {
  const isGood = (index: number | undefined) =>
    index !== undefined && menu.entries[index]?.problem === undefined;
  if (isGood(menu.default)) return { index: menu.default, why: menu.why };
  const fallback = menu.fallback.find(isGood);
  return fallback === undefined
    ? { index: menu.default, why: menu.why }
    : { index: fallback, why: `fallback: ${menu.why} cannot be booted` };
}
