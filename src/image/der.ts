/**
 * DER, as far as X.509 and PKCS#7 need it (ITU-T X.690): single-byte tags,
 * definite lengths. Nothing recurses: a caller descends as deep as its format.
 */

import { KexecError } from "../errors.ts";
import { isWithin } from "./bytes.ts";

/** One element. `content` is without tag and length, `whole` with them; both are views. */
export interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Identifier octets. */
export const Tag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific and constructed, number 0. */
  context0: 0xa0,
  context3: 0xa3,
  /** Context-specific and primitive, number 0. */
  implicit0: 0x80,
} as const;

const mostChildren = 1024;

/** The error of a signature that is not what it should be. */
export function malformedDer(what: string): KexecError {
  return new KexecError("kernel-signature-malformed", {
    message: `signature is malformed: ${what}`,
  });
}

/** The element at `at`. Throws `KexecError` when there is none or it does not end inside. */
export function derAt(bytes: Uint8Array, at = 0): Der {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw malformedDer("an element is cut short");
  if ((tag & 0x1f) === 0x1f) throw malformedDer("an element has a tag of several bytes");
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80) throw malformedDer("an element has no definite length");
  if (lengthBytes > 4) throw malformedDer("an element is longer than any signature");
  let length = first;
  if (lengthBytes > 0) {
    length = 0;
    for (let index = 0; index < lengthBytes; index++) {
      length = length * 256 + (bytes[at + 2 + index] ?? 0);
    }
  }
  const start = at + 2 + lengthBytes;
  if (!isWithin(bytes.length, start, length)) {
    throw malformedDer("an element does not end inside what holds it");
  }
  return {
    tag,
    content: bytes.subarray(start, start + length),
    whole: bytes.subarray(at, start + length),
  };
}

/** The elements inside of one, in order. */
export function derChildren(parent: Der): readonly Der[] {
  const children: Der[] = [];
  for (let at = 0; at < parent.content.length; ) {
    if (children.length === mostChildren) throw malformedDer("an element has too many parts");
    const child = derAt(parent.content, at);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}

/** The element, if it has this tag. `what` names it in the error. */
export function derExpect(item: Der | undefined, tag: number, what: string): Der {
  if (item === undefined) throw malformedDer(`${what} is missing`);
  if (item.tag !== tag) throw malformedDer(`${what} is of the wrong type`);
  return item;
}

/** The parts of a SEQUENCE. */
export function derSequence(item: Der | undefined, what: string): readonly Der[] {
  return derChildren(derExpect(item, Tag.sequence, what));
}

/** An object identifier in dotted form. */
export function derOid(item: Der | undefined, what: string): string {
  const { content } = derExpect(item, Tag.oid, what);
  // No identifier in use comes near; numbers stay exact below 2^53.
  if (content.length === 0 || content.length > 32) throw malformedDer(`${what} has a bad length`);
  const parts: number[] = [];
  let value = 0;
  for (const byte of content) {
    if (value > 2 ** 45) throw malformedDer(`${what} has a part that is too large`);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      parts.push(value);
      value = 0;
    }
  }
  const [head = 0, ...tail] = parts;
  const top = Math.min(2, Math.floor(head / 40));
  return [top, head - top * 40, ...tail].join(".");
}

/** A serial number in hexadecimal, without the zero byte that keeps it positive. */
export function derSerial(item: Der | undefined): string {
  return hex(derExpect(item, Tag.integer, "a serial number").content).replace(/^00(?=.)/, "");
}

/** A UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5) in milliseconds; undefined for any other form. */
export function derTime(item: Der | undefined): number | undefined {
  const text = new TextDecoder("latin1").decode(item?.content);
  const short = item?.tag === Tag.utcTime && /^\d{12}Z$/.test(text);
  if (!short && !(item?.tag === Tag.generalizedTime && /^\d{14}Z$/.test(text))) return undefined;
  const full = short ? `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text}` : text;
  const time = Date.parse(full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  return Number.isNaN(time) ? undefined : time;
}

/** Bytes as lower-case hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  return bytes.toHex();
}
