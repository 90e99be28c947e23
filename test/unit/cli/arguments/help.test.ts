import { describe, expect, test } from "bun:test";
import { commandHelp, exitMeanings, programHelp } from "../../../../src/cli/arguments/help.ts";
import { options, spellings } from "../../../../src/cli/arguments/options.ts";
import { loadCommands } from "../../../../src/cli/commands/index.ts";
import { ExitCode, errorCodes } from "../../../../src/errors.ts";

const commands = await loadCommands();
const texts: [string, string[]][] = [
  ["aegis-kexec", programHelp(commands)],
  ...commands.map((command): [string, string[]] => [command.meta.name, commandHelp(command)]),
];

test.each(texts)("the help of %s fits 80 columns", (_name, lines) => {
  expect(lines.filter((line) => line.length > 79 || line.endsWith(" "))).toEqual([]);
});

test("the program's help names every command and every exit code", () => {
  const text = programHelp(commands).join("\n");
  for (const { meta } of commands) expect(text).toContain(`\n  ${meta.name} `);
  expect(exitMeanings.map(([code]) => code)).toEqual(Object.values(ExitCode));
  expect(new Set(Object.values(errorCodes)).size).toBe(Object.values(ExitCode).length - 1);
});

describe.each(commands.map((command) => [command.meta.name, command] as const))(
  "%s",
  (_name, command) => {
    test("its help names every one of its arguments", () => {
      const text = commandHelp(command).join("\n");
      for (const [name, definition] of Object.entries(command.args)) {
        if (definition.type === "positional") expect(text).toContain(`\n  ${definition.valueHint}`);
        else for (const spelt of spellings(name, definition)) expect(text).toContain(spelt);
      }
    });

    test("each example is a command line that it takes", () => {
      expect(command.meta.examples.length).toBeGreaterThan(0);
      for (const [line] of command.meta.examples) {
        const words = shellWords(line);
        // What stands in front of the program is the shell's, or another program's output.
        const start = words.indexOf("aegis-kexec");
        expect(words[start + 1]).toBe(command.meta.name);
        expect(() => command.prepare(words.slice(start + 2))).not.toThrow();
      }
    });
  },
);

test("no two options have a spelling in common, and descriptions are phrases", () => {
  const all = Object.entries(options).flatMap(([name, definition]) => spellings(name, definition));
  expect(new Set(all).size).toBe(all.length);
  for (const { description } of Object.values(options)) {
    expect(description).toMatch(/^[^A-Z].*[^.]$/);
  }
});

/** Words of a command line that has no quotes but double ones. */
function shellWords(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, text, word]) => text ?? word ?? "");
}
