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
const field = { name: 0, text: 8, bytecode: 24 } as const;

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
  readonly bytecode: Range;
  /** Where the table says where the bytecode is. */
  readonly at: number;
}

/**
 * Forgets the bytecode of what is further away, in place.
 *
 * @param payload From the length on.
 * @returns Where it was: bytes that nothing refers to any more.
 * @throws Error where the payload is laid out otherwise.
 */
export function forgetFarBytecode(payload: Uint8Array): Range[] {
  const { modules, entry } = readModules(payload);
  const near = nearModules(modules, entry);
  const far = modules.filter(
    ({ name, bytecode }) => !near.has(name) && bytecode.to > bytecode.from,
  );
  const view = viewOf(payload);
  for (const { at } of far) {
    view.setUint32(at, 0, true);
    view.setUint32(at + 4, 0, true);
  }
  return far.map(({ bytecode }) => bytecode).sort((a, b) => a.from - b.from);
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

function readModules(payload: Uint8Array): { modules: Module[]; entry: string } {
  const view = viewOf(payload);
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  const end = Number(view.getBigUint64(0, true)) + lengthSize;
  const directory = end - trailer.length - directorySize;
  const wrong = (what: string) => new Error(`the program is not laid out as expected: ${what}`);
  if (
    !(directory >= lengthSize && end <= payload.length) ||
    bytes.toString("latin1", end - trailer.length, end) !== trailer
  ) {
    throw wrong("it does not end as it should");
  }
  const range = (at: number): Range => {
    const from = view.getUint32(at, true) + lengthSize;
    const to = from + view.getUint32(at + 4, true);
    if (to > directory) throw wrong("something lies outside of it");
    return { from, to };
  };
  const table = range(directory + 8);
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
      bytecode: range(at + field.bytecode),
      at: at + field.bytecode,
    });
  }
  const entry = modules[view.getUint32(directory + 16, true)]?.name;
  if (entry === undefined) throw wrong("it has no entry");
  return { modules, entry };
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
  // `let{TrustGate:e}=await import("…")` and `(await import("…")).manifestReader`
  const path = '"(/\\$bunfs/root/[^"]+)"';
  const asked = quickImports.flatMap((name) => {
    const by = [
      `\\{[^{}]*\\b${name}:\\w+[^{}]*\\}=await import\\(${path}\\)`,
      `\\(await import\\(${path}\\)\\)\\.${name}\\b`,
    ].map((pattern) => new RegExp(pattern, "g"));
    const targets = modules.flatMap((one) => by.flatMap((pattern) => found(pattern, one.name)));
    if (targets.length === 0) {
      throw new Error(`nothing asks for ${name} as expected: look at build/payload.ts anew`);
    }
    return targets;
  });
  return withImports([...near, ...asked]);
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}
