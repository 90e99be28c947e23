/** The order of versions of RPM: rpmvercmp, lib/rpmvercmp.c. Pure, and linear. */

/** Negative where `a` is the older one, 0 where neither is. */
export function compareRpmVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; ; at += 1) {
    const [one, other] = [left[at], right[at]];
    // A tilde is older than even the end, a caret newer than the end alone.
    if (one === "~" || other === "~") {
      if (one !== other) return one === "~" ? -1 : 1;
      continue;
    }
    if (one === "^" || other === "^") {
      if (one === other) continue;
      if (one === undefined) return -1;
      if (other === undefined) return 1;
      return one === "^" ? -1 : 1;
    }
    if (one === undefined || other === undefined) {
      return Number(one !== undefined) - Number(other !== undefined);
    }
    const [number, otherNumber] = [/^[0-9]/.test(one), /^[0-9]/.test(other)];
    // A number is newer than a word.
    if (number !== otherNumber) return number ? 1 : -1;
    const order = number ? compareNumbers(one, other) : compareWords(one, other);
    if (order !== 0) return order;
  }
}

function partsOf(version: string): readonly string[] {
  return version.match(/[0-9]+|[A-Za-z]+|~|\^/g) ?? [];
}

function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  return Math.sign(left.length - right.length) || compareWords(left, right);
}

function compareWords(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
