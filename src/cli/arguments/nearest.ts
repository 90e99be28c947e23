/** Finding what somebody meant to type. */

/** Longer words are not slips of the finger, and the work grows with their length. */
const LENGTH_MAX = 40;

/**
 * Optimal string alignment: the fewest insertions, deletions, changed letters and swaps of two
 * neighbours that turn `a` into `b`. The cost is the product of their lengths.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, at(beforeLast, column - 2) + 1);
      }
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/**
 * The candidate that `word` was most likely meant to be: the closest one within a third of the
 * word's length, or else the only one that it begins. Dashes in front and case do not count.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = bare(word);
  if (wanted === "" || wanted.length > LENGTH_MAX) return undefined;
  let closest: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  const begun: string[] = [];
  for (const candidate of candidates) {
    const name = bare(candidate);
    // A single letter is one change away from every other one.
    if (name.length < 2) continue;
    const distance = editDistance(wanted, name);
    if (distance < least) {
      least = distance;
      closest = candidate;
    }
    if (name.startsWith(wanted)) begun.push(candidate);
  }
  return closest ?? (begun.length === 1 ? begun[0] : undefined);
}

function bare(word: string): string {
  return word.replace(/^-+/, "").toLowerCase();
}
