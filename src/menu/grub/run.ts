/** Runs a GRUB script: grub-core/script/execute.c. Pure: files are the host's. */

import type { MenuHost, MenuPlace, MenuWrite } from "../host.ts";
import { Budget, costs, GrubLimit } from "./budget.ts";
import { Devices } from "./devices.ts";
import { expandWords } from "./expand.ts";
import { Functions } from "./functions.ts";
import { type Block, type Command, Parser, type Simple } from "./parse.ts";
import type { GrubStart } from "./start.ts";
import type { Defined, Loaded } from "./state.ts";
import { Variables } from "./variables.ts";
import { GrubSyntaxError } from "./words.ts";

/** Of one file; grub-mkconfig makes a hundredth of it. */
export const largestConfig = 1 << 20;
const deepest = 32;
const mostNotes = 64;
const mostEntries = 4096;

/** A command of GRUB: 0 where it does its work, or nothing said. */
export type GrubCommand = (
  run: Run,
  args: readonly string[],
  command: Simple,
  name: string,
) => number | undefined;

export class Run {
  readonly notes: string[] = [];
  readonly devices: Devices;
  variables = new Variables();
  functions = new Functions();
  parameters: readonly string[] = [];
  menu: Defined[] = [];
  loaded: Loaded | undefined;
  writes: MenuWrite[] = [];
  /** The last command that failed, for an entry that then loads nothing. */
  failed: string | undefined;
  /** What `load_env` has read. */
  readonly environment = new Map<string, string>();
  /** Configurations whose menus are around the entry that runs. */
  readonly active = new Set<string>();
  loops = 0;
  breaks = 0;
  continues = false;
  returns = false;
  file = "";
  private readonly budget = new Budget();
  readonly spend = this.budget.spend;
  private depth = 0;
  private entries = mostEntries;

  constructor(
    host: MenuHost,
    readonly start: GrubStart,
    takesOwn: boolean,
    private readonly commands: Readonly<Record<string, GrubCommand>>,
  ) {
    const own = start.config.device;
    const note = (text: string) => this.note(undefined, text);
    this.devices = new Devices(host, own, { takesOwn, note, spend: this.spend });
  }

  note(line: number | undefined, text: string): void {
    const note = line === undefined ? text : `${this.file}:${line}: ${text}`;
    if (this.notes.length < mostNotes && !this.notes.includes(note)) this.notes.push(note);
  }

  /** A command that fails: a note, and its return value. */
  fail(line: number, text: string): 1 {
    this.failed = text;
    this.note(line, text);
    return 1;
  }

  /** `(device)/path`, or a path on `$root`. */
  place(text: string): MenuPlace {
    const [, device = this.variables.get("root") ?? "", path = ""] =
      /^(?:\(([^)]*)\))?(.*)$/s.exec(text) ?? [];
    return { device, path: path.replace(/\/{2,}/g, "/") };
  }

  define(entry: Defined): void {
    this.entries -= 1;
    if (this.entries < 0) throw new GrubLimit(`it has more than ${mostEntries} entries`);
    this.menu.push(entry);
  }

  /** The text of a configuration; undefined where it cannot be read. */
  readConfig(place: MenuPlace): string | undefined {
    if (this.devices.status(place)?.kind !== "file") return undefined;
    const bytes = this.devices.read(place, largestConfig + 1);
    if (bytes === undefined) return undefined;
    if (bytes.length > largestConfig) {
      throw new GrubLimit(`${place.path} is too large for a configuration`);
    }
    return new TextDecoder().decode(bytes);
  }

  /** Statements one by one: a broken one is noted, and the next is run. */
  runText(text: string, file: string): number {
    const before = this.file;
    this.file = file;
    this.deeper();
    this.spend(costs.parsed * text.length);
    const parser = new Parser(text);
    let result = 0;
    for (;;) {
      try {
        const statement = parser.statement();
        if (statement === undefined) break;
        result = this.runCommand(statement);
      } catch (error) {
        if (!(error instanceof GrubSyntaxError)) throw error;
        this.note(error.line, error.message);
      }
    }
    this.depth -= 1;
    this.file = before;
    return result;
  }

  /** Gives `work` the share of an entry. */
  asEntry(work: () => void): void {
    this.budget.beginEntry();
    this.depth = 0;
    work();
  }

  runBlock(block: Block): number {
    let result = 0;
    this.deeper();
    for (const command of block) {
      if (this.breaks > 0) break;
      result = this.runCommand(command);
      if (this.returns) break;
    }
    this.depth -= 1;
    return result;
  }

  private deeper(): void {
    this.depth += 1;
    if (this.depth > deepest * 4) throw new GrubLimit("blocks and functions are nested too deeply");
  }

  private runCommand(command: Command): number {
    this.budget.step();
    const result = this.dispatch(command);
    this.variables.set("?", String(result));
    return result;
  }

  private dispatch(command: Command): number {
    switch (command.kind) {
      case "simple":
        return this.runSimple(command);
      case "function":
        this.functions.set(command.name, command.body);
        return 0;
      case "if":
        for (const { condition, then } of command.clauses) {
          const result = this.runBlock(condition);
          if (this.returns) return result;
          if (result === 0) return this.runBlock(then);
        }
        return command.otherwise === undefined ? 0 : this.runBlock(command.otherwise);
      case "for":
        return this.runFor(command);
      case "while":
        return this.runWhile(command);
    }
  }

  private runFor({ name, words, body }: Extract<Command, { kind: "for" }>): number {
    let result = 0;
    this.loops += 1;
    for (const value of this.expand(words)) {
      this.budget.step();
      if (this.continues && this.breaks === 1) this.breaks = 0;
      if (this.breaks > 0) break;
      this.variables.set(name, value);
      result = this.runBlock(body);
      if (this.returns) break;
    }
    this.endLoop();
    return result;
  }

  private runWhile({ until, condition, body }: Extract<Command, { kind: "while" }>): number {
    let result = 0;
    this.loops += 1;
    for (;;) {
      this.budget.step();
      result = this.runBlock(condition);
      if (this.returns || (result === 0) === until) break;
      result = this.runBlock(body);
      if (this.returns) break;
      if (this.breaks === 1 && this.continues) this.breaks = 0;
      if (this.breaks > 0) break;
    }
    this.endLoop();
    return result;
  }

  private endLoop(): void {
    if (this.breaks > 0) this.breaks -= 1;
    this.loops -= 1;
  }

  private expand(words: Simple["words"]): string[] {
    return expandWords(words, {
      variable: (name) => this.variables.get(name),
      parameters: this.parameters,
      spend: this.spend,
      expandPattern: (pattern) =>
        this.devices.expandPattern(pattern, this.variables.get("root") ?? ""),
    });
  }

  private runSimple(command: Simple): number {
    const all = this.expand(command.words);
    const inverted = all[0] === "!";
    const [name, ...args] = inverted ? all.slice(1) : all;
    if (name === undefined) return 0;
    const result = this.call(name, args, command);
    return inverted ? Number(result === 0) : result;
  }

  private call(name: string, args: readonly string[], command: Simple): number {
    const known = Object.hasOwn(this.commands, name) ? this.commands[name] : undefined;
    if (known !== undefined) return known(this, args, command, name) ?? 0;
    const body = this.functions.get(name);
    if (body !== undefined) return this.callFunction(body, args);
    const equals = name.indexOf("=");
    if (equals > 0) this.variables.set(name.slice(0, equals), name.slice(equals + 1));
    else this.note(command.line, `${name} is not known here`);
    return 0;
  }

  private callFunction(body: Block, args: readonly string[]): number {
    const { parameters, loops } = this;
    this.parameters = args;
    this.loops = 0;
    const result = this.runBlock(body);
    this.returns = false;
    this.loops = loops;
    this.parameters = parameters;
    return result;
  }
}
