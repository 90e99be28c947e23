/**
 * Words of a GRUB script: grub-core/script/yylex.l. A word is pieces of text, of single and double
 * quotes, and of variables; what they come to is found when the command runs. Pure.
 */

export type Piece =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "variable"; readonly name: string; readonly quoted: boolean };

export type Word = readonly Piece[];

export type Token =
  | { readonly kind: "word"; readonly line: number; readonly word: Word; readonly plain: string }
  | { readonly kind: "\n" | ";" | "{" | "}" | "end"; readonly line: number };

/** A rule that the script breaks; the statement is left out, as GRUB does. */
export class GrubSyntaxError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

const plainCharacter = /[^{}|&$;<> \t\n'"\\]/;
const variableName = /(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?#*@])/y;
/** Fedora's and RHEL's GRUB passes these on as they are, for labels with blanks: hd:LABEL=CentOS\x207. */
const hexEscape = /\\x[0-9A-Fa-f]{2}/y;
const bracedName = /\{([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?#*@])\}/y;

/** Tokens of a script, one at a time: what is behind a token is not looked at. */
export class Lexer {
  private at = 0;
  private line = 1;

  constructor(private readonly text: string) {}

  next(): Token {
    this.skipBlanks();
    const { line } = this;
    const character = this.text[this.at];
    switch (character) {
      case undefined:
        return { kind: "end", line };
      case "\n":
        this.at += 1;
        this.line += 1;
        return { kind: "\n", line };
      case ";":
      case "{":
      case "}":
        this.at += 1;
        return { kind: character, line };
      case "|":
      case "&":
      case "<":
      case ">":
        throw new GrubSyntaxError(line, `GRUB has no ${character}`);
      default:
        return this.word();
    }
  }

  /** After an error: GRUB throws away the line that it has read so far. */
  skipLine(): void {
    const end = this.text.indexOf("\n", this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  private skipBlanks(): void {
    for (;;) {
      const character = this.text[this.at];
      if (character === " " || character === "\t") {
        this.at += 1;
      } else if (character === "\\" && this.text[this.at + 1] === "\n") {
        this.at += 2;
        this.line += 1;
      } else if (character === "#") {
        this.skipLine();
      } else {
        return;
      }
    }
  }

  private word(): Token {
    const { line } = this;
    const pieces: Piece[] = [];
    const start = this.at;
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined) break;
      if (character === "'") this.singleQuoted(pieces);
      else if (character === '"') this.doubleQuoted(pieces, false);
      else if (character === "$") this.dollar(pieces);
      else if (character === "\\") this.escaped(pieces);
      else if (plainCharacter.test(character)) this.bare(pieces);
      else break;
    }
    // What the parser compares with reserved words: without any quoting.
    return { kind: "word", line, word: pieces, plain: this.text.slice(start, this.at) };
  }

  private bare(pieces: Piece[]): void {
    const start = this.at;
    while (this.at < this.text.length && plainCharacter.test(this.text[this.at] ?? ""))
      this.at += 1;
    pieces.push({ kind: "text", text: this.text.slice(start, this.at), quoted: false });
  }

  private escaped(pieces: Piece[]): void {
    hexEscape.lastIndex = this.at;
    const hex = hexEscape.exec(this.text)?.[0];
    if (hex !== undefined) {
      this.at += hex.length;
      pieces.push({ kind: "text", text: hex, quoted: true });
      return;
    }
    const next = this.text[this.at + 1];
    this.at += 2;
    if (next === "\n") this.line += 1;
    else if (next !== undefined) pieces.push({ kind: "text", text: next, quoted: true });
  }

  private singleQuoted(pieces: Piece[]): void {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw new GrubSyntaxError(this.line, "a quote is not closed");
    const text = this.text.slice(this.at + 1, end);
    this.line += text.split("\n").length - 1;
    this.at = end + 1;
    pieces.push({ kind: "text", text, quoted: true });
  }

  private dollar(pieces: Piece[]): void {
    this.at += 1;
    // $"…" is text to translate; it is shown as it is.
    if (this.text[this.at] === '"') this.doubleQuoted(pieces, true);
    else pieces.push({ kind: "variable", name: this.name(), quoted: false });
  }

  /** The name behind a dollar sign. */
  private name(): string {
    for (const pattern of [variableName, bracedName]) {
      pattern.lastIndex = this.at;
      const found = pattern.exec(this.text);
      if (found === null) continue;
      this.at += found[0].length;
      return found[1] ?? found[0];
    }
    throw new GrubSyntaxError(this.line, "no name follows a dollar sign");
  }

  private doubleQuoted(pieces: Piece[], translated: boolean): void {
    const { line } = this;
    let text = "";
    // An empty pair of quotation marks is an argument too.
    const end = () => pieces.push({ kind: "text", text, quoted: true });
    for (this.at += 1; ; ) {
      const character = this.text[this.at];
      const next = this.text[this.at + 1];
      if (character === undefined) {
        throw new GrubSyntaxError(line, "a quote is not closed");
      }
      this.at += 1;
      if (character === "\n") this.line += 1;
      if (character === '"') break;
      if (character === "\\" && next === "\n") {
        this.line += 1;
        this.at += 1;
      } else if (character === "\\" && (next === '"' || next === "\\" || next === "$")) {
        text += next;
        this.at += 1;
      } else if (character === "$" && !(translated && !/[\w{?#]/.test(next ?? ""))) {
        end();
        text = "";
        pieces.push({ kind: "variable", name: this.name(), quoted: true });
      } else {
        text += character;
      }
    }
    end();
  }
}
