/** The menu that a configuration of syslinux and its kin makes. Pure: files are the host's. */
import { parted, trimmed } from "../blanks.ts";
import type { MenuHost, MenuPlace, ReadEntry, ReadMenu } from "../host.ts";
import { type Config, type Reading, readConfig } from "./parse.ts";
import { programOf, type Started, withoutVariables } from "./programs.ts";
import { type Label, type Level, labelOf } from "./tree.ts";

export interface SyslinuxStart {
  readonly config: MenuPlace;
  /** As GRUB calls it: `x86_64`, `arm64`. Device trees are wanted on the latter alone. */
  readonly cpu: string;
  /** Names without a slash in front count from the configuration's folder, else from one above it. */
  readonly top?: string;
}

const deepest = 8;
const mostNotes = 64;

/** A label in the list, or the submenu that one leads to. */
interface Item {
  readonly label: Label;
  readonly index: number | undefined;
}

/**
 * Reads the menu of a configuration and of those that its entries lead to.
 * @returns undefined where the configuration cannot be read
 */
export function readSyslinuxMenu(host: MenuHost, start: SyslinuxStart): ReadMenu | undefined {
  const notes: string[] = [];
  const builder = new Builder(host, start, (text) => {
    if (notes.length < mostNotes && !notes.includes(text)) notes.push(text);
  });
  const config = builder.read(start.config);
  if (config === undefined) return undefined;
  builder.list(config.root, []);
  const { index, why } = builder.chosen(config);
  const timeout = config.start.timeout;
  return {
    entries: builder.entries,
    default: index,
    why,
    oneShot: false,
    fallback: [],
    timeout: timeout > 0 ? timeout : undefined,
    writes: [],
    notes,
  };
}

class Builder {
  readonly entries: ReadEntry[] = [];
  private readonly items: Item[] = [];
  /** Configurations that entries lead to, by the entry's label. */
  private readonly configs = new Map<Label, Config>();
  private readonly reading: Reading;
  private readonly ids = new Set<string>();
  /** The last number behind an id that is not the only one. */
  private readonly numbers = new Map<string, number>();
  /** What the configurations have chosen, or are about to: their defaults may lead in a circle. */
  private readonly choices = new Map<Config, number | undefined>();
  /** Folders that a name may count from, the first in which it is found. */
  private readonly folders: string[];

  constructor(
    private readonly host: MenuHost,
    private readonly start: SyslinuxStart,
    note: (text: string) => void,
  ) {
    const { path } = start.config;
    const folder = path.slice(0, path.lastIndexOf("/"));
    const top = start.top ?? "";
    const parts = folder.split("/");
    this.folders = parts
      .map((_, index) => parts.slice(0, parts.length - index).join("/"))
      .filter((name) => name === folder || name === top || name.startsWith(`${top}/`))
      .slice(0, 16);
    const resolve = (name: string) => this.resolve(name);
    this.reading = { host, files: new Set(), bytes: 0, labels: 0, note, resolve };
  }

  read(place: MenuPlace): Config | undefined {
    return readConfig(place, this.reading);
  }

  /** As syslinux takes names: with slashes of either kind, absolute ones from the file system's root. */
  resolve(name: string): MenuPlace {
    const { device } = this.start.config;
    const path = name.replaceAll("\\", "/").replace(/^::\/*/, "/");
    const places = path.startsWith("/")
      ? [{ device, path: path.replace(/^\/+/, "/") }]
      : this.folders.map((folder) => ({ device, path: normal(`${folder}/${path}`) }));
    const found =
      places.length === 1
        ? undefined
        : places.find((place) => this.host.status(place) !== undefined);
    return found ?? places[0] ?? { device, path };
  }

  list(level: Level, around: readonly Level[]): void {
    for (const item of level.items) {
      if (item.kind === "menu") this.list(item, [...around, item]);
      else this.add(item, around);
    }
  }

  private add(label: Label, around: readonly Level[]): void {
    if (label.action === "exit" || label.action === "quit" || label.action === "help") return;
    if (label.action === "goto") return;
    const started = programOf(label, (name) => this.resolve(name));
    if (started.kind === "config" && around.length < deepest) {
      const before = this.reading.files.size;
      const inner = this.reading.files.has(`${started.file.device} ${started.file.path}`)
        ? undefined
        : this.read(started.file);
      if (inner !== undefined && this.reading.files.size > before) {
        this.configs.set(label, inner);
        const menu = { ...inner.root, tag: label.label, title: label.title ?? label.label };
        this.list(menu, [...around, menu]);
        return;
      }
    }
    this.items.push({ label, index: this.entries.length });
    this.entries.push(this.entryOf(label, started, around));
  }

  private entryOf(label: Label, started: Started, around: readonly Level[]): ReadEntry {
    const menus = around.map(({ title, tag }) => plain(title ?? tag));
    const kernel = started.kind === "linux" ? started.kernel : undefined;
    const initrds = started.kind === "linux" ? started.initrds : [];
    const deviceTree = this.start.cpu === "arm64" ? label.deviceTree : undefined;
    const [, file] = parted(deviceTree ?? "");
    return {
      id: this.idOf(label.label, around),
      ownId: label.label,
      title: plain(label.title ?? label.label),
      menus,
      number: String(this.entries.length),
      from: label.from,
      kernel,
      chained: false,
      initrds,
      cmdline: started.kind === "linux" ? this.known(started.cmdline, label.from) : "",
      deviceTree: deviceTree === undefined ? undefined : this.resolve(file),
      problem: this.problemOf(label, started, deviceTree),
      writes: [],
    };
  }

  private known(cmdline: string, from: string): string {
    return withoutVariables(cmdline, (word) => {
      this.reading.note(`${from}: ${word} is left out: it has a variable of U-Boot`);
    });
  }

  /** Labels need not differ; the submenus around them, and numbers where that is not enough, do. */
  private idOf(label: string, around: readonly Level[]): string {
    const whole = [...around.map(({ tag }) => tag), label].join(">");
    const candidates = [label, whole];
    let id = candidates.find((candidate) => !this.ids.has(candidate));
    while (id === undefined) {
      const number = (this.numbers.get(whole) ?? 1) + 1;
      this.numbers.set(whole, number);
      if (!this.ids.has(`${whole}#${number}`)) id = `${whole}#${number}`;
    }
    this.ids.add(id);
    return id;
  }

  private problemOf(
    label: Label,
    started: Started,
    deviceTree: string | undefined,
  ): string | undefined {
    if (label.isDisabled) return "its menu does not let it be chosen (MENU DISABLE)";
    if (started.kind === "other") return started.problem;
    if (started.kind === "alias") return `it stands for the entry ${started.label}`;
    if (started.kind === "config") return `it goes to the menu of ${started.file.path}`;
    if (started.problem !== undefined) return started.problem;
    const isFile = (place: MenuPlace) => this.host.status(place)?.kind === "file";
    if (!isFile(started.kernel)) {
      return `its kernel ${started.kernel.path} cannot be used: it is not there`;
    }
    const missing = started.initrds.find((place) => !isFile(place));
    if (missing !== undefined) {
      return `its initramfs ${missing.path} cannot be used: it is not there`;
    }
    return deviceTree === undefined
      ? undefined
      : `it wants a device tree (${deviceTree}), and kexec passes on the running one`;
  }

  /** What is started where nobody chooses: com32/menu, and core/elflink/load_env32.c without a menu. */
  chosen(config: Config): { index: number | undefined; why: string } {
    const { start, hasMenu } = config;
    const onTimeout = start.timeout > 0 ? start.onTimeout : undefined;
    const named = onTimeout ?? config.default;
    const keyword = onTimeout === undefined ? "DEFAULT" : "ONTIMEOUT";
    if (
      named !== undefined &&
      !(hasMenu && onTimeout === undefined && start.default !== undefined)
    ) {
      const index = this.named(named, 0);
      if (index !== undefined) return { index, why: `${keyword} ${named}` };
    }
    if (start.default !== undefined) {
      const index = this.defaultOf(start.default);
      if (index !== undefined) return { index, why: "MENU DEFAULT" };
    }
    const index = this.first(start);
    return named === undefined
      ? { index, why: "the first entry: no default is set" }
      : { index, why: `the first entry: ${keyword} ${named} names none` };
  }

  private chosenIn(config: Config): number | undefined {
    if (this.choices.has(config)) return this.choices.get(config);
    this.choices.set(config, undefined);
    const { index } = this.chosen(config);
    this.choices.set(config, index);
    return index;
  }

  private first(level: Level): number | undefined {
    for (const item of level.items) {
      const isShown = item.kind === "label" && !item.isHidden;
      const index = isShown ? this.defaultOf(item) : undefined;
      if (index !== undefined) return index;
    }
    return undefined;
  }

  private defaultOf(item: Label | Level): number | undefined {
    if (item.kind === "menu") {
      return item.default === undefined ? this.first(item) : this.defaultOf(item.default);
    }
    const config = this.configs.get(item);
    if (config !== undefined) return this.chosenIn(config);
    return this.items.find(({ label }) => label === item)?.index;
  }

  /** A label as it may be typed, with words for its command line behind it, or a kernel itself. */
  private named(command: string, depth: number): number | undefined {
    const [name, words] = parted(command);
    const labels = [...this.items.map(({ label }) => label), ...this.configs.keys()];
    const found =
      labels.find(({ label }) => label === name) ??
      labels.find(({ label }) => label.toLowerCase() === name.toLowerCase());
    if (found === undefined) return this.implicit(name, command);
    const config = this.configs.get(found);
    if (config !== undefined) return this.chosenIn(config);
    const started = programOf(found, (file) => this.resolve(file));
    if (started.kind === "alias") {
      return depth < deepest ? this.named(started.label, depth + 1) : undefined;
    }
    const index = this.items.find(({ label }) => label === found)?.index;
    const entry = index === undefined ? undefined : this.entries[index];
    if (index === undefined || entry === undefined || words === "") return index;
    const more = { ...found, append: trimmed(`${found.append ?? ""} ${words}`) };
    const changed = programOf(more, (file) => this.resolve(file));
    if (changed.kind !== "linux") return index;
    this.entries[index] = { ...entry, cmdline: changed.cmdline, initrds: changed.initrds };
    return index;
  }

  /** `DEFAULT vmlinuz root=…`: an entry without a label. */
  private implicit(name: string, command: string): number | undefined {
    if (this.host.status(this.resolve(name))?.kind !== "file") return undefined;
    const label = labelOf(name, command, `${this.start.config.path}: DEFAULT`);
    const started = programOf(label, (file) => this.resolve(file));
    if (started.kind !== "linux") return undefined;
    this.entries.push(this.entryOf(label, started, []));
    return this.entries.length - 1;
  }
}

/** `^` marks the key of an entry. */
function plain(title: string): string {
  return title.replace("^", "");
}

/** A path without `.` and `..`. */
function normal(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "." && name !== "") names.push(name);
  }
  return `/${names.join("/")}`;
}
