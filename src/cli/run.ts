/** From the command line to the exit code. */
import { ExitCode, KexecError } from "../errors.ts";
import { asKexecError } from "../thrown.ts";
import { version } from "../version.ts";
import type { Command } from "./arguments/define.ts";
import { commonOptions } from "./arguments/options.ts";
import {
  beforeEndOfOptions,
  looksLikeOption,
  parse,
  quoted,
  usageError,
} from "./arguments/parse.ts";
import { commandNames, loadCommand, loadCommands } from "./commands/index.ts";
import { Output } from "./output/output.ts";

/** Runs the program with the words behind its name. Every error ends here; nothing is thrown. */
export async function run(argv: readonly string[]): Promise<ExitCode> {
  // Taken from the words, so that an error in them is told in the form asked for. A word that
  // looks like an option is never parsed as a value, so the parser would find the same.
  const given = new Set(beforeEndOfOptions(argv));
  const output = new Output({
    json: given.has("--json"),
    quiet: given.has("--quiet"),
    verbose: given.has("--verbose"),
  });
  try {
    await dispatch(argv, output);
    return ExitCode.done;
  } catch (thrown) {
    return report(thrown, output);
  }
}

async function dispatch(argv: readonly string[], output: Output): Promise<void> {
  const { name, rest } = splitCommand(argv);
  if (output.settings.quiet && output.settings.verbose) {
    throw usageError(name, "--quiet and --verbose exclude each other", "give one of the two");
  }
  if (name === undefined) {
    const values = parse(undefined, commonOptions, rest);
    if (values.has("help")) return showHelp(undefined, output);
    if (values.has("version")) return showVersion(output);
    throw usageError(undefined, "no command given", "aegis-kexec --help lists the commands");
  }
  if (name === "help") return help(rest, output);
  const command = await findCommand(name);
  const prepared = command.prepare(rest);
  if (prepared.help) return showHelp(command, output);
  if (prepared.version) return showVersion(output);
  return prepared.run(output);
}

/**
 * The first word that is no option is the command. The common options may stand in front of it,
 * and are parsed with the rest.
 * @throws KexecError `usage` for anything else in front of it
 */
function splitCommand(argv: readonly string[]): {
  readonly name: string | undefined;
  readonly rest: readonly string[];
} {
  let index = 0;
  while (index < argv.length && looksLikeOption(argv[index] ?? "")) index++;
  const before = argv.slice(0, index);
  if (before.length > 0) parse(undefined, commonOptions, before);
  return { name: argv[index], rest: [...before, ...argv.slice(before.length + 1)] };
}

/** @throws KexecError `usage` */
async function findCommand(name: string): Promise<Command> {
  const found = await loadCommand(name);
  if (found !== undefined) return found;
  const { nearest } = await import("./arguments/nearest.ts");
  const near = nearest(name, [...commandNames, "help"]);
  throw usageError(
    undefined,
    `there is no command "${quoted(name)}"`,
    near === undefined ? "aegis-kexec --help lists the commands" : `did you mean ${near}?`,
  );
}

/** `aegis-kexec help [COMMAND]`. */
async function help(rest: readonly string[], output: Output): Promise<void> {
  const values = parse(
    "help",
    {
      ...commonOptions,
      command: {
        type: "positional",
        required: false,
        valueHint: "COMMAND",
        description: "the command to explain",
      },
    },
    rest,
  );
  const name = values.get("command")?.[0];
  // Nobody who asks for help of help has named a command.
  const isGeneral = name === undefined || name === "help";
  return showHelp(isGeneral ? undefined : await findCommand(name), output);
}

/** The help of a command, or of the program. */
async function showHelp(command: Command | undefined, output: Output): Promise<void> {
  const { commandHelp, programHelp } = await import("./arguments/help.ts");
  const lines = command === undefined ? programHelp(await loadCommands()) : commandHelp(command);
  output.text({ help: lines.join("\n") }, () => lines);
}

function showVersion(output: Output): void {
  output.text({ name: "aegis-kexec", version }, () => [`aegis-kexec ${version}`]);
}

/** The one place where an error becomes an exit code. */
function report(thrown: unknown, output: Output): ExitCode {
  const error = asKexecError(thrown);
  // Whoever read the result has gone, as head(1) does: that is told by the exit code alone.
  if (output.readerGone) return error.exit;
  output.error(error);
  const cause = thrown instanceof KexecError ? thrown.cause : thrown;
  if (cause instanceof Error) output.trace(cause.stack ?? cause.message);
  return error.exit;
}
