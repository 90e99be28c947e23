/** CHANGELOG.md, for those who need to know of it which release is from when. */
import { join } from "node:path";

const path = join(import.meta.dir, "..", "..", "CHANGELOG.md");

export interface Release {
  readonly version: string;
  /** `2026-11-23`. */
  readonly date: string;
}

/** The releases, the newest first. @throws Error where the newest is not this version. */
export async function releases(version: string): Promise<readonly Release[]> {
  const log = await Bun.file(path).text();
  const stated = [...log.matchAll(/^## \[?([0-9.]+)\]? (?:\(|- )(\d{4}-\d{2}-\d{2})\)?$/gm)].map(
    ([, one = "", date = ""]) => ({ version: one, date }),
  );
  if (stated[0]?.version !== version) {
    throw new Error(`CHANGELOG.md does not begin with "## [${version}] - YYYY-MM-DD"`);
  }
  return stated;
}

/** Its midnight, in seconds since 1970: the time of everything in a release. */
export function secondsOf({ date }: Release): number {
  return Date.parse(`${date}T00:00:00Z`) / 1000;
}
