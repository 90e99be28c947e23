/**
 * What the runtime carries, compressed, for its other lives: as bundler, package manager and development server.
 * This program is none of them, and the doors to them are closed (build/doors.ts).
 *
 * Each is a zstd frame in the read-only data, the same byte by byte in the runtimes of all targets.
 */
import type { Stretch } from "./builtins.ts";

interface Frame {
  /** Its first 16 bytes: they occur once. */
  readonly head: string;
  readonly length: number;
  readonly sha256: string;
}

/** Of Bun 1.4.2, those of three pages and more. Another runtime has others: look for them anew. */
export const unusedFrames: readonly Frame[] = [
  // The page that shows errors of a development server, in a browser
  {
    head: "28b52ffd60c78a8595013a7c8d463290",
    length: 12_986,
    sha256: "c2df9ecd2a91026deb88fe7346f726078b3d63b201d3b367c92828eb64780c58",
  },
  // Names of packages, for the completion of `bun add`
  {
    head: "28b52ffda09c7902009465069e800b82",
    length: 65_405,
    sha256: "e63353e9d79641713de1c81cee80f2dd7c0562ac3d37e68972565780eddb4cb8",
  },
  // What a development server sends to browsers
  {
    head: "28b52ffd60adbc8d05027a96894f4230",
    length: 16_571,
    sha256: "829ce003792927f1cfa46fdf289680932ebfce12b30df48fcdc952d91e305e7e",
  },
  // Stand-ins of node's modules that the bundler puts into programs for browsers: assert, crypto, http, stream, zlib
  {
    head: "28b52ffda075a201001ddd02ca5d6140",
    length: 23_471,
    sha256: "7285235f6bafef835daae29a4c8fc079c5dc6350a943bf8d0eff6b165cf24601",
  },
  {
    head: "28b52ffda0b3480700348b033af0095d",
    length: 71_109,
    sha256: "f17ce948d334c60656503e3f4923cbc4e3dbec119991f0fec480b34d990bc106",
  },
  {
    head: "28b52ffda0dc2901006d1b02da1b6d34",
    length: 17_273,
    sha256: "8667edb66c340ca65fc44bfa4812c02d60cd3fe16cdaef01130e1f98bcccafc7",
  },
  {
    head: "28b52ffda0471302002cba01aa000930",
    length: 27_906,
    sha256: "ed3f69d708b4c7ba7b81969cec176d99ef50da35c8a9115a5e610d756e2e011a",
  },
  {
    head: "28b52ffda0cf3a01008d3e024a2cbd37",
    length: 18_397,
    sha256: "c5b65f60927fa6e4c1540e8246a0b555f517052e79688425885ab5ac60d7ae94",
  },
];

/**
 * Where they are, in order. Changes nothing.
 *
 * @throws Error where one is not there, or another one: then this is another runtime
 */
export function findUnusedFrames(bytes: Buffer): Stretch[] {
  return unusedFrames
    .map(({ head, length, sha256 }) => {
      const mark = Buffer.from(head, "hex");
      const from = bytes.indexOf(mark);
      const to = from + length;
      if (from < 0 || bytes.indexOf(mark, from + 1) >= 0 || to > bytes.length) {
        throw new Error(`the runtime has not what begins ${head}: look at build/frames.ts anew`);
      }
      const digest = new Bun.CryptoHasher("sha256").update(bytes.subarray(from, to)).digest("hex");
      if (digest !== sha256) {
        throw new Error(`the runtime has another frame that begins ${head}: look at it anew`);
      }
      return { from, to };
    })
    .sort((a, b) => a.from - b.from);
}
