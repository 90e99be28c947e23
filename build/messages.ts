/**
 * `bun build/messages.ts [FOLDER]`: every text of the sources that a user may see, in the order of the
 * files, to be read from top to bottom. `…` stands for what is put in.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

export interface Message {
  /** From the repository's root. */
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Where the reader of a source stands: code, or a text that began at a line. */
interface Reader {
  readonly source: string;
  at: number;
  line: number;
}

/** The texts of a TypeScript source: what stands in quotes, joined where `+` joins them. */
export function textsOf(source: string): readonly Omit<Message, "path">[] {
  const reader: Reader = { source, at: 0, line: 1 };
  const found: { line: number; text: string }[] = [];
  readCode(reader, found, "");
  return found;
}

/** Reads until `end`, which closes a `${`, or to the end of the source. */
function readCode(reader: Reader, found: { line: number; text: string }[], end: string): void {
  const { source } = reader;
  let depth = 0;
  let joins = false;
  // What stands before a slash tells a division from a regular expression
  let before = "";
  while (reader.at < source.length) {
    const char = source.charAt(reader.at);
    if (char === end && depth === 0) return;
    if (source.startsWith("//", reader.at)) {
      skipTo(reader, "\n");
    } else if (source.startsWith("/*", reader.at)) {
      skipTo(reader, "*/");
      reader.at += 2;
    } else if (char === "/" && /[=(,:;!&|?{}[\n>]|^$|return$/.test(before)) {
      skipExpression(reader);
      before = "/";
    } else if (char === '"' || char === "`" || char === "'") {
      const { line } = reader;
      const text = readText(reader, found, char);
      const last = found.at(-1);
      if (joins && last !== undefined) last.text += text;
      else found.push({ line, text });
      joins = false;
      before = '"';
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      if (char === "\n") reader.line++;
      if (char === "+" && before === '"') joins = true;
      else if (!/\s/.test(char)) joins = false;
      if (!/\s/.test(char)) {
        before = /\w/.test(char) && /\w$/.test(before) ? `${before}${char}`.slice(-6) : char;
      }
      reader.at++;
    }
  }
}

/** Moves to a word, counting lines. */
function skipTo(reader: Reader, word: string): void {
  const found = reader.source.indexOf(word, reader.at);
  const end = found === -1 ? reader.source.length : found;
  reader.line += reader.source.slice(reader.at, end).split("\n").length - 1;
  reader.at = end;
}

function skipExpression(reader: Reader): void {
  let inClass = false;
  for (reader.at++; reader.at < reader.source.length; reader.at++) {
    const char = reader.source.charAt(reader.at);
    if (char === "\\") reader.at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) break;
  }
  reader.at++;
}

/** A text in quotes; what a template puts in is `…`, and the texts within that are found, too. */
function readText(reader: Reader, found: { line: number; text: string }[], quote: string): string {
  const inner: { line: number; text: string }[] = [];
  let text = "";
  for (reader.at++; reader.at < reader.source.length; reader.at++) {
    const char = reader.source.charAt(reader.at);
    if (char === quote) break;
    if (char === "\n") reader.line++;
    if (char === "\\") {
      reader.at++;
      const escaped = reader.source.charAt(reader.at);
      text += { n: "\n", t: "\t" }[escaped] ?? escaped;
    } else if (quote === "`" && reader.source.startsWith("${", reader.at)) {
      reader.at += 2;
      readCode(reader, inner, "}");
      text += "…";
    } else text += char;
  }
  reader.at++;
  found.push(...inner);
  return text;
}

/** Two words or more, or one and what is put in: not a key, a path or a fragment of shell. */
function isSentence(text: string): boolean {
  return /[a-zA-Z…]+[,:;]? [a-zA-Z…]+/.test(text) && /[a-z]{2}/.test(text);
}

/** The messages of a folder of sources. */
export function messagesOf(folder: string): Message[] {
  const paths = [...new Bun.Glob(`${folder}/**/*.ts`).scanSync({ cwd: root })].sort();
  return paths.flatMap((path) =>
    textsOf(readFileSync(join(root, path), "utf8"))
      .filter(({ text }) => isSentence(text))
      .map((one) => ({ path, ...one })),
  );
}

if (import.meta.main) {
  let last = "";
  for (const { path, line, text } of messagesOf(process.argv[2] ?? "src")) {
    if (path !== last) console.log(`\n${path}`);
    last = path;
    console.log(`${String(line).padStart(4)}  ${text.replace(/\n/g, "\n      ")}`);
  }
}
