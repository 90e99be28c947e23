/** The commands of the README, so that tests run what is printed there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./host.ts";

/**
 * The code block behind `<!-- run: NAME -->`.
 * @throws Error when there is none.
 */
export function readmeCommand(name: string): string {
  const readme = readFileSync(join(repository, "README.md"), "utf8");
  const block = new RegExp(`<!-- run: ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(
    readme,
  )?.[1];
  if (block === undefined) throw new Error(`the README has no commands ${name}`);
  return block;
}
