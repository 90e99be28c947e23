/**
 * The order of versions: UAPI.10, the Version Format Specification, and where that leaves doubt
 * (a caret, a tilde before the end) strverscmp_improved of systemd. Pure.
 */

const digits = /[0-9]/;
const letters = /[A-Za-z]/;
const separator = /[^A-Za-z0-9~.^-]/;

/**
 * Compares two versions: negative where `a` is the older one, 0 where neither is.
 * Time is that of the longer text, whatever is in it.
 */
export function compareVersions(a: string, b: string): number {
  let [i, j] = [0, 0];
  for (;;) {
    i = skip(a, i, separator);
    j = skip(b, j, separator);
    // A tilde is older than even the end: 1~rc1 is before 1.
    if (a[i] === "~" || b[j] === "~") {
      if (a[i] !== b[j]) return a[i] === "~" ? -1 : 1;
      i += 1;
      j += 1;
      continue;
    }
    if (i >= a.length || j >= b.length) return Number(i < a.length) - Number(j < b.length);
    const mark = ["-", "^", "."].find((character) => a[i] === character || b[j] === character);
    if (mark !== undefined) {
      // 123-9 is before 123^1, which is before 123.1.
      if (a[i] !== b[j]) return a[i] === mark ? -1 : 1;
      i += 1;
      j += 1;
      continue;
    }
    const numeric = isDigit(a[i]) || isDigit(b[j]);
    const [endA, endB] = [i, j].map((start, side) =>
      skip(side === 0 ? a : b, start, numeric ? digits : letters),
    );
    const [partA, partB] = [a.slice(i, endA), b.slice(j, endB)];
    const order = numeric ? compareNumbers(partA, partB) : compareText(partA, partB);
    if (order !== 0) return order;
    i = endA ?? a.length;
    j = endB ?? b.length;
  }
}

/** As strcmp(3) over UTF-8: by code points. */
export function compareText(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at += 1) {
    if (a[at] !== b[at]) return Math.sign((a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0));
  }
  return Math.sign(a.length - b.length);
}

/** Numbers of any length, without their leading zeros. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.replace(/^0+/, ""));
  if (left === undefined || right === undefined) return 0;
  return Math.sign(left.length - right.length) || compareText(left, right);
}

function skip(text: string, start: number, characters: RegExp): number {
  let at = start;
  for (let next = text[at]; next !== undefined && characters.test(next); next = text[at]) at += 1;
  return at;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && digits.test(character);
}
