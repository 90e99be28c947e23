/** Mutations by structure: parts of a format moved, doubled, left out, renamed, put into each other. */
import type { Rng } from "./fuzz.ts";

/** A copy of the list with one to four changes of order and number; `change` alters one of its parts. */
export function rearranged<T>(parts: readonly T[], rng: Rng, change: (part: T) => T): T[] {
  const result = [...parts];
  for (let changes = 1 + rng.below(4); changes > 0; changes--) {
    const at = rng.below(result.length);
    const part = result[at];
    if (part === undefined) continue;
    switch (rng.below(6)) {
      case 0:
        result.splice(at, 1);
        break;
      case 1:
        result.splice(rng.below(result.length + 1), 0, part);
        break;
      case 2: {
        const to = rng.below(result.length);
        result.splice(at, 1);
        result.splice(to, 0, part);
        break;
      }
      case 3:
        if (rng.below(8) === 0) result.push(...Array<T>(rng.pick([16, 70])).fill(part));
        break;
      default:
        result[at] = change(part);
    }
  }
  return result;
}

/** A DER element as a tree; what is not constructed, or cannot be read, is a leaf. */
export interface DerNode {
  readonly tag: number;
  readonly children?: readonly DerNode[];
  readonly content?: Uint8Array;
}

export function parseDer(bytes: Uint8Array): DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    let length = bytes[at + 1] ?? 0;
    let start = at + 2;
    if (length > 0x80) {
      const count = length & 0x7f;
      length = 0;
      for (let index = 0; index < count; index++)
        length = length * 256 + (bytes[start + index] ?? 0);
      start += count;
    }
    const content = bytes.subarray(start, start + length);
    nodes.push((tag & 0x20) === 0 ? { tag, content } : { tag, children: parseDer(content) });
    at = start + length;
  }
  return nodes;
}

export function writeDer({ tag, children, content }: DerNode): Uint8Array {
  const body =
    children === undefined ? (content ?? new Uint8Array()) : Buffer.concat(children.map(writeDer));
  const { length } = body;
  const size =
    length < 0x80
      ? [length]
      : length < 0x100
        ? [0x81, length]
        : length < 0x10000
          ? [0x82, length >> 8, length & 0xff]
          : [0x83, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Uint8Array.from(Buffer.concat([Uint8Array.from([tag, ...size]), body]));
}

/** A tree with its parts rearranged at one to three places. */
export function mutateDer(node: DerNode, rng: Rng): DerNode {
  const change = (part: DerNode): DerNode => {
    switch (rng.below(4)) {
      case 0:
        return { ...part, tag: rng.pick([2, 3, 4, 6, 0x0c, 0x17, 0x30, 0x31, 0xa0, 0xa3, 0x80]) };
      case 1:
        return { tag: 0x30, children: [part] };
      case 2:
        return part.children === undefined ? { ...part, content: rng.bytes(rng.below(40)) } : part;
      default:
        return mutateDer(part, rng);
    }
  };
  if (node.children === undefined) return change(node);
  if (rng.below(3) > 0 && node.children.length > 0) {
    const at = rng.below(node.children.length);
    const children = node.children.map((child, index) =>
      index === at ? mutateDer(child, rng) : child,
    );
    return { ...node, children };
  }
  return { ...node, children: rearranged(node.children, rng, change) };
}

/** JSON text with members doubled, left out, renamed, moved and put into each other. */
export function mutateJson(value: unknown, rng: Rng): string {
  const odd = [
    null,
    true,
    -1,
    0,
    1.5,
    2 ** 53,
    "",
    "..",
    "/",
    [],
    {},
    [[[[[[[[[]]]]]]]]],
    "\u0000",
  ];
  const write = (one: unknown): string => {
    if (rng.below(24) === 0) return JSON.stringify(rng.pick(odd));
    if (Array.isArray(one)) {
      const items = rng.below(4) === 0 ? rearranged<unknown>(one, rng, () => rng.pick(odd)) : one;
      return `[${items.map((item) => (one.includes(item) ? write(item) : JSON.stringify(item))).join(",")}]`;
    }
    if (typeof one !== "object" || one === null) return JSON.stringify(one);
    const members: [string, unknown][] = Object.entries(one);
    const changed =
      rng.below(3) === 0
        ? rearranged(members, rng, ([key, inner]): [string, unknown] =>
            rng.below(2) === 0
              ? [rng.pick(["__proto__", key.toUpperCase(), `${key} `, ""]), inner]
              : [key, one],
          )
        : members;
    return `{${changed.map(([key, inner]) => `${JSON.stringify(key)}:${inner === one ? "{}" : write(inner)}`).join(",")}}`;
  };
  return write(value);
}
