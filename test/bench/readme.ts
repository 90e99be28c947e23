/** Puts a section into a Markdown file, between its two marks. */
const begin = "<!-- bench -->";
const end = "<!-- /bench -->";

/** Replaces what is between the marks; appends the marks and the section where there are none. */
export async function writeSection(path: string, section: string): Promise<void> {
  const text = await Bun.file(path).text();
  await Bun.write(path, withSection(text, section));
}

export function withSection(text: string, section: string): string {
  const block = `${begin}\n${section}\n${end}`;
  const from = text.indexOf(begin);
  if (from < 0) return `${text.trimEnd()}\n\n${block}\n`;
  const to = text.indexOf(end, from);
  if (to < 0) throw new Error(`the mark ${end} is missing`);
  return text.slice(0, from) + block + text.slice(to + end.length);
}
