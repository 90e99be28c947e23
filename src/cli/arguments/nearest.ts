/** Finding what somebody meant to type. */
import { editDistance } from "../../edit-distance.ts";

/** Longer words are not slips of the finger, and the work grows with their length. */
const LENGTH_MAX = 40;

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
