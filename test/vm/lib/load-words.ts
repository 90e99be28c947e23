/** The arguments of `inspect` that go with a script's load, for the comparison of the two. */

/** A load that a script begins with, after a change of folder or of the environment. */
const beginning =
  /^(?:cd [\w/.-]+(?:; | && ))?(?:env -i )?((?:\/[\w/]*\/)?aegis-kexec) (load|boot) /;

/** A word of the shell, with its quotes; or what ends a simple command. */
const token = /\s+|((?:[^\s'"\\;&|()<>]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+)|([;&|()<>\n])/y;

/** Redirections of output alone, up to the end of the script. */
const redirections = /^(?:\d?>>?(?:&\d|\s*[\w/.-]+)\s*)*$/;

const flags = ["--lock", "--force", "--no-sync", "--json", "--quiet", "--verbose"];
const valued = ["--log", "--quiesce", "--watchdog", "--on-failure"];

export interface ScriptedLoad {
  /** What stands before it, to be run before `inspect` too. */
  readonly prefix: string;
  readonly program: string;
  readonly command: "load" | "boot";
  /** Ready for a shell. */
  readonly words: string;
}

/**
 * Undefined where the script does not begin with a load, gives it something on a descriptor, or
 * goes on after a load, as then the exit code is another's; and of a dry run, which does not ask the
 * kernel.
 */
export function scriptedLoad(script: string): ScriptedLoad | undefined {
  const match = beginning.exec(script);
  if (match === null) return undefined;
  const command = match[2] === "boot" ? "boot" : "load";
  const words: string[] = [];
  token.lastIndex = match[0].length;
  for (let found = token.exec(script); found !== null; found = token.exec(script)) {
    const [, word, end] = found;
    if (end !== undefined) {
      const rest = script.slice(found.index);
      if (rest.includes("<") || (command === "load" && !redirections.test(rest))) return undefined;
      // The number of a redirected descriptor.
      if (end === ">" && /^\d$/.test(words.at(-1) ?? "")) words.pop();
      break;
    }
    if (word !== undefined) words.push(word);
  }
  if (words.includes("--dry-run")) return undefined;
  const kept = words.filter(
    (word, at) =>
      !flags.includes(word) &&
      !valued.includes(word) &&
      !valued.includes(words[at - 1] ?? "") &&
      !valued.some((option) => word.startsWith(`${option}=`)),
  );
  return {
    prefix: /^cd [^;&]*(?:; | && )/.exec(script)?.[0] ?? "",
    program: match[1] ?? "aegis-kexec",
    command,
    words: kept.join(" "),
  };
}
