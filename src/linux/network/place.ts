/** Small files that the first process writes where nobody else does. */
import { mkdirSync, writeFileSync } from "node:fs";

/** Writes a file and the folder that it is in. @returns whether it could be written */
export function writePlace(path: string, text: string, mode: number): boolean {
  try {
    mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    writeFileSync(path, text, { mode });
    return true;
  } catch {
    return false;
  }
}
