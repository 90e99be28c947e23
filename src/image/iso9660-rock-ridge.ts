/**
 * The system use area of a directory record: POSIX names, modes and links. Sources: SUSP 1.12
 * (IEEE P1281: SP, CE, ST), RRIP 1.12 (IEEE P1282: PX, NM, SL, CL, RE), and zisofs (ZF) as
 * fs/isofs/rock.c reads it.
 */
import { fieldsOf } from "./bytes.ts";

export interface RockRidge {
  /** UTF-8, by NM. */
  readonly name: string | undefined;
  /** st_mode, by PX. */
  readonly mode: number | undefined;
  /** Target of a symbolic link, by SL. */
  readonly target: string | undefined;
  /** Block of the directory that this record stands for, by CL. */
  readonly child: number | undefined;
  /** A directory that is shown elsewhere, by RE. */
  readonly relocated: boolean;
  /** Its data is compressed, by ZF. */
  readonly compressed: boolean;
}

/** RR_MAX_CE_ENTRIES of fs/isofs/rock.c. */
const mostContinuations = 32;
/** NAME_MAX and PATH_MAX of Linux. */
const longestName = 255;
const longestTarget = 4095;

/** Bytes at the start of each area that are not Rock Ridge's; undefined where there is none of it. */
export function skippedBytes(area: Uint8Array): number | undefined {
  const marked =
    area.length >= 7 &&
    area[0] === 0x53 && // S
    area[1] === 0x50 && // P
    area[4] === 0xbe &&
    area[5] === 0xef;
  return marked ? (area[6] ?? 0) : undefined;
}

/** Reads a continuation area: a block, and a range in it. Throws where there is none. */
export type Continuation = (block: number, offset: number, length: number) => Uint8Array;

/** @param refuse Throws: the rule that is broken. */
export function readRockRidge(
  area: Uint8Array,
  continuation: Continuation,
  refuse: (rule: string) => never,
): RockRidge {
  const name: number[] = [];
  const target = new LinkTarget();
  let named = false;
  let mode: number | undefined;
  let child: number | undefined;
  let relocated = false;
  let compressed = false;
  let rest: Uint8Array | undefined = area;
  for (let areas = 0; rest !== undefined; areas++) {
    if (areas > mostContinuations) refuse("a directory record has too many continuations");
    const bytes: Uint8Array = rest;
    rest = undefined;
    for (let at = 0; at + 4 <= bytes.length; ) {
      const length = bytes[at + 2] ?? 0;
      const signature = String.fromCharCode(bytes[at] ?? 0, bytes[at + 1] ?? 0);
      // What follows is padding: SUSP 4.
      if (length < 4 || at + length > bytes.length || signature === "ST") break;
      const field = bytes.subarray(at, at + length);
      at += length;
      const fields = fieldsOf(field);
      if (signature === "CE" && length >= 28) {
        rest = continuation(fields.u32(4), fields.u32(12), fields.u32(20));
      } else if (signature === "NM" && length >= 5) {
        // Flags 2 and 4: the record is of `.` or `..`.
        if ((fields.u8(4) & 6) === 0) name.push(...field.subarray(5));
        named = true;
        if (name.length > longestName) refuse("a name is longer than 255 bytes");
      } else if (signature === "PX" && length >= 8) {
        mode = fields.u32(4);
      } else if (signature === "SL" && length >= 5) {
        target.add(field.subarray(5));
        if (target.length > longestTarget) refuse("a symbolic link is longer than 4095 bytes");
      } else if (signature === "CL" && length >= 8) {
        child = fields.u32(4);
      } else if (signature === "RE") {
        relocated = true;
      } else if (signature === "ZF") {
        compressed = true;
      }
    }
  }
  const decode = (bytes: readonly number[]) => new TextDecoder().decode(Uint8Array.from(bytes));
  return {
    name: named && name.length > 0 ? decode(name) : undefined,
    mode,
    target: target.text,
    child,
    relocated,
    compressed,
  };
}

/** Components of SL entries, one behind the other: RRIP 4.1.3. */
class LinkTarget {
  private readonly parts: string[] = [];
  private joins = true;
  length = 0;

  add(components: Uint8Array): void {
    for (let at = 0; at + 2 <= components.length; ) {
      const flags = components[at] ?? 0;
      const size = components[at + 1] ?? 0;
      const bytes = components.subarray(at + 2, at + 2 + size);
      at += 2 + size;
      if (!this.joins) this.push("/");
      if ((flags & 8) !== 0) {
        this.push("/");
        this.joins = true;
        continue;
      }
      if ((flags & 2) !== 0) this.push(".");
      else if ((flags & 4) !== 0) this.push("..");
      else this.push(String.fromCharCode(...bytes));
      this.joins = (flags & 1) !== 0;
    }
  }

  /** Undefined where there was no component. */
  get text(): string | undefined {
    if (this.parts.length === 0) return undefined;
    const joined = this.parts.join("");
    return new TextDecoder().decode(Uint8Array.from(joined, (byte) => byte.charCodeAt(0)));
  }

  private push(part: string): void {
    this.parts.push(part);
    this.length += part.length;
  }
}
