/** Seeded mutations of text, the same in every run. */

/** A generator of 32-bit numbers (xorshift32, G. Marsaglia 2003). */
export function random(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

/** The text with one to four characters changed, dropped or doubled. */
export function mutated(text: string, next: () => number): string {
  let result = text;
  for (let count = (next() % 4) + 1; count > 0; count--) {
    const at = next() % (result.length + 1);
    const kind = next() % 3;
    const character = kind === 0 ? "" : String.fromCharCode(next() % 128);
    const kept = kind === 2 ? at : at + 1;
    result = result.slice(0, at) + character + result.slice(kept);
  }
  return result;
}
