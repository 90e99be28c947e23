/** Unpacks compressed kernels into memory, in pieces: neither input nor output is held whole. */
import { cannot, KexecError } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { type Compression, zstdWindow } from "../image/compression.ts";
import { Memfd } from "../linux/memfd.ts";
import type { Listener } from "../listener.ts";
import { shellWord } from "../visible.ts";
import type { OpenFile } from "./open-file.ts";
import { withoutPadding } from "./padding.ts";

/**
 * Bytes that a kernel may have once it is unpacked, 512 MiB: twenty times what distributions ship,
 * and soon reached by a decompression bomb. As many may go in.
 */
export const largestUnpacked = 512 << 20;

const piece = 256 << 10;
/** Bytes of output that tell a kernel, or what it is packed in, from anything else. */
const beginning = 64 << 10;
/** ZSTD_WINDOWLOG_LIMIT_DEFAULT of zstd.h, as Bun leaves it: what `zstd --ultra -22` makes, too. */
const largestWindow = 1 << 27;

/** The compressions that Bun's own libraries undo. */
type Unpackable = "gzip" | "zstd";

/** The tools that undo the others. */
const tools: Readonly<Record<Exclude<Compression, Unpackable>, string>> = {
  xz: "xz -dc",
  lzma: "xz -dc --format=lzma",
  "lz4-legacy": "lz4 -dc",
  lz4: "lz4 -dc",
  bzip2: "bzip2 -dc",
  lzo: "lzop -dc",
};

/**
 * Unpacks `given` into a file in memory, not sealed yet, that messages call by the part's path.
 * @param mostBytes Of output; `largestUnpacked` holds as well.
 * @param isWanted Whether it may be what is looked for, by its beginning: if not, the rest of it, which may be
 *   a bomb, is not unpacked, and what there is is returned.
 * @throws KexecError `kernel-unsuitable`: a format that is not unpacked here; `malformed-input`,
 *   `kernel-truncated`, `file-too-large`, `out-of-memory`, `io-error`
 */
export async function unpack(
  given: OpenFile,
  compression: Compression,
  mostBytes: number,
  listener: Listener,
  isWanted: (beginning: ByteSource) => boolean,
): Promise<Memfd> {
  if (compression !== "gzip" && compression !== "zstd") throw notUnpacked(given, compression);
  if (compression === "zstd" && (zstdWindow(given) ?? 0) > largestWindow) throw longWindow(given);
  if (given.size > largestUnpacked) throw tooLarge(given, largestUnpacked, "it has more than");
  const limit = Math.min(mostBytes, largestUnpacked);
  const part = await withoutPadding(given, compression, limit);
  using unpacked = new DisposableStack();
  const memfd = unpacked.use(Memfd.create("kernel", part.path));
  const decompression = new DecompressionStream(compression);
  const reader = decompression.readable.getReader();
  const fed = feed(part, decompression.writable.getWriter(), listener);
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(damaged(part, compression));
      if (done) break;
      if (memfd.size + value.byteLength > limit) throw overLimit(part, limit);
      const known = memfd.size >= beginning;
      memfd.append(value);
      if (known || memfd.size < beginning || isWanted(memfd)) continue;
      await reader.cancel();
      await fed;
      unpacked.move();
      return memfd;
    }
    const failure = await fed;
    if (failure !== undefined) throw failure;
  } catch (error) {
    // A failure to read the file shows as the end of the stream: the first cause counts.
    reader.cancel().catch(() => undefined);
    const failure = await fed;
    throw failure instanceof KexecError ? failure : error;
  }
  if (memfd.size === 0) {
    throw cannot(`unpack ${part.path}`, {
      code: "malformed-input",
      details: { path: part.path },
      why: "there is nothing in it",
      hint: "copy or download it again",
    });
  }
  unpacked.move();
  return memfd;
}

/** Writes the part into the stream as fast as it is read. Returns why it could not. */
async function feed(
  part: OpenFile,
  writer: WritableStreamDefaultWriter,
  listener: Listener,
): Promise<unknown> {
  try {
    for (let at = 0; at < part.size; at += piece) {
      const bytes = part.read(at, Math.min(piece, part.size - at));
      await writer.write(Uint8Array.from(bytes));
      listener.progress?.("unpacking the kernel", at + bytes.byteLength, part.size, "unpack");
    }
    await writer.close();
    return undefined;
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    return error;
  }
}

function damaged(part: OpenFile, compression: Unpackable): (cause: unknown) => never {
  return (cause) => {
    const text = cause instanceof Error ? cause.message : "";
    if (/unexpected end/i.test(text)) {
      throw cannot(
        `unpack ${part.path}`,
        {
          code: "kernel-truncated",
          details: { path: part.path },
          why: `its ${compression} stream is cut short`,
          hint: "copy or download it again",
        },
        { cause },
      );
    }
    const junk = /trailing/i.test(text);
    throw cannot(
      `unpack ${part.path}`,
      {
        code: "malformed-input",
        details: { path: part.path },
        why: `${
          junk
            ? `something follows its ${compression} stream`
            : `its ${compression} stream is damaged`
        }`,
        hint: "copy or download it again",
      },
      { cause },
    );
  };
}

function overLimit(part: OpenFile, limit: number): KexecError {
  if (limit >= largestUnpacked) return tooLarge(part, limit, "it unpacks to more than");
  return cannot(`unpack ${part.path}`, {
    code: "out-of-memory",
    why: `it unpacks to more than ${Math.floor(limit / 1048576)} MiB, and a kernel may have a third of the free memory`,
    hint: "free memory: the kernel holds the unpacked image twice while it loads it",
  });
}

function tooLarge(part: OpenFile, limit: number, what: string): KexecError {
  return cannot(`unpack ${part.path}`, {
    code: "file-too-large",
    details: { path: part.path },
    why: `${what} ${limit / 1048576} MiB`,
    hint: "no kernel is that large: this is a damaged or a hostile file",
  });
}

function notUnpacked(part: OpenFile, compression: keyof typeof tools): KexecError {
  return cannot(`unpack ${part.path}`, {
    code: "kernel-unsuitable",
    details: { path: part.path },
    why: `it is compressed by ${compression.replace("-legacy", "")}; gzip and zstd are unpacked here`,
    hint: `unpack it first: ${commandFor(part, tools[compression])}`,
  });
}

function longWindow(part: OpenFile): KexecError {
  return cannot(`unpack ${part.path}`, {
    code: "kernel-unsuitable",
    details: { path: part.path },
    why: `its zstd stream was made with a window of more than ${largestWindow >> 20} MiB`,
    hint: `unpack it first: ${commandFor(part, "zstd -dc --long=31")}`,
  });
}

/** What a shell must be told to unpack a part by `tool`. */
function commandFor({ path: own, fd, extents: [first], size }: OpenFile, tool: string): string {
  const path = first?.path ?? own;
  const target = shellWord(unpackedName(path));
  return fd !== undefined || first === undefined
    ? `${tool} ${shellWord(path)} > ${target}`
    : `tail -c +${first.offset + 1} ${shellWord(path)} | head -c ${size} | ${tool} > ${target}`;
}

function unpackedName(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const bare = name.replace(/\.(xz|lzma|lz4|bz2|lzo|zst)$/i, "");
  return bare === name || bare === "" ? `${name}.unpacked` : bare;
}
