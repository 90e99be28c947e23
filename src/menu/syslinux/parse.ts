/**
 * Configurations of syslinux, extlinux, isolinux and pxelinux, and those that U-Boot reads: lines of
 * a keyword and its value, as com32/menu/readconfig.c. Pure: files are the host's.
 */
import { parted } from "../blanks.ts";
import type { MenuHost, MenuPlace } from "../host.ts";
import { type Label, type Level, labelOf, menuOf } from "./tree.ts";

export interface Config {
  readonly root: Level;
  /** `MENU START`. */
  readonly start: Level;
  readonly default: string | undefined;
  /** `UI`, or a default that is a menu system itself. */
  readonly hasMenu: boolean;
  readonly path: string | undefined;
}

/** What is read of one menu, all its files together. */
export interface Reading {
  readonly host: MenuHost;
  readonly files: Set<string>;
  bytes: number;
  labels: number;
  note(text: string): void;
  /** Where a name in a configuration leads. */
  resolve(name: string): MenuPlace;
}

const largest = 1 << 20;
const mostFiles = 64;
const mostLabels = 4096;
const deepest = 16;
/** Menus in menus: nobody finds an entry below so many, and each costs the reader of the list. */
const deepestMenu = 32;
const longestTag = 256;
// MAX_LINE, com32/menu/menu.h
const longestLine = 4096;

const kernelTypes = [
  ...[
    "kernel",
    "linux",
    "boot",
    "bss",
    "pxe",
    "fdimage",
    "comboot",
    "com32",
    "config",
    "localboot",
  ],
  "fit",
];
const deviceTrees = ["fdt", "devicetree", "fdtdir", "devicetreedir", "fdtoverlays"];
/** Nothing to what is booted. */
const silent = [
  ...["timeout", "totaltimeout", "prompt", "say", "display", "font", "kbdmap", "serial", "console"],
  ...["allowoptions", "noescape", "nocomplete", "implicit", "allowimplicit", "onerror", "nohalt"],
  ...["sendcookies", "pxeretry", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10"],
  ...["f11", "f12"],
];

/** Reads a configuration and what it includes; undefined where it cannot be read. */
export function readConfig(place: MenuPlace, reading: Reading): Config | undefined {
  const reader = new Reader(reading);
  if (!reader.file(place, 0)) return undefined;
  return reader.end();
}

class Reader {
  private readonly root = menuOf("", undefined);
  private menu = this.root;
  /** How many menus `menu` stands in, with those that are left out. */
  private level = 0;
  private start: Level | undefined;
  private label: Label | undefined;
  private isDefault = false;
  private append: string | undefined;
  private default: string | undefined;
  private ui = false;
  private path: string | undefined;

  constructor(private readonly reading: Reading) {}

  end(): Config {
    this.record();
    const { root, path, default: named } = this;
    const isMenu = named !== undefined && /(^|\/)(vesa)?menu\.c32\b/i.test(named);
    const start = this.start ?? root;
    return { root, start, path, hasMenu: this.ui || isMenu, default: isMenu ? undefined : named };
  }

  /** Includes go on where the file that includes them stands: as if all were one. */
  file(place: MenuPlace, depth: number): boolean {
    const { reading } = this;
    const name = `${place.device} ${place.path}`;
    if (reading.files.has(name)) return true;
    if (depth > deepest || reading.files.size >= mostFiles) {
      reading.note(`${place.path} is left out: too many files are included`);
      return false;
    }
    const isFile = reading.host.status(place)?.kind === "file";
    const bytes = isFile ? reading.host.read(place, largest + 1) : undefined;
    if (bytes === undefined) {
      reading.note(`${place.path} is left out: it is not there`);
      return false;
    }
    reading.bytes += bytes.length;
    if (reading.bytes > largest) {
      reading.note(`${place.path} is left out: the menu is larger than ${largest} bytes`);
      return false;
    }
    reading.files.add(name);
    const lines = new TextDecoder().decode(bytes).split("\n");
    let inText = false;
    for (const [index, raw] of lines.entries()) {
      const from = `${place.path}:${index + 1}`;
      if (raw.length > longestLine)
        reading.note(`${from}: what is behind ${longestLine} characters is left out`);
      const [keyword, value] = split(raw.slice(0, longestLine));
      if (inText) inText = keyword !== "endtext";
      else if (keyword === "text") inText = true;
      else this.line(keyword, value, from, depth);
    }
    return true;
  }

  private line(keyword: string, value: string, from: string, depth: number): void {
    const { label } = this;
    if (keyword === "" || keyword.startsWith("#")) return;
    if (keyword === "menu") this.menuLine(...split(value), from, depth);
    else if (keyword === "include") this.include(value, from, depth);
    else if (keyword === "label") this.begin(value, from);
    else if (keyword === "append") {
      if (value.includes("\ufffd"))
        this.note(from, "it is not UTF-8: U+FFFD stands for what is none");
      if (label === undefined) this.append = value;
      else label.append = value;
    } else if (keyword === "default") this.default = value;
    else if (keyword === "ui") this.ui = true;
    else if (keyword === "path") this.path = value;
    else if (keyword === "ontimeout") this.menu.onTimeout = value;
    else if (keyword === "initrd") {
      if (label !== undefined) label.initrd = value;
    } else if (kernelTypes.includes(keyword)) {
      if (label === undefined) return;
      label.type = keyword;
      label.command = value;
    } else if (deviceTrees.includes(keyword)) {
      if (label !== undefined) label.deviceTree = `${keyword} ${value}`;
    } else if (keyword === "ipappend" || keyword === "sysappend") {
      if (value !== "0") {
        this.reading.note(
          `${from}: ${keyword} is left out: it tells how the loader itself was started`,
        );
      }
    } else if (!silent.includes(keyword))
      this.reading.note(`${from}: ${keyword} is not known here`);
    // Tenths of a second.
    if (keyword === "timeout") this.menu.timeout = Number.parseInt(value, 10) / 10 || 0;
  }

  private menuLine(keyword: string, value: string, from: string, depth: number): void {
    const { label, menu } = this;
    switch (keyword) {
      case "label":
        if (label !== undefined) label.title = value;
        else menu.title ??= value;
        break;
      case "title":
        menu.title ??= value;
        break;
      case "default":
        if (label !== undefined) this.isDefault = true;
        else if (menu.parent !== undefined && this.level <= deepestMenu) menu.parent.default = menu;
        break;
      case "hide":
        if (label !== undefined) label.isHidden = true;
        break;
      case "disable":
      case "disabled":
        if (label !== undefined) label.isDisabled = true;
        break;
      case "include":
        this.include(value, from, depth);
        break;
      case "separator":
        this.record();
        break;
      case "begin":
        this.open(value, from);
        break;
      case "end":
        this.close();
        break;
      case "start":
        if (this.level <= deepestMenu) this.start = menu;
        break;
      case "goto":
      case "exit":
      case "quit":
      case "help":
        if (label !== undefined) label.action = keyword;
        break;
      case "save":
        this.reading.note(`${from}: which entry the menu has saved is not known here`);
        break;
      default:
    }
  }

  private include(value: string, from: string, depth: number): void {
    const [name, tag] = parted(value);
    if (name === "") return;
    // With a tag behind it, what is included is a submenu.
    if (tag !== "") this.open(tag, from);
    this.file(this.reading.resolve(name), depth + 1);
    if (tag !== "") this.close();
  }

  /** Too deep, the menu is none of its parent's items: what is in it is read, and left out. */
  private open(tag: string, from: string): void {
    this.record();
    this.level += 1;
    if (this.level > deepestMenu + 1) return;
    const menu = menuOf(tag.slice(0, longestTag), this.menu);
    if (this.level <= deepestMenu) this.menu.items.push(menu);
    else this.note(from, `its menu is left out: it stands in ${deepestMenu} others`);
    this.menu = menu;
  }

  private close(): void {
    this.record();
    if (this.level === 0) return;
    this.level -= 1;
    if (this.level <= deepestMenu) this.menu = this.menu.parent ?? this.menu;
  }

  private begin(name: string, from: string): void {
    this.record();
    this.reading.labels += 1;
    this.label = labelOf(name, name, from);
  }

  private note(from: string, text: string): void {
    this.reading.note(`${from}: ${text}`);
  }

  /** The end of a label: what it does not say itself, the whole configuration may. */
  private record(): void {
    const { label } = this;
    if (label !== undefined) {
      label.append ??= this.append;
      // A hyphen alone: nothing, not even what is said for all.
      if (label.append === "-") label.append = undefined;
      if (this.reading.labels > mostLabels) {
        this.reading.note(`its labels behind the first ${mostLabels} are left out`);
      } else {
        this.menu.items.push(label);
        if (this.isDefault) this.menu.default = label;
      }
    }
    this.label = undefined;
    this.isDefault = false;
  }
}

/** A keyword in lower case and what is behind it. */
function split(line: string): [string, string] {
  const [keyword, value] = parted(line);
  return [keyword.toLowerCase(), value];
}
