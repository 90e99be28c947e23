/**
 * The runtime's own modules (node:http2, node:test, bun:sql, …) that this program cannot ask for.
 *
 * They are JavaScript, 2.5 MB of plain text in one section, and know each other by number only:
 * `@createInternalModuleById(121)`. So what a program can reach is what it names, what the runtime
 * itself asks for, and what those name in turn. Of the others the text goes; in the table they are all
 * one short text then, which throws: asked for all the same, they are an error and no fault.
 *
 * The section's layout is Bun's own, of the pinned version. Its header, u32 each behind the mark: version,
 * a digest, the modules' count, the table's offset; the seventh is where the offsets in it count from.
 */

const mark = Buffer.from("BUNBLTNS\x01\0\0\0", "latin1");
const tableOffset = 48;
/** Offset and length, u32 each, of name, file's name and text. */
const entrySize = 24;
const textField = 16;

/** Another number of modules is another runtime: look at what it asks for itself. */
export const builtinCount = 197;

/** What native code of Bun 1.4.2 asks for by itself, whatever a program names (`requireId`). */
const askedByRuntime = [
  "node:diagnostics_channel",
  "node:events",
  "node:fs",
  "node:timers/promises",
  "node:util",
  "node:worker_threads",
  "internal:process/pre_execution",
];

const instead = Buffer.from(
  '(function (){"use strict";throw new Error("this module of the runtime is not in this program")})\n',
);

interface Builtin {
  readonly name: string;
  /** Of its text, from the begin of the file. */
  readonly from: number;
  readonly to: number;
  /** Where the table says where the text is. */
  readonly at: number;
}

/** Bytes of a file, offsets from its begin. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Takes the modules out of the table, in place, that nothing reaches.
 *
 * @param bytes The compiled binary, or a part of it that has all of the modules.
 * @param program The texts of the program in it: a module that they name in quotes is asked for.
 * @returns where nothing refers to any more, in order
 * @throws Error where the modules are not laid out as expected
 */
export function forgetBuiltins(bytes: Buffer, program: string): Stretch[] {
  const modules = readBuiltins(bytes);
  const kept = reachable(bytes, modules, program);
  const gone = modules.filter(({ name }) => !kept.has(name));
  const [first] = gone;
  if (first === undefined) return [];
  instead.copy(bytes, first.from);
  for (const { at } of gone) {
    bytes.writeUInt32LE(bytes.readUInt32LE(first.at + textField), at + textField);
    bytes.writeUInt32LE(instead.length, at + textField + 4);
  }
  const stretches: { from: number; to: number }[] = [];
  for (const one of gone) {
    const last = stretches.at(-1);
    // Between two is one byte.
    if (last?.to === one.from - 1) last.to = one.to;
    else stretches.push({ from: one === first ? one.from + instead.length : one.from, to: one.to });
  }
  return stretches;
}

/** In the order of their texts. @throws Error */
export function readBuiltins(bytes: Buffer): readonly Builtin[] {
  const wrong = (what: string) => new Error(`the runtime's modules are not as expected: ${what}`);
  const start = bytes.indexOf(mark);
  if (start < 0 || bytes.indexOf(mark, start + 1) >= 0) throw wrong("not one section");
  const u32 = (at: number) => bytes.readUInt32LE(at);
  const header = start + mark.length;
  const [count, table, base] = [u32(header + 4), u32(header + 8), start + u32(header + 20)];
  if (count !== builtinCount || table !== tableOffset) {
    throw wrong(`${count} of them, not ${builtinCount}`);
  }
  const modules = Array.from({ length: count }, (_, i): Builtin => {
    const at = start + table + i * entrySize;
    const name = base + u32(at);
    const from = base + u32(at + textField);
    const to = from + u32(at + textField + 4);
    return { name: bytes.toString("latin1", name, name + u32(at + 4)), from, to, at };
  });
  for (const { name, from, to } of modules) {
    if (!/^[\w:/-]+$/.test(name)) throw wrong("a name");
    const text = bytes.toString("latin1", from, to);
    if (!text.startsWith("(function (){") || !/}\);?\n$/.test(text))
      throw wrong(`the text of ${name}`);
  }
  return modules.sort((a, b) => a.from - b.from);
}

/** Names of the modules that may be asked for. */
export function reachable(
  bytes: Buffer,
  modules: readonly Builtin[],
  program: string,
): ReadonlySet<string> {
  const byNumber = [...modules].sort((a, b) => a.at - b.at);
  const askedIn = ({ from, to }: Stretch) =>
    [...bytes.toString("latin1", from, to).matchAll(/@createInternalModuleById\((\d+)\)/g)].flatMap(
      // Native modules have the numbers behind those.
      ([, number]) => byNumber[Number(number)] ?? [],
    );
  const [first, last] = [modules[0]?.from ?? 0, modules.at(-1)?.to ?? 0];
  const asked = modules.filter(
    ({ name }) =>
      askedByRuntime.includes(name) || ["'", '"', "`"].some((q) => program.includes(q + name + q)),
  );
  // A set grows while it is gone through, and what is added is gone through too
  const kept = new Set([
    ...asked,
    ...askedIn({ from: 0, to: first }),
    ...askedIn({ from: last, to: bytes.length }),
  ]);
  for (const one of kept) for (const other of askedIn(one)) kept.add(other);
  return new Set([...kept].map(({ name }) => name));
}
