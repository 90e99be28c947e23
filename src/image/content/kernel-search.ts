/** Looks through an unpacked kernel, piece by piece, for texts and for its own configuration. Pure. */

const begin = "IKCFG_ST";
const end = "IKCFG_ED";
/** Bytes of a configuration, packed and not; the largest that are known have 60 and 300 KB. */
const largestPacked = 1 << 20;
const largest = 4 << 20;

export class KernelSearch {
  /** Those of the texts that are there. */
  readonly found = new Set<string>();
  /** The text of its `.config`: CONFIG_IKCONFIG, kernel/configs.c. */
  config: string | undefined;
  /** Bytes that were looked through. */
  size = 0;
  private kept: Uint8Array = new Uint8Array();
  private packed: Uint8Array | undefined;
  private readonly overlap: number;

  /** @param texts ASCII. */
  constructor(private readonly texts: readonly string[]) {
    this.overlap = Math.max(begin.length, ...texts.map((text) => text.length)) - 1;
  }

  push(piece: Uint8Array): void {
    this.size += piece.length;
    const bytes = Buffer.concat([this.kept, piece]);
    for (const text of this.texts) {
      if (!this.found.has(text) && bytes.includes(text)) this.found.add(text);
    }
    if (this.config === undefined) this.look(this.packed === undefined ? bytes : piece);
    this.kept = bytes.subarray(Math.max(0, bytes.length - this.overlap));
  }

  private look(piece: Uint8Array): void {
    const given = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    let packed = this.packed === undefined ? streamIn(given) : Buffer.concat([this.packed, given]);
    if (packed !== undefined && !mayBeStream(packed)) packed = streamIn(packed);
    const to = packed?.indexOf(end) ?? -1;
    if (packed !== undefined && to >= 0) this.config = configOf(packed.subarray(0, to));
    // Held until its end comes; what has none is forgotten.
    this.packed = to >= 0 || (packed?.length ?? 0) > largestPacked ? undefined : packed;
  }
}

/** What follows a mark, where that may be a gzip stream: the two marks stand around one. */
function streamIn(bytes: Buffer): Buffer | undefined {
  for (let at = bytes.indexOf(begin); at >= 0; at = bytes.indexOf(begin, at + 1)) {
    const packed = bytes.subarray(at + begin.length);
    if (mayBeStream(packed)) return packed;
  }
  return undefined;
}

/** RFC 1952, as far as it is there. */
function mayBeStream(bytes: Uint8Array): boolean {
  return [0x1f, 0x8b].every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

function configOf(packed: Uint8Array): string | undefined {
  try {
    const text = Bun.gunzipSync(Uint8Array.from(packed));
    return text.length <= largest ? new TextDecoder().decode(text) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether an option is built in, a module, or off; the text of a `.config` names only the first two. */
export function configOption(config: string, option: string): "y" | "m" | "n" {
  const found = new RegExp(`^CONFIG_${option}=([ym])$`, "m").exec(config)?.[1];
  return found === "y" || found === "m" ? found : "n";
}
