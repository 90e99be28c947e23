/**
 * A list of a menu's entries to choose from, on a terminal: arrows or digits, Enter, `i` to look at one.
 * Plain text and two escape sequences of the VT100, so that a serial line will do.
 */
import { cannot } from "../errors.ts";
import { isTerminal } from "../linux/device/terminal.ts";

export interface Choice {
  readonly id: string;
  readonly title: string;
  /** Why it cannot be booted. */
  readonly problem: string | undefined;
}

export interface Chooser {
  readonly selected: number;
  /** Digits so far. */
  readonly typed: string;
  /** Seconds until the selected one is taken; undefined: none are counted. */
  readonly left: number | undefined;
  /** Said below the list. */
  readonly message: string;
}

export type Key =
  | "up"
  | "down"
  | "first"
  | "last"
  | "take"
  | "inspect"
  | "leave"
  | "other"
  | number;
export type Outcome = "taken" | "left" | "inspect" | undefined;

/** A line holds one column less than the terminal, which would wrap after the last one. */
const width = 79;
/** Entries that are shown at once: with head and foot they fit 25 lines. */
const mostShown = 18;

const sequences: Readonly<Record<string, Key>> = {
  A: "up",
  B: "down",
  H: "first",
  F: "last",
};

/** Keys in what a terminal sends; a sequence that is not known is one key without a meaning. */
export function keysOf(text: string): readonly Key[] {
  const keys: Key[] = [];
  const parts = text.matchAll(/\x1b[[O][0-9;]*([A-Za-z~])|\x1b|[^\x1b]/gs);
  for (const [part, final] of parts) {
    if (final !== undefined) keys.push(sequences[final] ?? "other");
    else if (/^[0-9]$/.test(part)) keys.push(Number(part));
    else if (part === "\r" || part === "\n") keys.push("take");
    else if (part === "k") keys.push("up");
    else if (part === "j") keys.push("down");
    else if (part === "i") keys.push("inspect");
    // Ctrl-C and Ctrl-D, which are but characters in raw mode.
    else if (part === "q" || part === "\x1b" || part === "\x03" || part === "\x04") {
      keys.push("leave");
    } else keys.push("other");
  }
  return keys;
}

/** What a key does; any key stops the countdown. */
export function press(
  before: Chooser,
  key: Key,
  choices: readonly Choice[],
): { readonly state: Chooser; readonly outcome: Outcome } {
  const last = choices.length - 1;
  const state = { ...before, left: undefined, message: "", typed: "" };
  const at = (selected: number) => ({
    state: { ...state, selected: Math.min(last, Math.max(0, selected)) },
    outcome: undefined,
  });
  if (typeof key === "number") {
    // Digits go on as long as they name an entry; then a new number begins.
    const longer = `${before.typed}${key}`;
    const typed = Number(longer) <= last ? longer : String(key);
    if (Number(typed) > last) {
      return { state: { ...state, message: `there is no entry ${typed}` }, outcome: undefined };
    }
    return { state: { ...state, selected: Number(typed), typed }, outcome: undefined };
  }
  switch (key) {
    case "up":
      return at(before.selected - 1);
    case "down":
      return at(before.selected + 1);
    case "first":
      return at(0);
    case "last":
      return at(last);
    case "inspect":
      return { state, outcome: "inspect" };
    case "leave":
      return { state, outcome: "left" };
    case "take":
      return take(state, choices);
    case "other":
      return { state, outcome: undefined };
  }
}

function take(state: Chooser, choices: readonly Choice[]) {
  const problem = choices[state.selected]?.problem;
  return problem === undefined
    ? { state, outcome: "taken" as const }
    : { state: { ...state, message: `it cannot be booted: ${problem}` }, outcome: undefined };
}

/** A second of the countdown. */
export function tick(state: Chooser, choices: readonly Choice[]) {
  if (state.left === undefined) return { state, outcome: undefined };
  if (state.left > 1) return { state: { ...state, left: state.left - 1 }, outcome: undefined };
  return take({ ...state, left: undefined }, choices);
}

/** The lines that are shown; each fits the terminal, and none can command it. */
export function view(
  { selected, typed, left, message }: Chooser,
  choices: readonly Choice[],
): readonly string[] {
  const start = Math.max(0, Math.min(selected - (mostShown >> 1), choices.length - mostShown));
  const digits = String(choices.length - 1).length;
  const rows = choices.slice(start, start + mostShown).map(({ id, title, problem }, index) => {
    const number = start + index;
    const mark = number === selected ? ">" : " ";
    const doubt = problem === undefined ? "" : "  (cannot be booted)";
    const room = width - digits - 4 - doubt.length;
    return `${mark} ${String(number).padStart(digits)}  ${cut(title === "" ? id : title, room)}${doubt}`;
  });
  const hidden = choices.length - rows.length;
  const help = "arrows or digits, Enter to boot, i to inspect, q to leave";
  return [
    hidden > 0 ? `${choices.length} entries, ${rows.length} of them shown` : "Boot which?",
    ...rows,
    left === undefined ? help : `${help}; booting in ${left} s`,
    cut(message !== "" ? message : typed === "" ? "" : `entry ${typed}`, width),
  ];
}

function cut(text: string, room: number): string {
  const plain = text.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
  return plain.length <= room ? plain : `${plain.slice(0, room - 3)}...`;
}

export interface ChooserOptions {
  readonly choices: readonly Choice[];
  /** The default. */
  readonly selected: number;
  readonly timeout: number | undefined;
  /** Text about an entry. */
  inspect(index: number): Promise<string>;
}

/** @throws KexecError `usage` where there is no terminal to choose on */
export function requireTerminal(): void {
  if (isTerminal(0) && isTerminal(2)) return;
  throw cannot("show a menu", {
    code: "usage",
    why: "standard input and standard error are not both a terminal",
    hint: "leave --menu out to take the default, or name an entry with --entry",
  });
}

/**
 * Shows the list on standard error until one is chosen.
 * @returns its index
 * @throws KexecError `usage` where it is left without a choice
 */
export async function choose(options: ChooserOptions): Promise<number> {
  const { choices, selected, timeout, inspect } = options;
  const left = timeout === undefined || timeout <= 0 ? undefined : timeout;
  let state: Chooser = { selected, typed: "", left, message: "" };
  if (timeout === 0) return selected;
  let shown = 0;
  const write = (text: string) => process.stderr.write(text);
  const draw = () => {
    const lines = view(state, choices);
    // Up to the first of the lines that are shown, and everything from there erased.
    const up = shown === 0 ? "" : `\r\x1b[${shown}A\x1b[J`;
    write(`${up}${lines.join("\r\n")}\r\n`);
    shown = lines.length;
  };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let busy = false;
  const turn = async (result: { readonly state: Chooser; readonly outcome: Outcome }) => {
    state = result.state;
    if (result.outcome === "taken") resolve(state.selected);
    else if (result.outcome === "left") {
      reject(cannot("boot", { code: "usage", why: "no entry was chosen" }));
    } else if (result.outcome === "inspect") {
      busy = true;
      write("\r\n");
      write(`${(await inspect(state.selected)).replaceAll("\n", "\r\n")}\r\n`);
      shown = 0;
      busy = false;
    }
    draw();
  };
  const onData = (chunk: Buffer) => {
    for (const key of keysOf(chunk.toString("latin1"))) {
      if (!busy) void turn(press(state, key, choices)).catch(reject);
    }
  };
  const clock = setInterval(() => {
    if (!busy && state.left !== undefined) void turn(tick(state, choices)).catch(reject);
  }, 1000);
  process.stdin.setRawMode(true);
  process.stdin.on("data", onData);
  // A second list, after the pause of the first.
  process.stdin.resume();
  draw();
  try {
    return await promise;
  } finally {
    clearInterval(clock);
    process.stdin.off("data", onData);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}
