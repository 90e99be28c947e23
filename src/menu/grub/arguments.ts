/** Options of GRUB's commands: grub-core/lib/arg.c. Pure. */

/** What an option takes: nothing, a value, or a value where one follows that is no option itself. */
export type Taking = "nothing" | "value" | "perhaps";

export interface Arguments {
  /** By the long name; an option without a value has an empty one. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

/**
 * @param known Long names, each with what it takes and its one-letter name.
 * @param acceptDash Whether an unknown option is an argument, as GRUB_COMMAND_ACCEPT_DASH.
 * @returns undefined where GRUB refuses them
 */
export function parseArguments(
  args: readonly string[],
  known: Readonly<Record<string, readonly [Taking, string?]>>,
  acceptDash = false,
): Arguments | undefined {
  const options = new Map<string, string[]>();
  let rest: string[] = [];
  const shorts = new Map(
    Object.entries(known).flatMap(([name, [, short]]) =>
      short === undefined ? [] : [[short, name]],
    ),
  );
  const add = (name: string, value: string) => {
    const values = options.get(name);
    if (values === undefined) options.set(name, [value]);
    else values.push(value);
  };
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? "";
    const next = args[at + 1];
    if (argument === "--") {
      rest = rest.concat(args.slice(at + 1));
      break;
    }
    if (!argument.startsWith("-") || argument.length === 1) {
      rest.push(argument);
      continue;
    }
    const names = argument.startsWith("--")
      ? [argument.slice(2).split("=", 1)[0] ?? ""]
      : [...argument.slice(1)].map((short) => shorts.get(short) ?? "");
    if (names.some((name) => !Object.hasOwn(known, name))) {
      if (!acceptDash) return undefined;
      rest.push(argument);
      continue;
    }
    const last = names.pop() ?? "";
    for (const name of names) add(name, "");
    const [taking = "nothing"] = known[last] ?? [];
    const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
    if (equals >= 0) {
      if (taking === "nothing") return undefined;
      add(last, argument.slice(equals + 1));
    } else if (taking !== "nothing" && next !== undefined && !next.startsWith("-")) {
      add(last, next);
      at += 1;
    } else if (taking === "value") {
      return undefined;
    } else {
      add(last, "");
    }
  }
  return { options, rest };
}
