/**
 * The format of the files in test/cli/cases: what a reader would try in a shell, and what he would
 * see.
 *
 *     # the name of the case; a line that begins with ## is a comment
 *     $ aegis-kexec load --inird initrd.img vmlinuz
 *     2> aegis-kexec: cannot run load: unknown option --inird
 *     2> hint: did you mean --initrd?
 *     = 2
 *
 * `$` is a line of shell, several make one script; `1>` and `2>` are the lines of standard output
 * and standard error, none of them meaning that nothing is written; `=` is the exit code. In an
 * expected line `{*}` stands for any text, and a line `{...}` for any number of lines.
 */

export interface Case {
  readonly name: string;
  readonly script: string;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly exit: number;
}

/** @throws Error for a line that is none of the format's */
export function parseCases(text: string, file: string): Case[] {
  return text
    .split(/^(?=# )/m)
    .filter((block) => block.startsWith("# "))
    .map((block) => parseCase(block, file));
}

function parseCase(block: string, file: string): Case {
  const script: string[] = [];
  const stdout: string[] = [];
  const stderr: string[] = [];
  let exit: number | undefined;
  const [head = "", ...lines] = block.trimEnd().split("\n");
  for (const line of lines) {
    if (line === "" || line.startsWith("##")) continue;
    const [, mark, rest = ""] = /^(\$|1>|2>|=)(?: (.*))?$/.exec(line) ?? [];
    if (mark === "$") script.push(rest);
    else if (mark === "1>") stdout.push(rest);
    else if (mark === "2>") stderr.push(rest);
    else if (mark === "=" && /^\d{1,3}$/.test(rest)) exit = Number(rest);
    else throw new Error(`${file}: cannot read the line: ${line}`);
  }
  const name = head.slice(2);
  if (script.length === 0 || exit === undefined) {
    throw new Error(`${file}: "${name}" has no command or no exit code`);
  }
  return { name, script: script.join("\n"), stdout, stderr, exit };
}

/** Whether lines are the expected ones. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const pattern = expected.map((line) =>
    line === "{...}" ? "(?:[^\n]*\n)*" : `${line.split("{*}").map(escaped).join("[^\n]*")}\n`,
  );
  return new RegExp(`^${pattern.join("")}$`).test(actual.map((line) => `${line}\n`).join(""));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
