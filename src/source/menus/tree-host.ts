/** The files that a menu of a disk sees: the tree that it stands in, and the other mounted file systems. */
import { KexecError } from "../../errors.ts";
import type { DeviceFacts, MenuHost, MenuPlace, MenuStatus } from "../../menu/host.ts";
import { readingsOf } from "../entry/path-readings.ts";
import type { FileTree } from "../kind.ts";

/** What the device that a menu stands on is called. */
export const ownDevice = "source";

const mostNames = 65_536;
const mostImages = 64;

/** A device of a menu: where its files are to be found, and what is known of its file system. */
export interface Device {
  readonly name: string;
  /** Its roots, the likeliest first: a folder that was given, and the file system that it is on. */
  readonly trees: readonly FileTree[];
  facts(): DeviceFacts;
}

/** A file of a device, and the tree and path by which it was found. */
export interface Located {
  readonly tree: FileTree;
  /** From the root of the tree, without a slash in front. */
  readonly path: string;
  readonly size: number;
}

export class TreeHost implements MenuHost {
  private all: readonly Device[] | undefined;
  private readonly located = new Map<string, Located | undefined>();
  private readonly known = new Map<string, DeviceFacts>();

  /** Images by what they are called: the path of each. */
  private readonly images = new Map<string, Device | undefined>();

  /**
   * @param others Is asked once, when something is looked for that the own device does not have.
   * @param openImage Opens an image that a menu makes a device; undefined where it is none.
   */
  constructor(
    private readonly own: Device,
    private readonly others: () => readonly Device[],
    private readonly openImage: (image: Located) => Omit<Device, "name"> | undefined,
  ) {}

  isImage(device: string): boolean {
    return this.images.get(device) !== undefined;
  }

  loopback(image: MenuPlace): string | undefined {
    const name = image.device === this.own.name ? image.path : `(${image.device})${image.path}`;
    if (!this.images.has(name) && this.images.size < mostImages) {
      const located = this.locate(image);
      const opened = located === undefined ? undefined : this.openImage(located);
      this.images.set(name, opened === undefined ? undefined : { name, ...opened });
    }
    return this.isImage(name) ? name : undefined;
  }

  get devices(): readonly string[] {
    return this.everything().map(({ name }) => name);
  }

  private everything(): readonly Device[] {
    this.all ??= [this.own, ...this.others()];
    return this.all;
  }

  private device(name: string): Device | undefined {
    if (name === this.own.name) return this.own;
    const image = this.images.get(name);
    if (image !== undefined) return image;
    return this.everything().find((device) => device.name === name);
  }

  /** Where a file of the menu is; undefined where it is not there, or may not be read. */
  locate(place: MenuPlace): Located | undefined {
    const key = `${place.device}\0${place.path}`;
    if (!this.located.has(key)) this.located.set(key, this.look(place));
    return this.located.get(key);
  }

  private look({ device, path }: MenuPlace): Located | undefined {
    for (const tree of this.device(device)?.trees ?? []) {
      for (const reading of readingsOf(path, tree.canonicalPath)) {
        const size = sizeOf(tree, reading);
        if (size !== undefined) return { tree, path: reading, size };
      }
    }
    return undefined;
  }

  status(place: MenuPlace): MenuStatus | undefined {
    const located = this.locate(place);
    if (located !== undefined) return { kind: "file", size: located.size };
    return this.namesOf(place, 0) === undefined ? undefined : { kind: "directory", size: 0 };
  }

  read(place: MenuPlace, limit: number): Uint8Array | undefined {
    const located = this.locate(place);
    if (located === undefined) return undefined;
    if (located.size === 0) return new Uint8Array(0);
    return opening(() => {
      using file = located.tree.open(located.path, "file of a menu");
      return file.read(0, Math.min(file.size, limit));
    });
  }

  names(place: MenuPlace): readonly string[] | undefined {
    return this.namesOf(place, mostNames);
  }

  private namesOf({ device, path }: MenuPlace, limit: number): readonly string[] | undefined {
    for (const tree of this.device(device)?.trees ?? []) {
      for (const reading of ["", ...readingsOf(path, tree.canonicalPath)]) {
        if (reading === "" && path.replace(/\/+/g, "") !== "") continue;
        const names = opening(() => tree.names(reading, limit));
        if (names !== undefined) return names;
      }
    }
    return undefined;
  }

  facts(device: string): DeviceFacts {
    const known = this.known.get(device) ?? this.device(device)?.facts() ?? {};
    this.known.set(device, known);
    return known;
  }
}

/** Undefined where there is no such file, or it may not be read. */
function sizeOf(tree: FileTree, path: string): number | undefined {
  try {
    using file = tree.open(path, "file of a menu");
    return file.size;
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return error.code === "file-empty" ? 0 : undefined;
  }
}

/** What is asked for, or undefined where it is not to be had. */
function opening<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof KexecError) return undefined;
    throw error;
  }
}
