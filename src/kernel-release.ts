/** What `uname -r` says of the running kernel's age. */

/** Whether a release is of Linux `major.minor` or later; not where it does not begin with two numbers. */
export function isSince(release: string, major: number, minor: number): boolean {
  // What follows the numbers is the distribution's own; it may be anything.
  const own = Number.parseInt(release, 10);
  const next = Number.parseInt(release.slice(release.indexOf(".") + 1), 10);
  return own > major || (own === major && next >= minor);
}
