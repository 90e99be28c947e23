/** Archives whose bytes hang on their files alone: no owner, no rights of the building machine, one time. */

/** A file of an archive. */
export interface ArchiveFile {
  /** Relative, without `.` or `..`. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly data: Uint8Array;
}

const block = 512;
const encoder = new TextEncoder();

/**
 * A tar archive (ustar: pax(1)) of the files and the folders that they are in, sorted, owned by root.
 * @param seconds the time of all of it, since 1970.
 * @throws Error for a path that ustar cannot hold.
 */
export function tar(files: readonly ArchiveFile[], seconds: number, prefix = ""): Uint8Array {
  const folders = new Set<string>();
  for (const { path } of files) {
    for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
      folders.add(path.slice(0, at + 1));
    }
  }
  const entries = [
    ...[...folders].map((path) => ({ path, mode: 0o755, data: new Uint8Array(0), type: "5" })),
    ...files.map((file) => ({ ...file, type: "0" })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (prefix !== "") {
    entries.unshift({ path: "", mode: 0o755, data: new Uint8Array(0), type: "5" });
  }
  const chunks = entries.flatMap(({ path, mode, data, type }) => [
    header({ path: `${prefix}${path}`, mode, size: data.length, seconds, type }),
    data,
    new Uint8Array(-data.length & (block - 1)),
  ]);
  return Buffer.concat([...chunks, new Uint8Array(2 * block)]);
}

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly seconds: number;
  readonly type: string;
}

/** Offsets and lengths: pax(1), "ustar Interchange Format". */
function header({ path, mode, size, seconds, type }: Entry): Uint8Array {
  const bytes = new Uint8Array(block);
  const put = (at: number, text: string) => bytes.set(encoder.encode(text), at);
  const octal = (at: number, length: number, value: number) =>
    put(at, value.toString(8).padStart(length - 1, "0"));
  // A long path is divided at a slash: 155 bytes before it and 100 behind it
  const cut = encoder.encode(path).length <= 100 ? -1 : path.indexOf("/", path.length - 101);
  const [before, name] = cut === -1 ? ["", path] : [path.slice(0, cut), path.slice(cut + 1)];
  if (encoder.encode(name).length > 100 || encoder.encode(before).length > 155) {
    throw new Error(`the path is too long for an archive: ${path}`);
  }
  put(0, name);
  octal(100, 8, mode);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, size);
  octal(136, 12, seconds);
  // The sum is taken with blanks in its own place
  put(148, "        ");
  put(156, type);
  put(257, "ustar\x0000");
  put(265, "root");
  put(297, "root");
  put(345, before);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return bytes;
}

/** An archive of ar(5), which a Debian package is: deb(5). Every file's name is short. */
export function ar(files: readonly (readonly [string, Uint8Array])[], seconds: number): Uint8Array {
  const chunks = files.flatMap(([name, data]) => {
    const fields = [name.padEnd(16), String(seconds).padEnd(12), "0".padEnd(6), "0".padEnd(6)];
    const head = `${fields.join("")}${"100644".padEnd(8)}${String(data.length).padEnd(10)}\`\n`;
    return [encoder.encode(head), data, encoder.encode(data.length % 2 === 0 ? "" : "\n")];
  });
  return Buffer.concat([encoder.encode("!<arch>\n"), ...chunks]);
}
