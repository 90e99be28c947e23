/**
 * A model of the kernel's unpacking for the tests: setup_boot_config of
 * init/main.c, unpack_to_rootfs and do_name of init/initramfs.c, and as much of
 * a file system as these need. It is written from the kernel's rules and shares
 * no code with what it tests.
 */

export interface Node {
  kind: "file" | "directory" | "symlink" | "device";
  mode: number;
  owner: string;
  time: number;
  data: string;
  children: Map<string, Node>;
}

export interface Unpacked {
  readonly root: Node;
  readonly error: string | undefined;
  readonly bootconfig: string | undefined;
}

const node = (kind: Node["kind"], mode = 0o755): Node => ({
  kind,
  mode,
  owner: "0:0",
  time: -1,
  data: "",
  children: new Map(),
});

const latin = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

/** The node at a path, links followed, or undefined. */
export function lookup(root: Node, path: string): Node | undefined {
  return walk(root, path, true)?.found;
}

interface Place {
  readonly parent: Node;
  readonly name: string;
  readonly found: Node | undefined;
}

function walk(root: Node, path: string, follow: boolean): Place | undefined {
  let links = 0;
  const trail: Node[] = [root];
  const todo = path.split("/").filter((name) => name !== "" && name !== ".");
  let place: Place = { parent: root, name: "", found: root };
  while (todo.length > 0) {
    const name = todo.shift() ?? "";
    const parent = trail.at(-1);
    if (parent === undefined || parent.kind !== "directory") return undefined;
    if (name === "..") {
      if (trail.length > 1) trail.pop();
      place = { parent, name, found: trail.at(-1) };
      continue;
    }
    const found = parent.children.get(name);
    place = { parent, name, found };
    if (found?.kind === "symlink" && (todo.length > 0 || follow)) {
      // Resolved from where the link stands, by putting its target in front of the rest.
      links += 1;
      if (links > 40) return undefined;
      if (found.data.startsWith("/")) trail.length = 1;
      todo.unshift(...found.data.split("/").filter((part) => part !== "" && part !== "."));
      place = { parent, name, found: trail.at(-1) };
      continue;
    }
    if (found === undefined) return todo.length > 0 ? undefined : place;
    trail.push(found);
  }
  return place;
}

function cleanPath(root: Node, path: string, kind: Node["kind"] | undefined): void {
  const place = walk(root, path, false);
  if (place?.found === undefined || place.found.kind === kind) return;
  if (place.found.kind === "directory" && place.found.children.size > 0) return;
  place.parent.children.delete(place.name);
}

const kinds: Record<number, Node["kind"]> = {
  0o10: "file",
  0o04: "directory",
  0o12: "symlink",
  0o02: "device",
};

/** Unpacks one plain archive; returns the offset at which the kernel stops, or an error. */
function unpackPlain(root: Node, bytes: Uint8Array, start: number): number | string {
  let at = start;
  for (;;) {
    const header = latin(bytes.subarray(at, at + 110));
    if (header.length < 110) return "truncated";
    if (!/^07070[12]/.test(header)) return "no cpio magic";
    const field = (index: number) => Number.parseInt(header.substr(6 + index * 8, 8), 16);
    const [bits, size, nameSize] = [field(1), field(6), field(11)];
    const body = at + 110 + (((nameSize + 1) & ~3) + 2);
    const next = (body + size + 3) & ~3;
    const path = Buffer.from(bytes.subarray(at + 110, at + 110 + nameSize - 1)).toString("utf8");
    if (path === "TRAILER!!!") return Math.min(next, bytes.length);
    if (nameSize > 0 && nameSize <= 4096) {
      const data = latin(bytes.subarray(body, body + size));
      const owner = `${field(2)}:${field(3)}`;
      apply(root, path, kinds[bits >> 12], bits & 0o7777, owner, field(5), data);
    }
    at = next;
    if (bytes[at] === 0) return at;
  }
}

function apply(
  root: Node,
  path: string,
  kind: Node["kind"] | undefined,
  mode: number,
  owner: string,
  time: number,
  data: string,
): void {
  cleanPath(root, path, kind === "symlink" ? undefined : kind);
  if (kind === undefined) return;
  const place = walk(root, path, kind === "file");
  if (place === undefined) return;
  if (place.found === undefined) place.parent.children.set(place.name, node(kind));
  else if (kind === "symlink" || kind === "device") return;
  // chmod and chown follow links, and do so whether or not mkdir made anything.
  const made = kind === "symlink" ? place.parent.children.get(place.name) : lookup(root, path);
  if (made === undefined || (kind === "file" && made.kind !== "file")) return;
  Object.assign(made, { mode, owner, time });
  if (kind !== "directory") made.data = data;
}

/** Unpacks a whole buffer as the kernel does at boot, on top of nothing. */
export function boot(buffer: Uint8Array): Unpacked {
  const { bytes, bootconfig } = cutBootconfig(buffer);
  const root = node("directory");
  let at = 0;
  let error: string | undefined;
  while (at < bytes.length && error === undefined) {
    if (bytes[at] === 0x30 && at % 4 === 0) {
      const end = unpackPlain(root, bytes, at);
      if (typeof end === "string") error = end;
      else at = end;
      while (at < bytes.length && bytes[at] === 0 && error === undefined) at += 1;
      if (at < bytes.length && at % 4 !== 0) error = "broken padding";
    } else if (bytes[at] === 0) {
      at += 1;
    } else {
      const end = unpackFramed(root, bytes, at);
      if (typeof end === "string") error = end;
      else at = end;
    }
  }
  return { root, error, bootconfig };
}

/**
 * The framing of compressed archives without their compression: `gzip` knows
 * where it ends, `lz4` legacy reads blocks until a size of 0 or the end.
 */
export function framed(kind: "gzip" | "lz4", archive: Uint8Array): Uint8Array {
  const magic = kind === "gzip" ? [0x1f, 0x8b, 8, 0] : [0x02, 0x21, 0x4c, 0x18];
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, archive.length, true);
  return Uint8Array.from([...magic, ...size, ...archive]);
}

function unpackFramed(root: Node, bytes: Uint8Array, start: number): number | string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const magic = latin(bytes.subarray(start, start + 2));
  let at = start + 4;
  const inner: number[] = [];
  if (magic === "\x1f\x8b") {
    if (at + 4 + u32(at) > bytes.length) return "decompressor failed";
    inner.push(...bytes.subarray(at + 4, at + 4 + u32(at)));
    at += 4 + u32(at);
  } else if (magic === "\x02\x21") {
    while (bytes.length - at >= 4 && u32(at) !== 0) {
      const size = u32(at);
      if (at + 4 + size > bytes.length) return "decompressor failed";
      inner.push(...bytes.subarray(at + 4, at + 4 + size));
      at += 4 + size;
    }
  } else return "invalid magic at start of compressed archive";
  const end = unpackPlain(root, Uint8Array.from(inner), 0);
  return typeof end === "string" ? end : at;
}

function cutBootconfig(buffer: Uint8Array): { bytes: Uint8Array; bootconfig: string | undefined } {
  const text = latin(buffer);
  for (let back = 0; back < 4; back++) {
    const at = text.length - 12 - back;
    if (at < 8 || text.slice(at, at + 12) !== "#BOOTCONFIG\n") continue;
    const view = new DataView(buffer.buffer, buffer.byteOffset + at - 8, 8);
    const size = view.getUint32(0, true);
    if (size > at - 8) break;
    const data = buffer.subarray(at - 8 - size, at - 8);
    if (data.reduce((sum, byte) => (sum + byte) >>> 0, 0) !== view.getUint32(4, true)) break;
    return { bytes: buffer.subarray(0, at - 8 - size), bootconfig: latin(data) };
  }
  return { bytes: buffer, bootconfig: undefined };
}
