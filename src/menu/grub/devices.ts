/** The devices of a script: those of the host, and those that only GRUB would see. Pure. */
import { notMounted } from "../entry.ts";
import { globMatches } from "../glob.ts";
import type { DeviceFacts, MenuHost, MenuPlace, MenuStatus } from "../host.ts";
import { costs } from "./budget.ts";

export type SearchKind = "uuid" | "label" | "file" | "partUuid";

const mostFiles = 1024;
const mostNames = 200_000;
// A name has at most 255 bytes, NAME_MAX; a backslash in front of each.
const longestName = 512;
const kinds: Readonly<Record<SearchKind, string>> = {
  uuid: "UUID=",
  label: "LABEL=",
  partUuid: "PARTUUID=",
  file: "file ",
};

/**
 * A device that is not there has a name that begins so, and a number. The name goes on through the
 * script, so that an entry can say where its files are.
 */
const absent = "!";

export class Devices {
  /** The name that stands for the menu's own file system, once it is known. */
  private ownName: string | undefined;
  /** Images by the names that the script gives them; of each entry its own. */
  loops = new Map<string, string>();
  /** What the absent ones were searched by. */
  private readonly absents: { readonly kind: SearchKind; readonly key: string }[] = [];
  private readonly absentIndexes = new Map<string, number>();
  private readonly found = new Map<string, string | undefined>();
  private namesLeft = mostNames;
  private readonly statuses = new Map<string, MenuStatus | undefined>();

  /**
   * @param has `takesOwn` says whether a file system that is not there may be the menu's own: where its
   * folder was copied, or nothing is known of the file system that it is on. `spend` is told of the
   * work before it is done.
   */
  constructor(
    private readonly host: MenuHost,
    private readonly own: string,
    private readonly has: {
      readonly takesOwn: boolean;
      note(text: string): void;
      spend(work: number): void;
    },
  ) {}

  /** The first device that has it, as `search` finds it. */
  search(kind: SearchKind, key: string): string | undefined {
    const cached = `${kind} ${key}`;
    if (!this.found.has(cached)) {
      this.has.spend(costs.asked * this.host.devices.length);
      this.found.set(
        cached,
        this.host.devices.find((device) => this.carries(device, kind, key)),
      );
    }
    return this.found.get(cached);
  }

  private carries(device: string, kind: SearchKind, key: string): boolean {
    if (kind === "file") return this.host.status({ device, path: key })?.kind === "file";
    const fact = this.host.facts(device)[kind];
    return kind === "label" ? fact === key : fact?.toLowerCase() === key.toLowerCase();
  }

  /** The name for what no device has. */
  absent(kind: SearchKind, key: string): string {
    const name = `${kind} ${key}`;
    const index = this.absentIndexes.get(name) ?? this.absents.push({ kind, key }) - 1;
    this.absentIndexes.set(name, index);
    return `${absent}${index}`;
  }

  private searched(device: string): { kind: SearchKind; key: string } | undefined {
    return device.startsWith(absent)
      ? this.absents[Number(device.slice(absent.length))]
      : undefined;
  }

  /** What messages call a device. */
  private nameOf(device: string): string {
    const searched = this.searched(device);
    return searched === undefined
      ? `GRUB's device ${device}`
      : `the file system with ${kinds[searched.kind]}${searched.key}`;
  }

  /** Why nothing on a device can be read; undefined where it is there. */
  absence(device: string): string | undefined {
    if (this.loops.has(device) || device === this.ownName) return undefined;
    if (this.host.devices.includes(device)) return undefined;
    if (device === "") return "it names no device";
    const searched = this.searched(device) !== undefined;
    return `it is on ${this.nameOf(device)}, ${searched ? notMounted : "which cannot be matched to a disk here"}`;
  }

  facts(device: string): DeviceFacts {
    const facts = this.host.facts(this.real(device));
    const { kind, key } = this.searched(device) ?? {};
    return kind === undefined || kind === "file" ? facts : { ...facts, [kind]: key };
  }

  status(place: MenuPlace): MenuStatus | undefined {
    const asked = this.resolve(place);
    const key = `${asked.device}\0${asked.path}`;
    if (!this.statuses.has(key)) {
      this.has.spend(costs.asked);
      this.statuses.set(key, this.host.status(asked));
    }
    return this.statuses.get(key);
  }

  read(place: MenuPlace, limit: number): Uint8Array | undefined {
    this.has.spend(costs.opened);
    const bytes = this.host.read(this.resolve(place), limit);
    this.has.spend(bytes?.length ?? 0);
    return bytes;
  }

  /** All folders of one menu together have as many names as are looked at. */
  names(place: MenuPlace): readonly string[] | undefined {
    if (this.namesLeft <= 0) return undefined;
    this.has.spend(costs.opened);
    const names = this.host.names(this.resolve(place));
    this.namesLeft -= (names?.length ?? 0) + 1;
    return names;
  }

  loopback(name: string, image: MenuPlace): boolean {
    this.has.spend(costs.opened);
    const device = this.host.loopback?.(this.resolve(image));
    if (device !== undefined) this.loops.set(name, device);
    return device !== undefined;
  }

  /** A place with the name of a device that the host knows, where there is one. */
  resolve(place: MenuPlace): MenuPlace {
    const { device, path } = place;
    if (this.ownName === undefined && this.has.takesOwn && this.absence(device) !== undefined) {
      // By evidence: what is named stands where the menu does.
      if (device !== "" && this.isEvidence(path)) {
        this.ownName = device;
        this.has.note(
          `${this.nameOf(device)} is taken for the one that the menu is on: its files are there`,
        );
      }
    }
    return { device: this.real(device), path };
  }

  /** A file, or boot entries; other folders are on every disk. */
  private isEvidence(path: string): boolean {
    this.has.spend(costs.asked);
    const kind = this.host.status({ device: this.own, path })?.kind;
    return kind === "file" || (kind === "directory" && path.endsWith("/loader/entries"));
  }

  private real(device: string): string {
    return this.loops.get(device) ?? (device === this.ownName ? this.own : device);
  }

  /** Files that match a pattern: `(*)/boot/*.cfg`; a backslash quotes. */
  expandPattern(pattern: string, root: string): readonly string[] | undefined {
    const [, named, path = pattern] = /^\(([^)]*)\)(.*)$/s.exec(pattern) ?? [];
    const devices =
      named === undefined
        ? [root]
        : isWild(named)
          ? this.host.devices.filter((device) => globMatches(literalBrackets(named), device))
          : [unescaped(named)];
    const files = devices.flatMap((device) =>
      this.below(device, path).map((file) => ({ device, file })),
    );
    if (files.length === 0) return undefined;
    return files
      .slice(0, mostFiles)
      .map(({ device, file }) => (named === undefined ? file : `(${device})${file}`));
  }

  private below(device: string, pattern: string): readonly string[] {
    const [first, ...components] = pattern.split("/");
    if (first !== "" || components.length === 0) return first === "" ? [""] : [];
    let found = [""];
    for (const component of components) {
      if (component.length > longestName || found.length === 0) return [];
      this.has.spend(costs.argument * found.length);
      found = found
        .flatMap((parent) => {
          if (!isWild(component)) return [`${parent}/${unescaped(component)}`];
          const names = this.names({ device, path: parent === "" ? "/" : parent }) ?? [];
          // A pattern is looked for at each place of a name.
          const places = names.reduce((sum, name) => sum + 1 + (name.length >> 2), 0);
          this.has.spend(component.length * places);
          return names
            .filter((name) => globMatches(literalBrackets(component), name))
            .sort()
            .map((name) => `${parent}/${name}`);
        })
        .slice(0, mostFiles);
    }
    return found.filter((path) => this.status({ device, path }) !== undefined);
  }
}

function isWild(pattern: string): boolean {
  return /[*?]/.test(pattern.replace(/\\./gs, ""));
}

function unescaped(pattern: string): string {
  return pattern.replace(/\\(.)/gs, "$1");
}

/** GRUB knows no sets. */
function literalBrackets(pattern: string): string {
  return pattern.replaceAll("[", "\\[");
}
