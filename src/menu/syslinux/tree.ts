/** Labels of syslinux and the menus that they stand in. Pure. */

/** A LABEL, as it stands. */
export interface Label {
  readonly kind: "label";
  readonly label: string;
  /** File and line. */
  readonly from: string;
  /** The keyword that names what is started: `kernel`, `linux`, `com32`, `config`, `localboot`. */
  type: string;
  /** Behind that keyword: a file, and often words for its command line. */
  command: string;
  append: string | undefined;
  initrd: string | undefined;
  deviceTree: string | undefined;
  title: string | undefined;
  isDisabled: boolean;
  isHidden: boolean;
  /** `MENU GOTO`, `EXIT`, `QUIT`, `HELP`: it starts nothing. */
  action: string | undefined;
}

export interface Level {
  readonly kind: "menu";
  /** Behind `MENU BEGIN`. */
  readonly tag: string;
  readonly parent: Level | undefined;
  readonly items: (Label | Level)[];
  title: string | undefined;
  /** The item that `MENU DEFAULT` names. */
  default: Label | Level | undefined;
  onTimeout: string | undefined;
  timeout: number;
}

/** A label of which nothing more is said: its name is its kernel. */
export function labelOf(label: string, command: string, from: string): Label {
  return {
    kind: "label",
    label,
    from,
    type: "kernel",
    command,
    append: undefined,
    initrd: undefined,
    deviceTree: undefined,
    title: undefined,
    isDisabled: false,
    isHidden: false,
    action: undefined,
  };
}

export function menuOf(tag: string, parent: Level | undefined): Level {
  const empty = { title: undefined, default: undefined, onTimeout: undefined, timeout: 0 };
  return { kind: "menu", tag, parent, items: [], ...empty };
}
