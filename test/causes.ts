/**
 * Writes the table of causes, which is made from the code, into docs/errors.md:
 *
 *   bun test/causes.ts
 */
import { join } from "node:path";
import { causeTable } from "../src/causes.ts";

export const errorsPage = join(import.meta.dir, "..", "docs", "errors.md");
const begin = "<!-- causes: bun test/causes.ts -->";
const end = "<!-- /causes -->";

/** The text with the table between its marks; at the end where there are none. */
export function withTable(text: string): string {
  const block = `${begin}\n${causeTable()}\n${end}`;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n${block}\n`;
  return `${text.slice(0, from)}${block}${text.slice(to + end.length)}`;
}

if (import.meta.main) await Bun.write(errorsPage, withTable(await Bun.file(errorsPage).text()));
