/** ISO images of a folder, made by the programs that distributions use. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** How names are written, by options that xorriso and genisoimage share. */
export const nameKinds = {
  "rock-ridge": ["-r"],
  joliet: ["-J"],
  both: ["-r", "-J"],
  neither: ["-iso-level", "3"],
} as const;

export type NameKind = keyof typeof nameKinds;

/** Writes files below a folder, by their paths. */
export function plant(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** @returns the path of the image */
export function pack(
  folder: string,
  image: string,
  kind: NameKind = "both",
  others: readonly string[] = [],
  program: "xorriso" | "genisoimage" = "xorriso",
): string {
  const names = nameKinds[kind];
  const isPlain = !names.some((name) => name === "-r");
  const command =
    program === "genisoimage"
      ? ["genisoimage", "-quiet"]
      : // Rock Ridge is its default.
        ["xorriso", "-report_about", "SORRY", "-as", "mkisofs", ...(isPlain ? ["--norock"] : [])];
  const result = Bun.spawnSync([...command, ...names, ...others, "-o", image, folder]);
  if (result.exitCode !== 0) throw new Error(result.stderr.toString());
  return image;
}
