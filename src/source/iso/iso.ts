/** An ISO image of a live or installer system as a source: its menu, and the words that it lacks. */
import { cannot, KexecError } from "../../errors.ts";
import { versionOf } from "../../linux/path.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { findingCmdline, type IsoWay, tellByArchive, tellSystem } from "../../menu/iso-words.ts";
import type { LiveSystem } from "../../menu/live-systems.ts";
import { archiveNames } from "../archive-names.ts";
import { openEntryFiles } from "../choose.ts";
import type { FoundFile, Listing, Menu, Opened, Opening, Reader, Whole } from "../kind.ts";
import type { OpenFile } from "../open-file.ts";
import { isUrl } from "../place.ts";
import { IsoFiles } from "./files.ts";
import { type Holder, holderOf, readByAll } from "./holder.ts";
import { type FoundMenu, findMenu } from "./menus.ts";

/** An entry of an image's menu, with the way by which its system finds the image again. */
export interface IsoEntry extends MenuEntry {
  /** Undefined: it has no kernel. */
  readonly way: IsoWay | undefined;
}

export function isIsoEntry(entry: MenuEntry): entry is IsoEntry {
  return "way" in entry;
}

export const isoReader = {
  menu: async (found, opening) => {
    const { held, admission, listener } = opening;
    try {
      const files = held.use(new IsoFiles(found.file, admission.required, listener));
      return new IsoMenu(found, files, opening);
    } catch (error) {
      // What it says is broken may be what was changed.
      if (admission.required) await admission.judgeWhole({ ...found, copies: [] });
      throw error;
    }
  },
} satisfies Reader<FoundFile>;

export class IsoMenu implements Menu<IsoEntry> {
  readonly noun = "menu entry";
  readonly path: string;
  readonly holder: Holder;
  private readonly version: string | number;
  private menu: FoundMenu | undefined;
  private readonly byArchive = new Map<string, LiveSystem | undefined>();

  constructor(
    private readonly found: FoundFile,
    readonly files: IsoFiles,
    private readonly opening: Opening,
  ) {
    const { file } = found;
    this.path = file.path;
    this.version = versionOf(fdOf(found));
    this.holder = holderOf({ fd: fdOf(found), canonicalPath: file.canonicalPath });
  }

  async list(): Promise<Listing<IsoEntry>> {
    const menu = await findMenu(this.files, this.holder, this.opening);
    this.menu = menu;
    const entries: IsoEntry[] = [];
    for (const entry of menu.entries) entries.push(await this.withWay(entry));
    return { entries, why: menu.why, warnings: [] };
  }

  async open(entry: IsoEntry, opening: Opening): Promise<Opened> {
    const { files } = this;
    const opened = await (this.menu?.open?.(entry, opening) ??
      openEntryFiles(entry, files, this.noun, opening));
    const { way } = entry;
    if (way?.kind === "known") this.tell(way);
    const { unreachable } = this.holder;
    if (this.opening.admission.required) await this.tellOfUnchecked();
    const needsImage = way?.kind !== "known" || way.system.words.length > 0;
    if (unreachable !== undefined && needsImage) {
      opening.listener.warn?.(`${this.path}: it ${unreachable}`);
    }
    return {
      ...opened,
      cmdline: way?.kind === "known" ? way.cmdline : opened.cmdline,
      whole: this.whole(),
      blind: way?.kind === "unknown" ? { why: way.why, give: way.give } : undefined,
      lookAtArchives: needsImage ? (archives) => this.lookAtArchives(archives, opening) : undefined,
      requireUnchanged: () => this.requireUnchanged(),
    };
  }

  /** Whether the archives have the module by which the next system reads the image's file system. */
  private async lookAtArchives(archives: readonly OpenFile[], opening: Opening): Promise<void> {
    const { type } = this.holder;
    if (type === undefined || readByAll.test(type)) return;
    const { hasModule } = await import("./modules.ts");
    if ((await hasModule(archives, type)) !== false) return;
    opening.listener.warn?.(
      `${this.path}: it lies on ${type}, and the initramfs has no module for that: unless the kernel has it built in, the next system cannot read the image (add an archive with the module by --initrd, or move the image)`,
    );
  }

  /** Lists of digests that distributions publish, and the signatures of those. */
  private async tellOfUnchecked(): Promise<void> {
    for (const name of ["SHA256SUMS.gpg", "SHA256SUMS.sign", "SHA256SUMS.asc"]) {
      try {
        using _ = await this.found.openBelow(name, "signature", undefined);
        this.opening.listener.warn?.(
          `${this.path}: ${name} beside it is an OpenPGP signature: neither it nor SHA256SUMS is checked here`,
        );
      } catch (error) {
        if (!(error instanceof KexecError)) throw error;
      }
    }
  }

  async failed(): Promise<void> {
    const { admission } = this.opening;
    if (admission.required) await admission.judgeWhole(this.whole());
  }

  /** The copies are those of what was used until they are asked for. */
  private whole(): Whole {
    const { files, opening } = this;
    const { file, openBeside } = this.found;
    return {
      file,
      openBeside,
      get copies() {
        return files.copies(opening.held);
      },
    };
  }

  private tell({ system, why, added, foreign }: Extract<IsoWay, { kind: "known" }>): void {
    const { listener } = this.opening;
    const words =
      added.length === 0 ? "its menu has all words that are needed" : `${added.join(" ")} is added`;
    listener.note?.(`${this.path}: ${system.name} (${why}): ${words}`);
    if (foreign.length > 0) {
      listener.warn?.(
        `${this.path}: its menu has ${foreign.join(" ")}, and the path of the image on its file system is ${this.holder.path}`,
      );
    }
  }

  /** What the archive says is asked for last: it has to be unpacked. */
  private async withWay(entry: MenuEntry): Promise<IsoEntry> {
    const { kernel, cmdline = "" } = entry;
    if (kernel === undefined) return { ...entry, way: undefined };
    const { files } = this;
    const has = (path: string) => files.look(path) !== undefined;
    const told = tellSystem({ cmdline, kernel, has }) ?? (await this.askArchives(entry));
    const found = findingCmdline(cmdline, told, this.holder);
    const way = isUrl(this.path) ? elsewhere(found, this.path) : found;
    return { ...entry, cmdline: way.kind === "known" ? way.cmdline : entry.cmdline, way };
  }

  private async askArchives({
    initrds,
  }: MenuEntry): Promise<readonly [LiveSystem, string] | undefined> {
    for (const path of initrds) {
      const system = await this.askArchive(path);
      if (system !== undefined) return [system, `by what is in ${path}`];
    }
    return undefined;
  }

  private async askArchive(path: string): Promise<LiveSystem | undefined> {
    if (this.byArchive.has(path)) return this.byArchive.get(path);
    let system: LiveSystem | undefined;
    try {
      using file = this.files.open(path, "initramfs");
      await archiveNames(file, (name) => {
        system = tellByArchive(name);
        return system !== undefined;
      });
    } catch (error) {
      // The load says what is wrong with it.
      if (!(error instanceof KexecError)) throw error;
    }
    this.byArchive.set(path, system);
    return system;
  }

  private requireUnchanged(): void {
    if (versionOf(fdOf(this.found)) === this.version) return;
    throw cannot(`boot the ISO image ${this.path}`, {
      code: "file-changed",
      details: { path: this.path },
      why: "it changed while it was read",
      hint: "wait until whatever writes it has finished",
    });
  }
}

/** An image that came from a server is on no disk: its system has to fetch it once more, by words of its own. */
function elsewhere(way: IsoWay, path: string): IsoWay {
  if (way.kind === "unknown" || way.system.words.length === 0) return way;
  return {
    kind: "unknown",
    why: "it came from a server, and lies on no disk",
    give: `give the words by which its system fetches it, by --append: fetch=${path} (live-boot), url=${path} (casper), root=live:${path} (dracut)`,
  };
}

/** The descriptor of the image's file: it is one range of one file. */
function fdOf({ file }: FoundFile): number {
  return file.extents[0]?.fd ?? -1;
}
