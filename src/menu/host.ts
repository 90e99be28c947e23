/**
 * What the reader of a menu asks of the machine, and what a menu comes to. Readers do no I/O: who has
 * the files, of a disk or inside an ISO image, answers for them.
 */

/** A file where a menu sees it: a device by the name that the host gave it, and a path from its root. */
export interface MenuPlace {
  readonly device: string;
  /** Begins with a slash. */
  readonly path: string;
}

export interface MenuHost {
  /**
   * Devices in the order in which `search` looks at them, that of the menu first. The names are the
   * host's: no script can tell `hd0` from `source`.
   */
  readonly devices: readonly string[];
  /** What is at a place, and the size of a file. Undefined: nothing, or not to be read. */
  status(place: MenuPlace): MenuStatus | undefined;
  /** At most `limit` bytes of a file, all of a shorter one; undefined where it cannot be read. */
  read(place: MenuPlace, limit: number): Uint8Array | undefined;
  /** Names in a directory, in any order; undefined where there is none. */
  names(place: MenuPlace): readonly string[] | undefined;
  /** What is known of a device's file system; empty where nothing is. */
  facts(device: string): DeviceFacts;
  /**
   * `loopback NAME FILE`: what the device is called that an image is, in places and nowhere else. Undefined,
   * or a host without it: such an image cannot be opened.
   */
  loopback?(image: MenuPlace): string | undefined;
}

export interface MenuStatus {
  readonly kind: "file" | "directory";
  readonly size: number;
}

/** As `probe` gives them: `fs-uuid`, `label`, `fs`, `part-uuid`. */
export interface DeviceFacts {
  readonly uuid?: string | undefined;
  readonly label?: string | undefined;
  readonly type?: string | undefined;
  readonly partUuid?: string | undefined;
}

/** What a script would write into an environment block: `save_env`. */
export interface MenuWrite {
  readonly file: MenuPlace;
  /** In the order of the script; undefined takes a variable out. */
  readonly variables: ReadonlyMap<string, string | undefined>;
}

/** An entry of the menu or of a submenu, as running its block leaves it. */
export interface ReadEntry {
  /**
   * `--id`, else the title; behind those of its submenus, each with `>` between, and `>>` where a name
   * has one: what `grub-set-default` takes.
   */
  readonly id: string;
  /** `--id` or title without the submenus. */
  readonly ownId: string;
  readonly title: string;
  /** Titles of the submenus around it, from the outermost. */
  readonly menus: readonly string[];
  /** As GRUB counts, from 0 in each menu: `1>2`. */
  readonly number: string;
  /** File and line of the block. */
  readonly from: string;
  readonly kernel: MenuPlace | undefined;
  /** The kernel is a program of EFI (`chainloader`): it boots where it is a UKI or a kernel itself. */
  readonly chained: boolean;
  readonly initrds: readonly MenuPlace[];
  readonly cmdline: string;
  readonly deviceTree: MenuPlace | undefined;
  /** Why it cannot be booted here. */
  readonly problem: string | undefined;
  /** What its block would write, `savedefault` or `recordfail`. */
  readonly writes: readonly MenuWrite[];
}

export interface ReadMenu {
  /** Submenus are not entries; what is in them is, in place. */
  readonly entries: readonly ReadEntry[];
  /** The entry that GRUB starts by itself; undefined in an empty menu. */
  readonly default: number | undefined;
  /** What made it the default: `default=1>2`. */
  readonly why: string;
  /** Whether it is the default this time only (`next_entry`), and `writes` takes that back. */
  readonly oneShot: boolean;
  /** Entries that are tried, in this order, where the default fails. */
  readonly fallback: readonly number[];
  /** Seconds that the menu is shown; undefined: until a key is pressed. */
  readonly timeout: number | undefined;
  /** What reading the menu would write, as `next_entry`. */
  readonly writes: readonly MenuWrite[];
  /** It has no entries because evaluating it goes beyond a limit of ours: the last note tells which. */
  readonly beyondBounds?: boolean;
  /** What could not be evaluated, with file and line. */
  readonly notes: readonly string[];
}

/** The writes of one file are one: the last value of a variable counts. */
export function addWrite(writes: readonly MenuWrite[], added: MenuWrite): MenuWrite[] {
  const { device, path } = added.file;
  const same = writes.find(({ file }) => file.device === device && file.path === path);
  if (same === undefined) return [...writes, added];
  const variables = new Map([...same.variables, ...added.variables]);
  return writes.map((write) => (write === same ? { file: write.file, variables } : write));
}
