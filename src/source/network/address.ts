/** A SOURCE that is a URL, as it is written; and the addresses of what belongs to it. Pure. */
import { cannot } from "../../errors.ts";

/** Characters: servers take no longer ones, and no manifest's address has as many. */
const longest = 8192;

/**
 * The URL that SOURCE is.
 * @throws KexecError `usage`
 */
export function parseAddress(source: string): URL {
  const url = source.length <= longest && URL.canParse(source) ? new URL(source) : undefined;
  const why = url === undefined ? "it is not a URL" : problemOf(url);
  if (url === undefined || why !== undefined) {
    throw cannot(`fetch ${withoutUser(source)}`, {
      code: "usage",
      why: why ?? "it is not a URL",
      hint: "write it as https://HOST/FOLDER/boot.json",
    });
  }
  url.hash = "";
  return url;
}

function problemOf(url: URL): string | undefined {
  if (url.username !== "" || url.password !== "") {
    return "it has a user name or a password, which would be seen in messages and logs; a server may know this machine by --client-cert";
  }
  if (url.pathname.endsWith("/")) {
    return "it names a folder, and what is in a server's folder cannot be listed";
  }
  return undefined;
}

/** A password must not be told even where it is refused. */
function withoutUser(source: string): string {
  return source.slice(0, 200).replace(/^(https?:\/\/)[^/]*@/i, "$1…@");
}

/**
 * The address of a file that a manifest names.
 * @param path canonical, relative and below the manifest's folder, as trust/manifest.ts takes it
 */
export function addressBelow(manifest: URL, path: string): URL {
  const folder = manifest.pathname.slice(0, manifest.pathname.lastIndexOf("/") + 1);
  const below = path.split("/").map(encodeURIComponent).join("/");
  return withPath(manifest, folder + below);
}

/** The address of what lies beside a file, under its name and a suffix. */
export function addressBeside(file: URL, suffix: string): URL {
  return withPath(file, file.pathname + suffix);
}

/** What stands behind `?` stays: it may be what lets this machine in. */
function withPath(url: URL, path: string): URL {
  const other = new URL(url);
  other.pathname = path;
  return other;
}

/** Redirections that are followed. */
export const mostRedirects = 5;

/**
 * Where a redirection leads.
 * @returns or why it is not followed, in words that follow a colon
 */
export function redirected(from: URL, location: string | null, count: number): URL | string {
  if (count > mostRedirects) return `the server redirects more than ${mostRedirects} times`;
  if (location === null) return "the server redirects, and does not say where to";
  if (location.length > longest || !URL.canParse(location, from.href)) {
    return "the server redirects to what is not a URL";
  }
  const to = new URL(location, from);
  if (to.protocol !== "https:")
    return `the server redirects to ${to.protocol}//, and only https:// is followed`;
  if (to.username !== "" || to.password !== "") {
    return "the server redirects to a URL with a user name or a password";
  }
  to.hash = "";
  return to;
}

/** How messages call what is at an address: without what stands behind `?`, which may let somebody in. */
export function shownAddress(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === "" ? "" : "?…"}`;
}
