/**
 * The program within a compiled binary: Bun's modules, each as text and as bytecode.
 *
 * Bytecode spares a module the parser, and is four times as large as its text. Where every start goes,
 * it stays. What is loaded only when a source, a command or an option asks for it is compiled then,
 * which takes a millisecond; its bytecode goes.
 *
 * The layout is Bun's own (StandaloneModuleGraph), of the pinned version: the length of what follows,
 * the modules' bytes, their table, and at the end where that is.
 */

const lengthSize = 8;
const trailer = "\n---- Bun! ----\n";
/** u64 bytes; u32 offset and length of the table; u32 entry; u32 offset and length of arguments; u32 flags. */
const directorySize = 32;
/** Offset and length, u32 each, of name, text, source map, bytecode, facts and origin; 4 bytes of kinds. */
const entrySize = 52;
const field = { name: 0, text: 8, sourceMap: 16, bytecode: 24, facts: 32, origin: 40 } as const;
const directoryField = { table: 8, entry: 16, options: 20 } as const;
/** What begins at a multiple of this must do so again. */
const alignment = 128;

/** Commands whose start counts: src/cli/commands/index.ts. */
const quick = ["boot", "load", "exec"];

/** What a load of a signed generation asks for on its way, by the names that it asks by. */
const quickImports = ["fileKinds", "manifestReader", "TrustGate", "copyChecked"];

export interface Range {
  readonly from: number;
  readonly to: number;
}

interface Module {
  readonly name: string;
  readonly text: string;
  /** Of its entry in the table. */
  readonly at: number;
}

/**
 * The program without the bytecode of what is further away: laid out anew, what is near first.
 *
 * @param payload From the length on; what follows the program is left out.
 * @throws Error where the payload is laid out otherwise.
 */
export function withoutFarBytecode(payload: Uint8Array): Uint8Array {
  const { modules, entry, table, directory } = readModules(payload);
  const near = nearModules(modules, entry);
  const view = viewOf(payload);
  const entries = new Uint8Array(payload.subarray(table.from, table.to));
  const entriesView = viewOf(entries);
  const parts: Uint8Array[] = [];
  let end = 0;
  const put = (from: number, to: number) => {
    // Bytecode is mapped as it is, and wants its alignment.
    const gap = (((from - end) % alignment) + alignment) % alignment;
    parts.push(new Uint8Array(gap), payload.subarray(from, to));
    end += gap + to - from;
    return end - (to - from);
  };
  const places = modules
    .flatMap(({ name, at }) => Object.values(field).map((place) => ({ name, at, place })))
    .map((one) => ({ ...one, ...rangeIn(view, one.at + one.place) }))
    .filter(({ from, to }) => to > from)
    .sort((one, other) => one.from - other.from);
  put(0, places[0]?.from ?? lengthSize);
  for (const [index, { name, at, place, from, to }] of places.entries()) {
    const moved = at - table.from + place;
    if (place === field.bytecode && !near.has(name)) {
      entriesView.setBigUint64(moved, 0n, true);
      continue;
    }
    // With the NUL behind a text, and with what all bytecode shares: that has no entry, and must not move.
    const next = places[index + 1]?.from ?? table.from;
    const now = put(from, next);
    if (next - to >= alignment && now !== from) throw wrong("what bytecode shares would move");
    entriesView.setUint32(moved, now - lengthSize, true);
  }
  const newTable = put(table.from, table.to);
  parts.splice(-1, 1, entries);
  const rest = put(table.to, directory + directorySize + trailer.length);
  const shift = rest - table.to;
  const result = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  const now = viewOf(result);
  now.setBigUint64(0, BigInt(end - lengthSize), true);
  now.setBigUint64(directory + shift, BigInt(directory + shift - lengthSize), true);
  now.setUint32(directory + shift + directoryField.table, newTable - lengthSize, true);
  const options = directory + shift + directoryField.options;
  if (now.getUint32(options + 4, true) > 0) {
    now.setUint32(options, now.getUint32(options, true) + shift, true);
  }
  return result;
}

/** All parts of each module, by its name: for who compares two. @throws Error as above */
export function partsOf(payload: Uint8Array): Map<string, Readonly<Record<string, Uint8Array>>> {
  const { modules } = readModules(payload);
  const view = viewOf(payload);
  return new Map(
    modules.map(({ name, at }) => [
      name,
      Object.fromEntries(
        Object.entries(field).map(([part, place]) => {
          const { from, to } = rangeIn(view, at + place);
          return [part, payload.subarray(from, to)];
        }),
      ),
    ]),
  );
}

/** Names of the modules that keep their bytecode. @throws Error where the payload is laid out otherwise */
export function quickModules(payload: Uint8Array): ReadonlySet<string> {
  const { modules, entry } = readModules(payload);
  return nearModules(modules, entry);
}

/** The texts of all modules. @throws Error where the payload is laid out otherwise */
export function programText(payload: Uint8Array): string {
  return readModules(payload)
    .modules.map(({ text }) => text)
    .join("\n");
}

function readModules(payload: Uint8Array): {
  modules: Module[];
  entry: string;
  table: Range;
  directory: number;
} {
  const view = viewOf(payload);
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const end = Number(view.getBigUint64(0, true)) + lengthSize;
  const directory = end - trailer.length - directorySize;
  if (
    !(directory >= lengthSize && end <= payload.length) ||
    bytes.toString("latin1", end - trailer.length, end) !== trailer
  ) {
    throw wrong("it does not end as it should");
  }
  const range = (at: number): Range => {
    const found = rangeIn(view, at);
    if (found.to > directory) throw wrong("something lies outside of it");
    return found;
  };
  const table = range(directory + directoryField.table);
  if (table.to === table.from || (table.to - table.from) % entrySize !== 0) {
    throw wrong("its table has another size");
  }
  const modules: Module[] = [];
  for (let at = table.from; at < table.to; at += entrySize) {
    const text = (range: Range) => bytes.toString("latin1", range.from, range.to);
    const name = text(range(at + field.name));
    if (!name.startsWith("/$bunfs/root/")) throw wrong("a module has another name");
    modules.push({
      name,
      text: text(range(at + field.text)),
      at,
    });
    for (const place of Object.values(field)) range(at + place);
  }
  const entry = modules[view.getUint32(directory + directoryField.entry, true)]?.name;
  if (entry === undefined) throw wrong("it has no entry");
  return { modules, entry, table, directory };
}

/**
 * Names of the modules that are loaded with the entry, with the command line, as a quick command or by one.
 *
 * @throws Error where a quick command, or what it asks for, is not found.
 */
function nearModules(modules: readonly Module[], entry: string): Set<string> {
  const texts = new Map(modules.map(({ name, text }) => [name, text]));
  const found = (pattern: RegExp, name: string) =>
    [...(texts.get(name) ?? "").matchAll(pattern)].map(([, other = ""]) => other);
  /** With all that is loaded along with them. */
  const withImports = (names: Iterable<string>): Set<string> => {
    const all = new Set(names);
    // A set grows while it is gone through, and what is added is gone through too
    for (const name of all) {
      for (const other of found(/(?:from|import)"(\/\$bunfs\/root\/[^"]+)"/g, name)) all.add(other);
    }
    return all;
  };
  const started = withImports([entry]);
  const loader = new RegExp(
    `\\b(?:${quick.join("|")}):async\\(\\)=>\\(await import\\("([^"]+)"\\)\\)`,
    "g",
  );
  const commands = modules.flatMap(({ name }) => found(loader, name));
  // A program of another kind, as the tests and the bench build, has none of them.
  if (commands.length === 0) return started;
  const knowsCommands = (names: readonly string[]) =>
    [...withImports(names)].some((one) => found(loader, one).length > 0);
  const lines = [...started]
    .flatMap((name) => found(/import\("(\/\$bunfs\/root\/[^"]+)"\)/g, name))
    .filter((name) => knowsCommands([name]));
  if (commands.length !== quick.length || !knowsCommands([entry, ...lines])) {
    throw new Error("the commands are not loaded as expected: look at build/payload.ts anew");
  }
  const near = withImports([...started, ...lines, ...commands]);
  // `let{fileKinds}=await import("…")`, `(await import("…")).copyChecked` and `import("…").then(({TrustGate})`
  const path = '"(/\\$bunfs/root/[^"]+)"';
  const asked = quickImports.flatMap((name) => {
    const by = [
      `\\{[^{}]*\\b${name}\\b[^{}]*\\}=await import\\(${path}\\)`,
      `\\(await import\\(${path}\\)\\)\\.${name}\\b`,
      `import\\(${path}\\)\\.then\\(\\(\\{[^{}]*\\b${name}\\b`,
    ].map((pattern) => new RegExp(pattern, "g"));
    const targets = modules.flatMap((one) => by.flatMap((pattern) => found(pattern, one.name)));
    if (targets.length === 0) {
      throw new Error(`nothing asks for ${name} as expected: look at build/payload.ts anew`);
    }
    return targets;
  });
  return withImports([...near, ...asked]);
}

function rangeIn(view: DataView, at: number): Range {
  const from = view.getUint32(at, true) + lengthSize;
  return { from, to: from + view.getUint32(at + 4, true) };
}

function wrong(what: string): Error {
  return new Error(`the program is not laid out as expected: ${what}`);
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}
