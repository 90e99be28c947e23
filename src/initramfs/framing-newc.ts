/** The headers of a plain newc archive, to its trailer: buffer-format.rst, init/initramfs.c. */
import { hasMagic, magicOf } from "../image/bytes.ts";
import { headerLength, trailerName } from "./newc.ts";
import type { Walked } from "./walked.ts";
import type { Window } from "./window.ts";

const magic = magicOf("07070");
const trailer = [...magicOf(trailerName), 0];
/** Offsets of c_filesize and c_namesize. */
const sizeField = 54;
const nameSizeField = 94;
/** Bytes of a name that tell what it is. */
const nameHead = 32;

/**
 * Walks from the header at `start` to the end of the trailer. As in the kernel zeros may follow each
 * entry, and the next one is looked for at multiples of four.
 */
export function walkNewc(window: Window, start: number): Walked {
  const { end } = window;
  let [seen, early] = [false, true];
  for (let at = start; ; ) {
    const bytes = window.read(at, headerLength + nameHead);
    if (bytes.length < headerLength) {
      return { kind: "cut", at, why: "ends inside a header of its newc archive" };
    }
    const version = bytes[magic.length] ?? 0;
    if (at % 4 !== 0 || !hasMagic(bytes, 0, magic) || (version !== 0x31 && version !== 0x32)) {
      return { kind: "broken", at, why: "has no newc header" };
    }
    const size = hexadecimal(bytes, sizeField);
    const nameSize = hexadecimal(bytes, nameSizeField);
    if (size < 0 || nameSize < 0) {
      return { kind: "broken", at, why: "has a newc header with a size that is no number" };
    }
    if (hasMagic(bytes, headerLength, trailer)) {
      return {
        end: Math.min(end, padded(at + headerLength + nameSize) + size),
        unpacked: at - start,
        early: seen && early,
      };
    }
    const name = bytes.subarray(headerLength, headerLength + Math.min(nameSize, nameHead));
    if (!isEarly(name)) early = false;
    else if (name.length > "kernel/".length) seen = true;
    const body = padded(at + headerLength + nameSize);
    if (body + size > end) {
      const needed = body + size - end;
      return {
        kind: "cut",
        at,
        why: `ends ${needed} bytes before the end of an entry of its newc archive`,
      };
    }
    const next = window.skipZeros(padded(body + size));
    if (next >= end) {
      return { kind: "cut", at: end, why: "ends before the trailer of its newc archive" };
    }
    // A compressed archive may follow one without a trailer: the kernel does not miss it.
    if (window.read(next, 1)[0] !== 0x30)
      return { end: next, unpacked: next - start, early: seen && early };
    at = next;
  }
}

const folders = ["kernel", ".", "early_cpio"].map((name) => [...magicOf(name), 0]);
const kernelFolder = magicOf("kernel/");

/** Microcode and ACPI tables lie in kernel/x86/microcode and kernel/firmware/acpi. */
function isEarly(name: Uint8Array): boolean {
  for (const folder of folders) if (hasMagic(name, 0, folder)) return true;
  return hasMagic(name, 0, kernelFolder);
}

/** The kernel pads a name so that header and name end at a multiple of four, as data does. */
function padded(at: number): number {
  return at + ((4 - (at % 4)) % 4);
}

/** Eight hexadecimal digits; -1 where they are none. */
function hexadecimal(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let at = offset; at < offset + 8; at++) {
    const byte = bytes[at] ?? 0;
    const digit =
      byte >= 0x30 && byte <= 0x39
        ? byte - 0x30
        : (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66
          ? (byte | 0x20) - 0x57
          : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}
