/** Which entry of a menu is taken, and the files that it names. The same for menus of every kind. */

import { cannot, KexecError } from "../errors.ts";
import type { Listener } from "../listener.ts";
import { defaultEntry, type MenuEntry, notMounted, pickEntry } from "../menu/entry.ts";
import { besideIn } from "./beside.ts";
import type { FileTree, Listing, Menu, Opened, Opening } from "./kind.ts";

/** Ids that a hint names at most. */
const mostNamed = 8;

/** A menu that is read once, when somebody asks for its entries. */
export class MenuReading {
  private listing: Promise<Listing> | undefined;

  constructor(readonly menu: Menu) {}

  list(): Promise<Listing> {
    this.listing ??= (async () => this.menu.list())();
    return this.listing;
  }

  /** Of the menu that an entry leads to; undefined where it leads to none. */
  async below(entry: MenuEntry): Promise<MenuReading | undefined> {
    const menu = await this.menu.below?.(entry);
    return menu && new MenuReading(menu);
  }

  /**
   * Opens the entry that `wanted` names, or the default.
   * @throws KexecError `file-not-found`: there is no such entry, or none can be booted; `usage`:
   *   several are named; those of `Menu.list` and `Menu.open`
   */
  async open(wanted: string | undefined, opening: Opening): Promise<Opened> {
    try {
      return await this.openChosen(wanted, opening);
    } catch (error) {
      await this.menu.failed?.();
      throw error;
    }
  }

  private async openChosen(wanted: string | undefined, opening: Opening): Promise<Opened> {
    const { menu } = this;
    if (wanted === undefined && menu.openDefault !== undefined) return menu.openDefault(opening);
    return menu.open(await this.choose(wanted, opening.listener), opening);
  }

  /** The entry that `open` opens. `listener` hears what is passed over. */
  async choose(wanted: string | undefined, listener: Listener = {}): Promise<MenuEntry> {
    return wanted === undefined ? this.chooseDefault(listener) : this.chooseNamed(wanted);
  }

  private async chooseNamed(wanted: string): Promise<MenuEntry> {
    const { menu } = this;
    const found = menu.find?.(wanted);
    if (found !== undefined) return found;
    const { entries } = await this.list();
    const choice = pickEntry(entries, wanted);
    if (choice.kind === "entry") return choice.entry;
    if (choice.kind === "missed") throw noSuchEntry(menu, wanted, entries);
    const ids = choice.entries.map(({ id, from }) => `${id} (${from})`);
    throw cannot(`choose ${withArticle(menu.noun)} in ${menu.path}`, {
      code: "usage",
      details: { option: "--entry", found: wanted, path: menu.path },
      why: `${wanted} names ${ids.length} of them`,
      hint: `name one by its id, or by its number from 0: ${shortened(ids)}`,
    });
  }

  private async chooseDefault(listener: Listener): Promise<MenuEntry> {
    const { menu } = this;
    const { entries, warnings } = await this.list();
    for (const line of warnings ?? []) listener.warn?.(line);
    const chosen = defaultEntry(entries);
    const missed = entries.find((entry) => entry.default && entry !== chosen);
    if (chosen !== undefined) {
      if (missed !== undefined) {
        listener.warn?.(`the ${menu.noun} ${missed.id} is passed over: ${missed.problem}`);
      }
      return chosen;
    }
    const [first] = entries;
    throw cannot(`choose ${withArticle(menu.noun)} in ${menu.path}`, {
      code: "file-not-found",
      details: { path: menu.path, found: entries.map(({ id }) => id) },
      why: whyNone(entries.length),
      hint: first && hintOfNone(first, entries.length),
    });
  }
}

export function noSuchEntry(
  { noun, path }: Pick<Menu, "noun" | "path">,
  wanted: string,
  entries: readonly { readonly id: string }[],
): KexecError {
  return new KexecError("file-not-found", {
    message: `cannot find the ${noun} ${wanted} in ${path}`,
    details: { path, found: entries.map(({ id }) => id) },
    hint: entries.length === 0 ? null : led(toName, shortened(entries.map(({ id }) => id))),
  });
}

const toName = "give one of its entries";
const toMount = "mount that file system";
/** Characters that a hint may have for somebody at a console: see remedies.ts. */
const mostToRead = 100;

/** A hint with its way first: in one line where that can be read at one look. */
function led(way: string, text: string): string {
  const line = `${way}: ${text}`;
  return line.length <= mostToRead ? line : `${way}\n${text}`;
}

/** The hint where no entry can be booted. */
function hintOfNone({ from, problem }: MenuEntry, count: number): string {
  const why = `${count === 1 ? "" : "the first of them, "}${from}: ${problem}`;
  if (problem?.endsWith(notMounted) === true) return `${toMount}\n${why}`;
  return why.length <= mostToRead ? why : `choose another, or mend what is wrong with it\n${why}`;
}

/** The hint where an entry that was named cannot be booted. */
export function whereItStands({ from, problem }: Pick<MenuEntry, "from" | "problem">): string {
  const place = `it stands in ${from}`;
  return problem?.endsWith(notMounted) === true ? `${toMount}\n${place}` : place;
}

function whyNone(count: number): string {
  if (count === 0) return "it has no entries";
  return count === 1
    ? "its only entry cannot be booted here"
    : `none of its ${count} entries can be booted here`;
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function shortened(ids: readonly string[]): string {
  return `${ids.slice(0, mostNamed).join(", ")}${ids.length > mostNamed ? " and others" : ""}`;
}

/**
 * Opens the files of an entry whose paths count from the root of one tree.
 * @throws KexecError `malformed-input` where the entry has a problem; those of `FileTree.open`
 */
export function openEntryFiles(
  entry: MenuEntry,
  tree: FileTree,
  noun: string,
  { held }: Opening,
): Opened {
  const { kernel, problem } = entry;
  if (kernel === undefined || problem !== undefined) {
    throw cannot(`load the ${noun} ${entry.id}`, {
      code: "malformed-input",
      details: { path: entry.from },
      why: problem ?? "it names no kernel",
      hint: whereItStands(entry),
    });
  }
  const opened = (path: string, what: string) => ({
    file: held.use(tree.open(path, what)),
    expected: undefined,
    openBeside: besideIn(tree, path),
  });
  return {
    kernel: opened(kernel, "kernel"),
    initrds: entry.initrds.map((path) => opened(path, "initramfs")),
    cmdline: entry.cmdline,
    entry: { path: `${tree.path.replace(/\/$/, "")}/${entry.from}`, facts: undefined },
  };
}
