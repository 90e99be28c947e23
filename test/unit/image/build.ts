/** Images made byte by byte, for tests: each has what the formats demand and nothing else. */

import type { ByteSource } from "../../../src/image/bytes.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { copies } from "../fuzz.ts";

export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Writes little-endian numbers into a copy: `[offset, width in bytes, value]` each. */
export function patched(
  bytes: Uint8Array,
  ...fields: readonly (readonly [offset: number, width: 1 | 2 | 4 | 8, value: number])[]
): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [offset, width, value] of fields) {
    for (let index = 0; index < width; index++) {
      copy[offset + index] = Number((BigInt(value) >> BigInt(8 * index)) & 0xffn);
    }
  }
  return copy;
}

export const bzSetupSects = 3;
export const bzPayload = { offset: (bzSetupSects + 1) * 512 + 64, length: 900 } as const;

/** A bzImage of protocol 2.15 with `extra` bytes behind what its header announces. */
export function makeBzImage(extra = 0): Uint8Array {
  const setup = (bzSetupSects + 1) * 512;
  const image = patched(
    new Uint8Array(setup + 1024 + extra),
    [0x1f1, 1, bzSetupSects],
    [0x1f4, 4, 1024 / 16],
    [0x1fe, 2, 0xaa55],
    [0x206, 2, 0x020f],
    [0x20e, 2, 0x180],
    [0x211, 1, 1],
    [0x234, 1, 1],
    [0x236, 2, 0b110_0011],
    [0x238, 4, 2047],
    [0x248, 4, 64],
    [0x24c, 4, bzPayload.length],
    [0x260, 4, 0x0200_0000],
  );
  image.set(ascii("HdrS"), 0x202);
  image.set(ascii("9.8.7-test (me@here) #1\0"), 0x380);
  return image;
}

/** An arm64 Image: 4K pages, little-endian, anywhere in memory. */
export function makeArm64(): Uint8Array {
  const image = patched(new Uint8Array(4096), [8, 8, 0x80000], [16, 8, 0x2000], [24, 8, 0b1010]);
  image.set(ascii("ARMd"), 56);
  return image;
}

export function makeZboot(payload: Uint8Array, method = "gzip"): Uint8Array {
  const header = patched(new Uint8Array(0x80), [8, 4, 0x80], [12, 4, payload.length]);
  header.set(ascii("MZ"), 0);
  header.set(ascii("zimg"), 4);
  header.set(ascii(method), 0x18);
  return concat(header, payload);
}

export interface SectionPlan {
  readonly name: string;
  readonly content: Uint8Array;
}

const fileAlignment = 512;
const peOffset = 64;
export const peOptionalOffset = peOffset + 24;
export const peCertificateEntry = peOptionalOffset + 112 + 4 * 8;
export const peSectionTable = peOptionalOffset + 112 + 16 * 8;

/** A PE32+ program for x86_64; `certificates` go behind the sections, as signers do it. */
export function makePe(sections: readonly SectionPlan[], certificates?: Uint8Array): Uint8Array {
  const headerSize = roundUp(peSectionTable + sections.length * 40, fileAlignment);
  const header = patched(
    new Uint8Array(headerSize),
    [0x3c, 4, peOffset],
    [peOffset + 4, 2, 0x8664],
    [peOffset + 6, 2, sections.length],
    [peOffset + 20, 2, 112 + 16 * 8],
    [peOffset + 22, 2, 0x0206],
    [peOptionalOffset, 2, 0x020b],
    [peOptionalOffset + 16, 4, 0x1000],
    [peOptionalOffset + 32, 4, 0x1000],
    [peOptionalOffset + 36, 4, fileAlignment],
    [peOptionalOffset + 60, 4, headerSize],
    [peOptionalOffset + 68, 2, 10],
    [peOptionalOffset + 108, 4, 16],
  );
  header.set(ascii("MZ"), 0);
  header.set(ascii("PE\0\0"), peOffset);

  let file = header;
  let address = 0x1000;
  for (const [index, { name, content }] of sections.entries()) {
    const at = peSectionTable + index * 40;
    const size = roundUp(content.length, fileAlignment);
    file = patched(
      file,
      [at + 8, 4, content.length],
      [at + 12, 4, address],
      [at + 16, 4, size],
      [at + 20, 4, file.length],
      [at + 36, 4, 0x4000_0040],
    );
    file.set(ascii(name), at);
    file = concat(file, content, new Uint8Array(size - content.length));
    address += roundUp(content.length, 0x1000);
  }
  file = patched(file, [peOptionalOffset + 56, 4, address]);
  return certificates === undefined ? file : withCertificates(file, certificates);
}

/** The file with this certificate table at its end. */
export function withCertificates(file: Uint8Array, table: Uint8Array): Uint8Array {
  const announced = patched(
    file,
    [peCertificateEntry, 4, file.length],
    [peCertificateEntry + 4, 4, table.length],
  );
  return concat(announced, table);
}

/** A WIN_CERTIFICATE with its padding. */
export function winCertificate(pkcs7: Uint8Array, revision = 0x0200, type = 2): Uint8Array {
  const wrapper = patched(
    new Uint8Array(8),
    [0, 4, 8 + pkcs7.length],
    [4, 2, revision],
    [6, 2, type],
  );
  return concat(wrapper, pkcs7, new Uint8Array(roundUp(pkcs7.length, 8) - pkcs7.length));
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/**
 * A source of any size that begins with `start` and is zeros from there, and
 * that counts what is read of it.
 */
export function meteredSource(
  start: Uint8Array,
  size = start.length,
): ByteSource & { bytesRead: number } {
  const inner = bytesOf(start);
  return {
    size,
    bytesRead: 0,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) throw new RangeError("outside");
      this.bytesRead += length;
      copies(length);
      const result = new Uint8Array(length);
      const from = Math.min(offset, start.length);
      result.set(inner.read(from, Math.max(0, Math.min(length, start.length - from))));
      return result;
    },
  };
}
