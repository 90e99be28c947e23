/**
 * Files of an ISO 9660 image by their paths. Only the directories on the way are read, each once; how
 * many there may be, how large, and how deep is bounded, and none of them may contain itself.
 */

import { cannot } from "../errors.ts";
import { type ByteSource, isWithin } from "./bytes.ts";
import { type Extent, type Iso9660, sectorSize } from "./iso9660.ts";
import {
  directoryNodes,
  type IsoNames,
  type IsoNode,
  ownRecord,
  type RecordRules,
  rockRidgeOf,
} from "./iso9660-records.ts";

export type { IsoNames, IsoNode } from "./iso9660-records.ts";

/** Bytes of one directory, and of all that are read. A record has 34 or more. */
const largestDirectory = 8 << 20;
const mostBytes = 16 << 20;
/** Names that are kept. */
const mostNodes = 100_000;
const mostDirectories = 4096;
/** As many as the kernel follows: MAXSYMLINKS of include/linux/namei.h. */
const mostLinks = 40;
/** PATH_MAX, links followed. */
const mostSteps = 4096;

interface Directory {
  readonly extent: Extent;
  readonly nodes: ReadonlyMap<string, IsoNode>;
}

export class IsoTree {
  readonly names: IsoNames;
  private readonly root: Extent;
  private readonly rules: RecordRules;
  private readonly directories = new Map<number, Directory>();
  private bytes = 0;
  private nodes = 0;

  /**
   * Rock Ridge's names before Joliet's, as Linux and GRUB take them.
   * @param path What messages call the image.
   * @throws KexecError `malformed-input`, as all methods do
   */
  constructor(
    private readonly source: ByteSource,
    private readonly volume: Iso9660,
    private readonly path: string,
  ) {
    const first = this.read(volume.root.offset, Math.min(volume.root.length, sectorSize));
    const skipped = rockRidgeOf(first);
    const useJoliet = skipped === undefined && volume.joliet !== undefined;
    this.names = skipped !== undefined ? "rock-ridge" : useJoliet ? "joliet" : "plain";
    this.root = useJoliet && volume.joliet !== undefined ? volume.joliet : volume.root;
    this.rules = {
      names: this.names,
      blockSize: volume.blockSize,
      skipped: skipped ?? 0,
      continuation: (block, offset, length) => this.continuation(block, offset, length),
      refuse: (rule) => this.refuse(rule),
    };
  }

  /** What is at `path`, counted from the root, links followed; undefined where there is nothing. */
  find(path: string): IsoNode | undefined {
    return this.walk(path)?.at(-1)?.node;
  }

  /** The names in a directory; undefined where there is no such directory. */
  list(path: string): readonly IsoNode[] | undefined {
    const way = this.walk(path);
    const last = way?.at(-1);
    if (way === undefined || last?.node.type !== "directory") return undefined;
    return [...this.enter(way).nodes.values()];
  }

  /**
   * Where the bytes of a file lie.
   * @throws KexecError `malformed-input` where they are not all in the image, or not as they are
   */
  extentsOf(node: IsoNode): readonly Extent[] {
    if (node.compressed) this.refuse(`${quoted(node)} is compressed by zisofs`);
    const extents = node.extents.filter(({ length }) => length > 0);
    for (const { offset, length } of extents) {
      if (!isWithin(this.source.size, offset, length)) {
        this.refuse(`${quoted(node)} lies beyond its end, so it is cut short`);
      }
      if (offset < this.volume.dataStart) {
        this.refuse(`${quoted(node)} lies in front of its directories`);
      }
    }
    const sorted = extents.toSorted((one, other) => one.offset - other.offset);
    const overlaps = sorted.some((one, index) => {
      const next = sorted[index + 1];
      return next !== undefined && one.offset + one.length > next.offset;
    });
    if (overlaps) this.refuse(`parts of ${quoted(node)} overlap`);
    return extents;
  }

  /** The directories on the way to `path` and what is there, the root first. */
  private walk(path: string): Step[] | undefined {
    const way: Step[] = [{ name: "", node: this.rootNode() }];
    const rest = path.split("/").toReversed();
    let links = 0;
    for (let steps = 0; rest.length > 0; steps++) {
      if (steps > mostSteps || rest.length > mostSteps) return undefined;
      const name = rest.pop() ?? "";
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (way.length > 1) way.pop();
        continue;
      }
      const last = way.at(-1);
      if (last?.node.type !== "directory") return undefined;
      const node = lookUp(this.enter(way).nodes, name, this.names);
      if (node === undefined) return undefined;
      if (node.type !== "symlink") {
        way.push({ name, node });
        continue;
      }
      if (++links > mostLinks) this.refuse("its symbolic links lead in a circle");
      const target = node.target ?? "";
      if (target.startsWith("/")) way.length = 1;
      rest.push(...target.split("/").toReversed());
    }
    return way;
  }

  private rootNode(): IsoNode {
    const { root } = this;
    return {
      name: "",
      type: "directory",
      extents: [root],
      size: root.length,
      target: undefined,
      compressed: false,
    };
  }

  /** The names in the directory at the end of the way. */
  private enter(way: readonly Step[]): Directory {
    const offsets = way.map(({ node }) => node.extents[0]?.offset ?? 0);
    const offset = offsets.at(-1) ?? 0;
    if (offsets.indexOf(offset) !== offsets.length - 1) this.refuse("a directory contains itself");
    const known = this.directories.get(offset);
    if (known !== undefined) return known;
    const directory = this.readDirectory(way.at(-1)?.node ?? this.rootNode());
    this.directories.set(offset, directory);
    return directory;
  }

  private readDirectory(node: IsoNode): Directory {
    const [first, ...others] = node.extents;
    if (first === undefined || others.length > 0) this.refuse("a directory lies in several places");
    const { offset } = first;
    const length = first.length > 0 ? first.length : this.ownLength(offset);
    if (offset < this.volume.dataStart || !isWithin(this.source.size, offset, length)) {
      this.refuse("a directory lies outside of its data");
    }
    if (length > largestDirectory) this.refuse(`a directory has ${length} bytes`);
    if (this.directories.size >= mostDirectories) this.refuse("it has too many directories");
    for (const { extent } of this.directories.values()) {
      if (offset < extent.offset + extent.length && extent.offset < offset + length) {
        this.refuse("its directories overlap");
      }
    }
    const bytes = this.read(offset, length);
    const nodes = new Map<string, IsoNode>();
    for (const node of directoryNodes(bytes, this.rules)) {
      if (++this.nodes > mostNodes) this.refuse("its directories have too many names");
      const key = keyOf(node.name, this.names);
      if (!nodes.has(key)) nodes.set(key, node);
    }
    return { extent: { offset, length }, nodes };
  }

  /** Of a directory that another record only points to: its own record says how long it is. */
  private ownLength(offset: number): number {
    return ownRecord(this.read(offset, sectorSize)).length;
  }

  private continuation(block: number, offset: number, length: number): Uint8Array {
    const { blockSize, dataStart } = this.volume;
    const start = block * blockSize + offset;
    // SUSP 5.1: a continuation area does not cross the end of its block.
    if (offset >= blockSize || length > blockSize - offset || start < dataStart) {
      this.refuse("a directory record is continued outside of a block");
    }
    return this.read(start, length);
  }

  private read(offset: number, length: number): Uint8Array {
    this.bytes += length;
    if (this.bytes > mostBytes) this.refuse(`its directories have more than ${mostBytes} bytes`);
    if (!isWithin(this.source.size, offset, length)) {
      this.refuse("its directories lie beyond its end, so it is cut short");
    }
    return this.source.read(offset, length);
  }

  private refuse(rule: string): never {
    throw cannot(`read the ISO image ${this.path}`, {
      code: "malformed-input",
      details: { path: this.path },
      why: rule,
      hint: "copy or download it again",
    });
  }
}

interface Step {
  readonly name: string;
  readonly node: IsoNode;
}

/** Only POSIX names tell capitals: Linux and GRUB look for all others without. */
function keyOf(name: string, names: IsoNames): string {
  return names === "rock-ridge" ? name : name.toLowerCase();
}

function lookUp(
  nodes: ReadonlyMap<string, IsoNode>,
  name: string,
  names: IsoNames,
): IsoNode | undefined {
  return nodes.get(keyOf(name, names));
}

function quoted({ name }: IsoNode): string {
  return JSON.stringify(name.slice(0, 80));
}
