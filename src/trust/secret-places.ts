/**
 * Where a secret may be put. No signature covers it, so that a policy says which places are for
 * keys and nothing else: anywhere else a file could stand in for one that is signed.
 */
import { absolutePathProblem } from "./path-rules.ts";

/** Where systemd-cryptsetup looks for the keys of volumes: crypttab(5). */
export const defaultAllowSecret: readonly string[] = ["/etc/cryptsetup-keys.d/"];

/** systemd takes credentials and units from there: systemd-stub(7). */
const reserved = "/.extra";

/** The rule that an entry of a policy's `allowSecret` breaks. */
export function secretPlaceProblem(entry: string): string | undefined {
  if (entry === "/") return "must not be /: a secret could replace everything that is signed";
  const place = entry.endsWith("/") ? entry.slice(0, -1) : entry;
  if (isBelow(place, reserved))
    return `must not be below ${reserved}/: systemd takes units from there`;
  return absolutePathProblem(place);
}

/**
 * Why a secret must not be put at `destination`, which is normalised; undefined where it may.
 * @param lists One list for each policy; an entry is a place, and lets through what is below it.
 */
export function secretProblem(
  destination: string,
  mode: number,
  lists: readonly (readonly string[])[],
): string | undefined {
  if (lists.length === 0) return undefined;
  if (isBelow(destination, reserved)) return `systemd takes units from below ${reserved}/`;
  const narrow = lists.find((entries) => !entries.some((entry) => lets(entry, destination)));
  if (narrow !== undefined) {
    return narrow.length === 0
      ? "the policy lets no secret be put anywhere"
      : `the policy lets a secret be put below: ${narrow.join(", ")}`;
  }
  return (mode & 0o111) === 0 ? undefined : "nothing that is not signed may be made executable";
}

function lets(entry: string, destination: string): boolean {
  return entry.endsWith("/") ? destination.startsWith(entry) : isBelow(destination, entry);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
