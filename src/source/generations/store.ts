/** A store: a directory of generations, each a folder with its manifest. The highest that verifies is taken. */
import { cannot, KexecError } from "../../errors.ts";
import { tryOrder } from "../../menu/generations.ts";
import type {
  FileTree,
  FoundTree,
  Generation,
  Listing,
  Menu,
  Opened,
  Opening,
  Reader,
} from "../kind.ts";
import { generationOf, manifestReader } from "../manifest.ts";
import { canWrite, countDown } from "../menus/afterwards.ts";
import {
  hasGenerations,
  manifestIn,
  placeOf,
  readGenerations,
  runningPlace,
  type StoredGeneration,
  shown,
  whyNot,
} from "./stored.ts";

export const storeReader = {
  menu: (found: FoundTree, opening: Opening) => new Store(found, opening),
  generation: (found: FoundTree, opening: Opening, entry: string | undefined) =>
    new Store(found, opening).generation(entry, opening),
} satisfies Reader<FoundTree>;

export function isStore({ tree }: FoundTree): boolean {
  try {
    return hasGenerations(tree);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    // A folder that cannot be read may be one whose journal was not replayed: who chooses from it tells.
    return error.code === "io-error";
  }
}

export class Store implements Menu<StoredGeneration> {
  readonly noun = "generation";
  private tree: FileTree;
  private reopen: FoundTree["reopen"];
  private readonly verdicts = new Map<string, Promise<KexecError | undefined>>();
  private told = false;

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
        ...(running !== undefined && running === placeOf(this.tree, one)
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
    const opened = await manifestReader.open(manifestIn(this.tree, one, opening.held), opening);
    const { listener } = opening;
    listener.note?.(`generation ${one.generation}: ${one.name}`);
    const down = countDown(this.tree, one.name, false);
    return {
      ...opened,
      afterwards: down === undefined ? [] : [{ ...down, counts: true }],
      from: placeOf(this.tree, one),
    };
  }

  async openDefault(opening: Opening): Promise<Opened> {
    try {
      this.readyToCount(opening);
      return await this.open(await this.chooseDefault(opening), opening);
    } catch (error) {
      // Without its journal's replay what is good may look damaged.
      if (!(error instanceof KexecError) || !this.reopened(opening)) throw error;
      opening.listener.warn?.(`${error.message}; looking again, with the journal replayed`);
      return this.open(await this.chooseDefault(opening), opening);
    }
  }

  /** What `fetch` takes of it. @throws KexecError */
  async generation(entry: string | undefined, opening: Opening): Promise<Generation> {
    const one = entry === undefined ? await this.chooseDefault(opening) : this.find(entry);
    if (one !== undefined) return generationOf(manifestIn(this.tree, one, opening.held), opening);
    const { noSuchEntry } = await import("../choose.ts");
    throw noSuchEntry(this, entry ?? "", this.stored());
  }

  async blessedAbove(generation: number): Promise<StoredGeneration | undefined> {
    for (const one of this.stored()) {
      // What has a counter was not blessed; what cannot be read has no number.
      const counts = one.triesLeft === undefined && one.broken === undefined;
      if (!counts || one.generation <= generation) continue;
      if ((await this.whyNot(one)) === undefined) return one;
    }
    return undefined;
  }

  private async chooseDefault({ listener }: Opening): Promise<StoredGeneration> {
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
      return one;
    }
    throw cannot(`take a generation of ${this.path}`, {
      code: first?.code ?? "file-not-found",
      details: first === undefined ? { path: this.path } : undefined,
      why: whyNoneOf(order.length, first),
      hint: first?.hint,
    });
  }

  private stored(): readonly StoredGeneration[] {
    // What it has to say, it says once.
    const { listener } = this.opening;
    const found = readGenerations(this.tree, this.told ? {} : listener);
    this.told = true;
    return found;
  }

  /** Why it does not verify; each is judged once. */
  private whyNot(one: StoredGeneration): Promise<KexecError | undefined> {
    const known = this.verdicts.get(one.name) ?? whyNot(this.tree, one, this.opening);
    this.verdicts.set(one.name, known);
    return known;
  }

  /**
   * Has the disk mounted so that tries can be counted, where there are any. What was seen before is not
   * believed any more: the journal may hold another count.
   * @returns whether it was mounted anew
   */
  private readyToCount(opening: Opening): boolean {
    const counts = ({ triesLeft }: StoredGeneration) => triesLeft !== undefined && triesLeft > 0;
    return this.reopen !== undefined && this.stored().some(counts) && this.reopened(opening);
  }

  /** Mounts the disk anew, writable, where it is to be started from. @returns whether it was */
  private reopened({ starts }: Opening): boolean {
    const { reopen } = this;
    if (!starts || reopen === undefined) return false;
    this.tree = reopen().tree;
    this.reopen = undefined;
    this.verdicts.clear();
    return true;
  }

  private canCount(): boolean {
    return canWrite({ tree: this.tree, path: "" });
  }
}

/** What is below the floor may verify, and is not taken either. */
function whyNoneOf(count: number, first: KexecError | undefined): string {
  if (first === undefined) return `none of its ${count} can be taken`;
  return count === 1
    ? `its only one cannot be taken: ${first.message}`
    : `none of its ${count} can be taken; of the first: ${first.message}`;
}

function isUsedUp(other: StoredGeneration, taken: StoredGeneration): boolean {
  return other.triesLeft === 0 && other !== taken && other.generation > taken.generation;
}
