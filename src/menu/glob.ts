/**
 * Patterns of file names as fnmatch(3) without flags: `*`, `?`, `[a-z]`, `[!a-z]` and a backslash.
 * Pure, and linear in pattern times text.
 */

/** Whether all of `text` matches `pattern`. */
export function globMatches(pattern: string, text: string): boolean {
  return globOf(pattern)(text);
}

/**
 * What tells whether all of a text matches `pattern`, which is taken apart once for all of them. Only what is
 * behind the last star so far is tried at several places: an earlier place of what is before it leaves more.
 */
export function globOf(pattern: string): (text: string) => boolean {
  const parts = partsOf(pattern);
  return parts === undefined ? () => false : (text) => partsMatch(parts, text);
}

function partsMatch(parts: readonly Part[], text: string): boolean {
  let [part, at] = [0, 0];
  // Where to go on after the last star: it takes one character more each time.
  let [star, taken] = [-1, 0];
  while (at < text.length) {
    const wanted = parts[part];
    if (wanted === "*") {
      star = part;
      taken = at;
      part += 1;
    } else if (wanted?.(text[at] ?? "")) {
      part += 1;
      at += 1;
    } else if (star >= 0) {
      part = star + 1;
      taken += 1;
      at = taken;
    } else {
      return false;
    }
  }
  while (parts[part] === "*") part += 1;
  return part === parts.length;
}

/** Whether `text` has a character that makes it a pattern. */
export function isGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

type Part = "*" | ((character: string) => boolean);

/** Undefined where a set has no end, or the last backslash nothing behind it: matches nothing. */
function partsOf(pattern: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  const set = /\[([!^]?)(\]?[^\]]*)\]/y;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? "";
    if (character === "*") {
      if (parts.at(-1) !== "*") parts.push("*");
    } else if (character === "?") {
      parts.push(() => true);
    } else if (character === "[") {
      set.lastIndex = at;
      const found = set.exec(pattern);
      if (found === null) return undefined;
      const [all, not = "", members = ""] = found;
      const known = new Map<string, boolean>();
      parts.push((other) => {
        const is = known.get(other) ?? isMember(members, other) !== (not !== "");
        known.set(other, is);
        return is;
      });
      at += all.length - 1;
    } else {
      if (character === "\\") at += 1;
      const literal = pattern[at];
      if (literal === undefined) return undefined;
      parts.push((other) => other === literal);
    }
  }
  return parts;
}

function isMember(members: string, character: string): boolean {
  for (let at = 0; at < members.length; at += 1) {
    const [first = "", dash, last] = members.slice(at, at + 3);
    if (dash === "-" && last !== undefined) {
      if (first <= character && character <= last) return true;
      at += 2;
    } else if (first === character) {
      return true;
    }
  }
  return false;
}
