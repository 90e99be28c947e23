/** The picture: a bar for each program, works below each other. */
import { costOf, type Results } from "./results.ts";
import { type ProgramName, programNames, type WorkName, workNamed } from "./works.ts";

export type Theme = "light" | "dark";

const colours = {
  light: { text: "#1f2328", faint: "#656d76", own: "#0969da", other: "#afb8c1" },
  dark: { text: "#e6edf3", faint: "#8d96a0", own: "#4493f8", other: "#484f58" },
} as const;

/** Of similar size, so that bars can be compared; the larger loads are in the table. */
const shown: readonly WorkName[] = ["plain-60", "joined", "verified", "verified-secret"];

const width = 760;
const labelWidth = 230;
const valueWidth = 70;
const barHeight = 16;
const lineHeight = 22;
const headHeight = 34;

/** An SVG document. Each work has a scale of its own. */
export function figureSvg({ instructions }: Results, theme: Theme): string {
  const { text, faint } = colours[theme];
  const body: string[] = [];
  let y = 8;
  for (const name of shown) {
    const bars = programNames.flatMap((program) => {
      const cost = costOf(instructions, name, program);
      return cost === undefined ? [] : [{ program, value: cost.warm.median }];
    });
    if (bars.length === 0) continue;
    const most = Math.max(...bars.map(({ value }) => value));
    body.push(
      `<text x="0" y="${y + 16}" font-weight="600" fill="${text}">${escaped(workNamed(name).title)}</text>`,
    );
    y += headHeight - 8;
    for (const bar of bars) {
      body.push(...drawBar(bar.program, bar.value, bar.value / most, y, theme));
      y += lineHeight;
    }
    y += 12;
  }
  body.push(
    `<text x="0" y="${y + 8}" font-size="11" fill="${faint}">millions of guest instructions outside the system call, warm; less is better</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 16}" font-family="system-ui, sans-serif" font-size="13" role="img">`,
    "<title>Guest instructions outside the system call, by program and work</title>",
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

function drawBar(program: ProgramName, value: number, part: number, y: number, theme: Theme) {
  const { text, own, other } = colours[theme];
  const full = width - labelWidth - valueWidth;
  const length = Math.max(2, Math.round(full * part));
  const ours = program === "aegis-kexec";
  const weight = ours ? ' font-weight="600"' : "";
  return [
    `<text x="${labelWidth - 10}" y="${y + 13}" text-anchor="end" fill="${text}"${weight}>${escaped(program)}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2" fill="${ours ? own : other}"/>`,
    `<text x="${labelWidth + length + 6}" y="${y + 13}" fill="${text}"${weight}>${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)}</text>`,
  ];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
