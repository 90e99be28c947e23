/** The files inside of an ISO image, as a tree: ranges of the image, and no mount. */
import { cannot } from "../../errors.ts";
import { type ByteSource, isWithin } from "../../image/bytes.ts";
import { type Iso9660, readIso9660 } from "../../image/iso9660.ts";
import { type IsoNode, IsoTree } from "../../image/iso9660-tree.ts";
import { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import type { FileTree, Whole } from "../kind.ts";
import { appendRange, type Extent, type HeldFile, type OpenFile } from "../open-file.ts";
import { RecordedBlocks } from "./recorded.ts";

export class IsoFiles implements FileTree, Disposable {
  readonly volume: Iso9660;
  readonly tree: IsoTree;
  private readonly recorded: RecordedBlocks;
  private readonly copied = new Map<string, { readonly copy: Memfd; readonly node: IsoNode }>();
  private readonly held = new DisposableStack();

  /**
   * @param copying Kernels and archives are copied when they are opened: see `Whole`.
   * @throws KexecError `malformed-input`
   */
  constructor(
    readonly image: OpenFile,
    private readonly copying: boolean,
    private readonly listener: Listener,
  ) {
    this.recorded = new RecordedBlocks(image);
    const volume = readIso9660(this.recorded);
    if (volume?.kind !== "iso9660") {
      throw cannot(
        `read the ISO image ${image.path}`,
        volume ?? { code: "malformed-input", why: "it is not an ISO 9660 image" },
        { details: { path: image.path } },
      );
    }
    this.volume = volume;
    this.tree = new IsoTree(this.recorded, volume, image.path);
  }

  get path(): string {
    return `${this.image.path}:`;
  }

  get canonicalPath(): string {
    return `${this.image.canonicalPath}:`;
  }

  open(path: string, what: string): HeldFile {
    const shown = `/${path.replace(/^\/+/, "")}`;
    const node = this.find(shown, what);
    if (this.copying && (what === "kernel" || what === "initramfs")) {
      return this.copy(shown, node, what);
    }
    const large = what === "kernel" || what === "initramfs";
    return this.rangeOf(shown, node, large ? this.image : this.recorded);
  }

  names(path: string, limit: number): readonly string[] | undefined {
    return this.tree
      .list(path)
      ?.slice(0, limit + 1)
      .map(({ name }) => name);
  }

  /** What is at a path, or undefined: also where the image is broken there. */
  look(path: string): IsoNode | undefined {
    return this.tree.find(path);
  }

  /** At most `limit` bytes of a file, all of a shorter one; kept, see `RecordedBlocks`. */
  readStart(path: string, limit: number): Uint8Array | undefined {
    const node = this.tree.find(path);
    if (node?.type !== "file") return undefined;
    const file = this.rangeOf(path, node, this.recorded);
    return file.read(0, Math.min(limit, file.size));
  }

  /** Everything that was used, with its place in the image. */
  copies(held: DisposableStack): Whole["copies"] {
    const files = [...this.copied.values()].flatMap(({ copy, node }) => {
      let at = 0;
      return this.tree.extentsOf(node).map(({ offset, length }) => {
        const bytes = { ...describe(copy), size: length, read: readerAt(copy, at, length) };
        at += length;
        return { offset, bytes };
      });
    });
    return [...this.recorded.copies(held), ...files];
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }

  private find(path: string, what: string): IsoNode {
    const node = this.tree.find(path);
    if (node === undefined) {
      throw cannot(
        `open the ${what} ${this.path}${path}`,
        { code: "file-not-found", why: "there is no such file on the image" },
        { errno: "ENOENT", details: { path } },
      );
    }
    if (node.type !== "file") {
      throw cannot(`use ${this.path}${path} as the ${what}`, {
        code: "not-a-regular-file",
        details: { path },
        why: "it is not a regular file",
      });
    }
    if (node.size === 0) {
      throw cannot(`use ${this.path}${path} as the ${what}`, {
        code: "file-empty",
        details: { path },
        why: "the file is empty",
        hint: "copy or download the image again",
      });
    }
    return node;
  }

  /** Several ranges one behind the other read as one file. */
  private rangeOf(path: string, node: IsoNode, source: ByteSource): HeldFile {
    const places = this.tree.extentsOf(node);
    const [from] = this.image.extents;
    const extents: readonly Extent[] = places.map(({ offset, length }) => ({
      fd: from?.fd ?? -1,
      path: `${this.path}${path}`,
      offset: (from?.offset ?? 0) + offset,
      length,
    }));
    const { size } = node;
    const read = (offset: number, length: number): Uint8Array => {
      if (!isWithin(size, offset, length)) {
        throw new RangeError(`bytes ${offset}+${length} are outside of a file of ${size}`);
      }
      const [first] = places;
      if (first !== undefined && offset + length <= first.length) {
        return source.read(first.offset + offset, length);
      }
      const bytes = new Uint8Array(length);
      let start = 0;
      for (const place of places) {
        const begin = Math.max(offset, start);
        const end = Math.min(offset + length, start + place.length);
        if (end > begin) {
          const piece = source.read(place.offset + begin - start, end - begin);
          bytes.set(piece, begin - offset);
        }
        start += place.length;
      }
      return bytes;
    };
    return {
      path: `${this.path}${path}`,
      canonicalPath: `${this.canonicalPath}${path}`,
      fd: undefined,
      extents,
      size,
      read,
      [Symbol.dispose]: () => undefined,
    };
  }

  /** One copy of a file, however often it is opened: it counts once in the digest. */
  private copy(path: string, node: IsoNode, what: string): HeldFile {
    const known = this.copied.get(path)?.copy;
    if (known !== undefined) return heldBy(known, `${this.canonicalPath}${path}`);
    const copy = this.held.use(Memfd.create(what, `${this.path}${path}`));
    const file = this.rangeOf(path, node, this.image);
    let done = 0;
    appendRange(copy, file, 0, node.size, (bytes) => {
      done += bytes;
      this.listener.progress?.(`copying the ${what}`, done, node.size, "copy");
    });
    copy.seal();
    this.copied.set(path, { copy, node });
    return heldBy(copy, `${this.canonicalPath}${path}`);
  }
}

function describe({ path, canonicalPath, fd, extents }: Memfd) {
  return { path, canonicalPath, fd, extents };
}

function readerAt(copy: Memfd, start: number, size: number): OpenFile["read"] {
  return (offset, length) => {
    if (!isWithin(size, offset, length)) {
      throw new RangeError(`bytes ${offset}+${length} are outside of a part of ${size}`);
    }
    return copy.read(start + offset, length);
  };
}

/** The tree closes it. */
function heldBy(copy: Memfd, canonicalPath: string): HeldFile {
  return {
    path: copy.path,
    canonicalPath,
    fd: copy.fd,
    extents: copy.extents,
    size: copy.size,
    read: (offset, length) => copy.read(offset, length),
    [Symbol.dispose]: () => undefined,
  };
}
