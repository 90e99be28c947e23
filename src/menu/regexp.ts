/**
 * POSIX extended regular expressions for `regexp` of GRUB, by a matcher of our own: what a menu holds
 * is not trusted, and a RegExp may take time without end. Greedy, as GRUB's on all but pathological
 * patterns. Pure.
 */

type Node =
  | { readonly kind: "character"; readonly test: (character: string) => boolean }
  | { readonly kind: "start" | "end" }
  | { readonly kind: "group"; readonly index: number; readonly choices: readonly Node[][] }
  | { readonly kind: "repeat"; readonly node: Node; readonly least: number; readonly most: number };

const deepest = 32;
const mostSteps = 100_000;
/** Nodes that wait for what is behind them, each with some frames on the stack. */
const mostWaiting = 4000;
const mostRepeats = 255;
/** Of a pattern and of a text: no line of a menu is longer. */
const longest = 1024;

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  digit: /[0-9]/,
  lower: /[a-z]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/**
 * The matches of the whole and of each group in `text`; null where it does not match, undefined where
 * the pattern is malformed or takes too long.
 * @param spend Is told afterwards how many steps it took: at most some more than `mostSteps`.
 */
export function matchExtended(
  pattern: string,
  text: string,
  spend: (steps: number) => void = () => {},
): readonly (string | undefined)[] | null | undefined {
  const compiled = compile(pattern);
  if (compiled === undefined) {
    spend(Math.min(pattern.length, longest));
    return undefined;
  }
  let steps = pattern.length;
  let waiting = 0;
  const groups: ([number, number] | undefined)[] = [];
  let tooLong = false;

  /** Goes on with `rest` where `node` matches at `at`. */
  const matchNode = (node: Node, at: number, rest: (at: number) => boolean): boolean => {
    steps += 1;
    if (steps > mostSteps || waiting >= mostWaiting) tooLong = true;
    if (tooLong) return false;
    waiting += 1;
    const matched = matchKind(node, at, rest);
    waiting -= 1;
    return matched;
  };
  const matchKind = (node: Node, at: number, rest: (at: number) => boolean): boolean => {
    switch (node.kind) {
      case "start":
        return at === 0 && rest(at);
      case "end":
        return at === text.length && rest(at);
      case "character":
        return at < text.length && node.test(text[at] ?? "") && rest(at + 1);
      case "group":
        return node.choices.some((choice) => {
          const before = groups[node.index];
          const matched = matchAll(choice, 0, at, (end) => {
            const inner = groups[node.index];
            groups[node.index] = [at, end];
            if (rest(end)) return true;
            groups[node.index] = inner;
            return false;
          });
          if (!matched) groups[node.index] = before;
          return matched;
        });
      case "repeat":
        return matchRepeat(node, 0, at, rest);
    }
  };
  const matchAll = (
    nodes: readonly Node[],
    from: number,
    at: number,
    rest: (at: number) => boolean,
  ): boolean => {
    const node = nodes[from];
    if (node === undefined) return rest(at);
    return matchNode(node, at, (next) => matchAll(nodes, from + 1, next, rest));
  };
  const matchRepeat = (
    node: Extract<Node, { kind: "repeat" }>,
    done: number,
    at: number,
    rest: (at: number) => boolean,
  ): boolean => {
    const more =
      done < node.most &&
      matchNode(
        node.node,
        at,
        // One that takes nothing would be repeated without end: all that are still due take nothing too.
        (next) =>
          next > at ? matchRepeat(node, done + 1, next, rest) : done < node.least && rest(next),
      );
    return more || (done >= node.least && rest(at));
  };

  // The stack grows with the text.
  if (text.length > longest) return undefined;
  let found = false;
  for (let start = 0; start <= text.length && !found && !tooLong; start += 1) {
    groups.length = 0;
    found = matchNode(compiled.root, start, () => true);
  }
  spend(steps);
  // One that was given up may have matched with less than it would have taken.
  if (tooLong) return undefined;
  if (found) {
    return Array.from({ length: compiled.groups }, (_, index) => {
      const range = groups[index];
      return range === undefined ? undefined : text.slice(...range);
    });
  }
  return null;
}

interface Compiled {
  readonly root: Node;
  readonly groups: number;
}

function compile(pattern: string): Compiled | undefined {
  let at = 0;
  let groups = 0;
  if (pattern.length > longest) return undefined;

  const alternatives = (depth: number): Node | undefined => {
    const index = groups;
    groups += 1;
    const choices: Node[][] = [[]];
    if (depth > deepest) return undefined;
    while (at < pattern.length && !(pattern[at] === ")" && depth > 0)) {
      if (pattern[at] === "|") {
        at += 1;
        choices.push([]);
        continue;
      }
      const node = repeated(depth);
      if (node === undefined) return undefined;
      choices.at(-1)?.push(node);
    }
    return { kind: "group", index, choices };
  };

  const repeated = (depth: number): Node | undefined => {
    let node = atom(depth);
    while (node !== undefined) {
      const found = /^(?:([*+?])|\{([0-9]+)(,?)([0-9]*)\})/.exec(pattern.slice(at, at + 16));
      if (found === null) return node;
      at += found[0].length;
      const [, sign, least = "0", comma, most = ""] = found;
      const lower = sign === undefined ? Number(least) : sign === "+" ? 1 : 0;
      const upper =
        sign === "?"
          ? 1
          : sign !== undefined || (comma === "," && most === "")
            ? Number.POSITIVE_INFINITY
            : Number(comma === "," ? most : least);
      if (lower > mostRepeats || (upper > mostRepeats && upper !== Number.POSITIVE_INFINITY)) {
        return undefined;
      }
      node = { kind: "repeat", node, least: lower, most: upper };
    }
    return undefined;
  };

  const atom = (depth: number): Node | undefined => {
    const character = pattern[at] ?? "";
    at += 1;
    switch (character) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "character", test: () => true };
      case "(": {
        const group = alternatives(depth + 1);
        if (pattern[at] !== ")") return undefined;
        at += 1;
        return group;
      }
      case "[":
        return bracket();
      case "*":
      case "+":
      case "?":
        return undefined;
      case "\\": {
        const next = pattern[at];
        at += 1;
        if (next === undefined) return undefined;
        return { kind: "character", test: (other) => other === next };
      }
      default:
        return { kind: "character", test: (other) => other === character };
    }
  };

  const bracket = (): Node | undefined => {
    const found = /^(\^?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]/.exec(pattern.slice(at));
    if (found === null) return undefined;
    at += found[0].length;
    const [, not = "", members = ""] = found;
    const tests: ((character: string) => boolean)[] = [];
    const part = /\[:([a-z]+):\]|(.)-(.)|(.)/gsu;
    for (const [, name, first, last, single] of members.matchAll(part)) {
      if (name !== undefined) {
        const set = Object.hasOwn(classes, name) ? classes[name] : undefined;
        if (set === undefined) return undefined;
        tests.push((character) => set.test(character));
      } else if (first !== undefined && last !== undefined) {
        tests.push((character) => first <= character && character <= last);
      } else {
        tests.push((character) => character === single);
      }
    }
    return {
      kind: "character",
      test: (character) => tests.some((test) => test(character)) !== (not === "^"),
    };
  };

  const root = alternatives(0);
  return root === undefined || at < pattern.length ? undefined : { root, groups };
}
