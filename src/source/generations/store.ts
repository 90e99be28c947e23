/** A store: a directory of generations, each a folder with its manifest. The highest that verifies is taken. */
import { cannot, KexecError } from "../../errors.ts";
import { sha256Of } from "../../image/bytes.ts";
import { readText } from "../../linux/descriptor.ts";
import { fromPlaceIn } from "../../menu/counting.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import {
  compareGenerations,
  type StoredName,
  storedNames,
  tryOrder,
} from "../../menu/generations.ts";
import { maxManifestSize, parseManifest } from "../../trust/manifest.ts";
import type {
  FileTree,
  FoundFile,
  FoundTree,
  Listing,
  Menu,
  Opened,
  Opening,
  Reader,
} from "../kind.ts";
import { manifestReader } from "../manifest.ts";
import { canWrite, countDown } from "../menus/afterwards.ts";
import { lastingPlace } from "../menus/mounted.ts";
import { beginningOf } from "../open-file.ts";

/** Names in a store, and in the folder of a generation. */
const mostNames = 4096;
/** Generations that are looked at: a store keeps a few. */
const mostGenerations = 256;
const manifestName = "boot.json";
/** Above every number that a manifest may have: what cannot be read may be the newest, and is told first. */
const unknown = 2 ** 53;

export interface StoredGeneration extends MenuEntry, StoredName {
  /** As its manifest says, which nobody has verified yet; `unknown` where that cannot be read. */
  readonly generation: number;
  /** Why its manifest cannot be read. */
  readonly broken: KexecError | undefined;
}

export const storeReader = {
  menu: (found: FoundTree, opening: Opening) => new Store(found, opening),
} satisfies Reader<FoundTree>;

export function isStore({ tree }: FoundTree): boolean {
  try {
    return candidates(tree).some(({ name }) => hasManifest(tree, name));
  } catch (error) {
    if (error instanceof KexecError) return false;
    throw error;
  }
}

function candidates(tree: FileTree): readonly StoredName[] {
  return storedNames(tree.names("", mostNames) ?? []).slice(0, mostGenerations);
}

function hasManifest(tree: FileTree, name: string): boolean {
  return tree.names(name, mostNames)?.includes(manifestName) === true;
}

export class Store implements Menu<StoredGeneration> {
  readonly noun = "generation";
  private tree: FileTree;
  private reopen: FoundTree["reopen"];
  private readonly verdicts = new Map<string, Promise<KexecError | undefined>>();

  constructor(
    { tree, reopen }: FoundTree,
    private readonly opening: Opening,
  ) {
    this.tree = tree;
    this.reopen = reopen;
  }

  get path(): string {
    return this.tree.path;
  }

  /** Each with its verdict: all of their files are read. */
  async list(): Promise<Listing<StoredGeneration>> {
    const stored = this.stored();
    const judged: StoredGeneration[] = [];
    for (const one of stored) {
      const why = await this.whyNot(one);
      judged.push({ ...one, problem: why?.message });
    }
    const order = tryOrder(judged, this.canCount() || this.reopen !== undefined);
    const running = runningPlace();
    const first = order.find(({ problem }) => problem === undefined);
    return {
      entries: judged.map((one) => ({
        ...one,
        default: one === first,
        ...(running !== undefined && running === this.lasting(one)
          ? { title: `${one.title ?? one.name} (running)` }
          : {}),
      })),
      why: "the highest generation that verifies and has tries left",
    };
  }

  /** By its folder's name, with its counter or without. */
  find(id: string): StoredGeneration | undefined {
    return this.stored().find((one) => one.id === id || one.name === id);
  }

  async open(chosen: StoredGeneration, opening: Opening): Promise<Opened> {
    const one = this.readyToCount(opening) ? (this.find(chosen.id) ?? chosen) : chosen;
    const opened = await manifestReader.open(this.foundIn(one, opening.held), opening);
    const { listener } = opening;
    listener.note?.(`generation ${one.generation}: ${one.name}`);
    const down = countDown(this.tree, one.name, false);
    return {
      ...opened,
      afterwards: down === undefined ? [] : [down],
      from: this.lasting(one),
    };
  }

  /** Where the next system finds it, whatever its counter is by then. */
  private lasting({ id }: StoredName): string {
    const { canonicalPath, lasting } = this.tree;
    const place = `${(lasting ?? canonicalPath).replace(/\/$/, "")}/${id}`;
    return place.startsWith("/") ? lastingPlace(place) : place;
  }

  async openDefault(opening: Opening): Promise<Opened> {
    const { listener } = opening;
    this.readyToCount(opening);
    const canCount = this.canCount();
    const order = tryOrder(this.stored(), canCount);
    let first: KexecError | undefined;
    for (const one of order) {
      const why = await this.whyNot(one);
      if (why !== undefined) {
        first ??= why;
        listener.warn?.(`generation ${shown(one)} is passed over: ${why.message}`);
        continue;
      }
      for (const other of order) {
        if (isUsedUp(other, one)) {
          listener.warn?.(`generation ${shown(other)} is passed over: it has no tries left`);
        }
      }
      if (one.triesLeft === 0) {
        listener.warn?.(
          `generation ${shown(one)} is the last resort: none with tries left verifies`,
        );
      } else if (one.triesLeft !== undefined && !canCount) {
        listener.warn?.(
          `generation ${shown(one)} is taken though its tries cannot be counted: no other verifies`,
        );
      }
      return this.open(one, opening);
    }
    throw cannot(`boot a generation of ${this.path}`, {
      code: first?.code ?? "file-not-found",
      why: `none of its ${order.length} verifies${first === undefined ? "" : `; of the first: ${first.message}`}`,
      ...(first?.hint === undefined ? {} : { hint: first.hint }),
    });
  }

  /** In the order of their numbers, the highest first. */
  private stored(): readonly StoredGeneration[] {
    const { tree } = this;
    return candidates(tree)
      .filter(({ name }) => hasManifest(tree, name))
      .map((name) => this.read(name))
      .sort(compareGenerations);
  }

  private read(stored: StoredName): StoredGeneration {
    const from = `${stored.name}/${manifestName}`;
    const common = { ...stored, default: false, problem: undefined, from };
    try {
      using file = this.tree.open(from, "manifest");
      const bytes = file.read(0, Math.min(file.size, maxManifestSize + 1));
      const { generation, kernel, initrds, cmdline } = parseManifest(bytes, file.path);
      return {
        ...common,
        generation,
        title: `generation ${generation}`,
        kernel: `${stored.name}/${kernel.path}`,
        initrds: initrds.map(({ path }) => `${stored.name}/${path}`),
        cmdline,
        broken: undefined,
      };
    } catch (broken) {
      if (!(broken instanceof KexecError)) throw broken;
      const nameless = { generation: unknown, title: undefined };
      return { ...common, ...nameless, kernel: undefined, initrds: [], cmdline: undefined, broken };
    }
  }

  /** Why it does not verify; each is judged once. */
  private whyNot(one: StoredGeneration): Promise<KexecError | undefined> {
    const known = this.verdicts.get(one.name) ?? this.judge(one);
    this.verdicts.set(one.name, known);
    return known;
  }

  private async judge(one: StoredGeneration): Promise<KexecError | undefined> {
    if (one.broken !== undefined) return one.broken;
    using held = new DisposableStack();
    try {
      const { architecture } = this.opening;
      const found = this.foundIn(one, held);
      const { kernel, initrds, manifest } = await manifestReader.open(found, {
        ...this.opening,
        held,
      });
      const wanted = manifest?.manifest.architecture;
      if (wanted !== architecture) {
        return cannot(`load ${found.file.path}`, {
          code: "wrong-architecture",
          why: `it is for ${wanted}, and this machine is ${architecture}`,
        });
      }
      for (const { file, expected } of [kernel, ...initrds]) {
        if (expected === undefined || sha256Of(file) === expected.sha256) continue;
        return cannot(`use ${file.path}`, {
          code: "digest-mismatch",
          why: "its SHA-256 is not the one in the manifest",
        });
      }
      return undefined;
    } catch (error) {
      if (error instanceof KexecError) return error;
      throw error;
    }
  }

  private foundIn({ name }: StoredGeneration, held: DisposableStack): FoundFile {
    const { tree } = this;
    const path = `${name}/${manifestName}`;
    const file = held.use(tree.open(path, "manifest"));
    return {
      file,
      beginning: beginningOf(file),
      openBelow: (other, what) => tree.open(`${name}/${other}`, what),
      openBeside: (suffix, what) => tree.open(`${path}${suffix}`, what),
      treeAbove: () => undefined,
    };
  }

  /**
   * Has the disk mounted so that tries can be counted, where there are any. What was seen before is not
   * believed any more: the journal may hold another count.
   * @returns whether it was mounted anew
   */
  private readyToCount({ starts }: Opening): boolean {
    const { reopen } = this;
    if (!starts || reopen === undefined) return false;
    if (!this.stored().some(({ triesLeft }) => triesLeft !== undefined && triesLeft > 0)) {
      return false;
    }
    this.tree = reopen().tree;
    this.reopen = undefined;
    this.verdicts.clear();
    return true;
  }

  private canCount(): boolean {
    return canWrite({ tree: this.tree, path: "" });
  }
}

/** What the running system was started from. */
function runningPlace(): string | undefined {
  const cmdline = readText("/proc/cmdline");
  return cmdline.ok ? fromPlaceIn(cmdline.text.split(/\s+/)) : undefined;
}

function isUsedUp(other: StoredGeneration, taken: StoredGeneration): boolean {
  return other.triesLeft === 0 && other !== taken && other.generation > taken.generation;
}

function shown({ generation, name }: StoredGeneration): string {
  return generation === unknown ? name : `${generation} (${name})`;
}
