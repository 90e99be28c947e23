/**
 * `bun build/docs.ts`: the manual page and the shell completions, from the definitions that the
 * command line itself reads. They are committed; a test keeps them up to date.
 */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadCommands } from "../src/cli/commands/index.ts";
import { version } from "../src/version.ts";
import { bashCompletion } from "./docs/bash.ts";
import { fishCompletion } from "./docs/fish.ts";
import { manual } from "./docs/manual.ts";
import { zshCompletion } from "./docs/zsh.ts";
import { releases, secondsOf } from "./release/changelog.ts";

const root = join(import.meta.dir, "..");

/** The generated files: paths from the repository's root, and what must be in them. */
export async function documents(): Promise<ReadonlyMap<string, string>> {
  const commands = await loadCommands();
  return new Map([
    ["contrib/man/aegis-kexec.8", manual(commands, { version, date: await releaseDate() })],
    ["contrib/completions/aegis-kexec.bash", bashCompletion(commands)],
    ["contrib/completions/_aegis-kexec", zshCompletion(commands)],
    ["contrib/completions/aegis-kexec.fish", fishCompletion(commands)],
  ]);
}

/** The date that CHANGELOG.md gives to this version, `November 3, 2026`. */
async function releaseDate(): Promise<string> {
  const [newest] = await releases(version);
  if (newest === undefined) throw new Error("CHANGELOG.md names no release");
  return new Date(secondsOf(newest) * 1000).toLocaleDateString("en-US", {
    dateStyle: "long",
    timeZone: "UTC",
  });
}

if (import.meta.main) {
  for (const [path, text] of await documents()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await Bun.write(join(root, path), text);
    console.log(path);
  }
}
