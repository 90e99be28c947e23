/** The statements of a GRUB script: grub-core/script/parser.y. Pure. */
import { GrubSyntaxError, Lexer, type Token, type Word } from "./words.ts";

export interface Simple {
  readonly kind: "simple";
  readonly line: number;
  readonly words: readonly Word[];
  /** What stands in braces behind the words. */
  readonly block: Block | undefined;
}

export type Block = readonly Command[];

export type Command =
  | Simple
  | {
      readonly kind: "if";
      readonly line: number;
      readonly clauses: readonly { readonly condition: Block; readonly then: Block }[];
      readonly otherwise: Block | undefined;
    }
  | {
      readonly kind: "for";
      readonly line: number;
      readonly name: string;
      readonly words: readonly Word[];
      readonly body: Block;
    }
  | {
      readonly kind: "while";
      readonly line: number;
      readonly until: boolean;
      readonly condition: Block;
      readonly body: Block;
    }
  | {
      readonly kind: "function";
      readonly line: number;
      readonly name: string;
      readonly body: Block;
    };

const deepest = 64;
const closing = ["then", "elif", "else", "fi", "do", "done", "in", "esac"];

/**
 * Statements one at a time, as GRUB reads them: each is run before the next is read, and one that is
 * broken takes no other with it.
 */
export class Parser {
  private readonly lexer: Lexer;
  private token: Token | undefined;
  private depth = 0;

  constructor(text: string) {
    // As grub_file_getline: line ends of Windows are line ends.
    this.lexer = new Lexer(text.replace(/^\ufeff/, "").replaceAll("\r", ""));
  }

  /**
   * The next statement; undefined at the end.
   * @throws GrubSyntaxError, and goes on behind the line that it is about
   */
  statement(): Command | undefined {
    try {
      this.depth = 0;
      this.skipDelimiters();
      if (this.peek().kind === "end") return undefined;
      const command = this.command();
      const { kind, line } = this.peek();
      if (kind !== "\n" && kind !== ";" && kind !== "end") {
        throw new GrubSyntaxError(line, `${kind} is out of place`);
      }
      return command;
    } catch (error) {
      // Where the line's end is the offending token, it has been read.
      if (this.token?.kind !== "\n") this.lexer.skipLine();
      this.token = undefined;
      throw error;
    }
  }

  private peek(): Token {
    this.token ??= this.lexer.next();
    return this.token;
  }

  private take(): Token {
    const token = this.peek();
    this.token = undefined;
    return token;
  }

  private skipDelimiters(): void {
    while (this.peek().kind === "\n" || this.peek().kind === ";") this.take();
  }

  private isWord(text: string): boolean {
    const token = this.peek();
    return token.kind === "word" && token.plain === text;
  }

  private expect(text: string): void {
    const token = this.take();
    const found = token.kind === "word" ? token.plain : token.kind;
    if (found !== text) throw new GrubSyntaxError(token.line, `${text} is missing`);
  }

  private command(): Command {
    const { line } = this.peek();
    this.depth += 1;
    if (this.depth > deepest)
      throw new GrubSyntaxError(line, `it is nested deeper than ${deepest}`);
    const command = this.compound(line) ?? this.simple(line);
    this.depth -= 1;
    return command;
  }

  private compound(line: number): Command | undefined {
    const token = this.peek();
    if (token.kind !== "word") return undefined;
    switch (token.plain) {
      case "if":
        this.take();
        return this.conditional(line);
      case "for":
        this.take();
        return this.loopOver(line);
      case "while":
      case "until":
        this.take();
        return this.loop(line, token.plain === "until");
      case "function":
        this.take();
        return this.functionDefinition(line);
      default:
        if (closing.includes(token.plain)) {
          throw new GrubSyntaxError(line, `${token.plain} is out of place`);
        }
        return undefined;
    }
  }

  private simple(line: number): Simple {
    const words = this.words();
    if (words.length === 0) {
      const { kind } = this.peek();
      throw new GrubSyntaxError(line, `${kind === "\n" ? "a line's end" : kind} is out of place`);
    }
    return { kind: "simple", line, words, block: this.block() };
  }

  private words(): Word[] {
    const words: Word[] = [];
    for (let token = this.peek(); token.kind === "word"; token = this.peek()) {
      words.push(token.word);
      this.take();
    }
    return words;
  }

  private block(): Block | undefined {
    if (this.peek().kind !== "{") return undefined;
    this.take();
    const commands = this.commands(() => this.peek().kind === "}");
    this.take();
    return commands;
  }

  private commands(atEnd: () => boolean): Block {
    const commands: Command[] = [];
    for (;;) {
      this.skipDelimiters();
      if (atEnd()) return commands;
      if (this.peek().kind === "end") {
        throw new GrubSyntaxError(this.peek().line, "the script ends inside of a block");
      }
      commands.push(this.command());
    }
  }

  private until(...words: readonly string[]): Block {
    return this.commands(() => words.some((word) => this.isWord(word)));
  }

  private conditional(line: number): Command {
    const clauses: { condition: Block; then: Block }[] = [];
    for (;;) {
      const condition = this.until("then");
      this.expect("then");
      const then = this.until("elif", "else", "fi");
      clauses.push({ condition, then });
      if (this.isWord("elif")) {
        this.take();
        continue;
      }
      let otherwise: Block | undefined;
      if (this.isWord("else")) {
        this.take();
        otherwise = this.until("fi");
      }
      this.expect("fi");
      return { kind: "if", line, clauses, otherwise };
    }
  }

  private loopOver(line: number): Command {
    const name = this.name();
    this.expect("in");
    const words = this.words();
    this.skipDelimiters();
    this.expect("do");
    const body = this.until("done");
    this.expect("done");
    return { kind: "for", line, name, words, body };
  }

  private loop(line: number, until: boolean): Command {
    const condition = this.until("do");
    this.expect("do");
    const body = this.until("done");
    this.expect("done");
    return { kind: "while", line, until, condition, body };
  }

  private functionDefinition(line: number): Command {
    const name = this.name();
    this.skipDelimiters();
    const body = this.block();
    if (body === undefined) throw new GrubSyntaxError(line, "the function has no block");
    return { kind: "function", line, name, body };
  }

  private name(): string {
    const token = this.take();
    if (token.kind === "word" && /^[A-Za-z_][A-Za-z0-9_]*$/.test(token.plain)) return token.plain;
    throw new GrubSyntaxError(token.line, "a name is missing");
  }
}
