/** Facts that are one small file of /proc or /sys. */

import { EACCES, ENOENT, EPERM, errnoText } from "../errno.ts";
import { readText } from "../linux/descriptor.ts";
import { known, type Reading, unknown } from "./reading.ts";

/** Reads the first of `paths` that exists and parses it; `parse` gives undefined for nonsense. */
export function readFact<T>(
  paths: readonly string[],
  parse: (text: string) => T | undefined,
  absent: string,
): Reading<T> {
  for (const path of paths) {
    const file = readText(path);
    if (!file.ok) {
      if (file.errno === ENOENT) continue;
      return file.errno === EACCES || file.errno === EPERM
        ? unknown(`no permission to read ${path}`)
        : unknown(`${path}: ${errnoText(file.errno).toLowerCase()}`);
    }
    const value = parse(file.text.trim());
    return value === undefined ? unknown(`${path} has unexpected content`) : known(value);
  }
  return unknown(absent);
}
