/**
 * The commands by their names, in the order of the help. Each is loaded when it is asked for: what a
 * command does not need is no part of its start-up.
 */
import type { Command } from "../arguments/define.ts";

const loaders = {
  boot: async () => (await import("./boot.ts")).boot,
  load: async () => (await import("./load.ts")).load,
  exec: async () => (await import("./exec.ts")).exec,
  unload: async () => (await import("./unload.ts")).unload,
  status: async () => (await import("./status.ts")).status,
  inspect: async () => (await import("./inspect.ts")).inspect,
  manifest: async () => (await import("./manifest.ts")).manifest,
  fetch: async () => (await import("./fetch.ts")).fetch,
  bless: async () => (await import("./bless.ts")).bless,
} satisfies Record<string, () => Promise<Command>>;

export const commandNames: readonly string[] = Object.keys(loaders);

/** The command of this name; undefined where there is none. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  // Its own names only: `constructor` and `toString` are no commands.
  return isCommand(name) ? loaders[name]() : undefined;
}

function isCommand(name: string): name is keyof typeof loaders {
  return Object.hasOwn(loaders, name);
}

/** Every command, for the help and the documents that are made from the definitions. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(loaders).map((loader) => loader()));
}
