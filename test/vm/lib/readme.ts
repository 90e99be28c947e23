/** The commands of README.md and of the pages in docs/, so that tests run what is printed there. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./host.ts";

/** README.md and every page in docs/, with their paths in the repository. */
export function pages(): { readonly path: string; readonly text: string }[] {
  const docs = readdirSync(join(repository, "docs"))
    .filter((name) => name.endsWith(".md"))
    .sort();
  return ["README.md", ...docs.map((name) => `docs/${name}`)].map((path) => ({
    path,
    text: readFileSync(join(repository, path), "utf8"),
  }));
}

/**
 * The code block behind `<!-- run: NAME -->`, wherever it stands.
 * @throws Error when there is none, or more than one.
 */
export function printedCommand(name: string): string {
  const block = new RegExp(`<!-- run: ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``, "g");
  const found = pages().flatMap(({ text }) => [...text.matchAll(block)].map(([, lines]) => lines));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`${found.length} blocks of commands are named ${name}, not one`);
  }
  return only;
}
