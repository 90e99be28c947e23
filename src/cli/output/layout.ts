/** Setting text in 80 columns. */

/** A line holds one column less than the terminal, which would wrap after the last one. */
export const WIDTH = 79;

/** Breaks text at blanks into lines of at most `width`; a longer word keeps a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/**
 * Two columns: labels, and texts wrapped with a hanging indent. A label wider than its column has
 * its text start on the next line.
 */
export function columns(
  rows: readonly (readonly [label: string, text: string])[],
  labelWidth = Math.max(0, ...rows.map(([label]) => label.length)),
  indent = 2,
): string[] {
  const start = indent + labelWidth + 2;
  const margin = " ".repeat(start);
  return rows.flatMap(([label, text]) => {
    const lines = wrap(text, WIDTH - start);
    const head = `${" ".repeat(indent)}${label}`;
    if (text === "") return [head];
    if (label.length > labelWidth) return [head, ...lines.map((line) => margin + line)];
    return lines.map((line, index) => (index === 0 ? head.padEnd(start) : margin) + line);
  });
}
