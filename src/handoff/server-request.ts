/** What a request may say of the server that SOURCE is on. */
import { cannot } from "../errors.ts";
import { isUrl } from "../source/place.ts";
import { member, optional, path } from "./request-members.ts";

export const serverMembers = {
  /** Where SOURCE is a URL: authorities that are trusted for its server, in place of those built in. */
  ca: optional(path),
  /** The certificate of this machine, for servers that ask, and its key, where that is in another file. */
  clientCert: optional(path),
  clientKey: optional(path),
  /** Calls off what waits for a server. */
  signal: optional(
    member<AbortSignal>((value, refuse) =>
      value instanceof AbortSignal ? value : refuse("it must be an AbortSignal"),
    ),
  ),
};

/** What is said of a server where there is none would be left out in silence. @throws KexecError `usage` */
export function requireServer(
  source: string | readonly string[],
  given: { readonly [Name in "ca" | "clientCert" | "clientKey"]?: string | undefined },
): void {
  const { ca, clientCert, clientKey } = given;
  if (ca === undefined && clientCert === undefined && clientKey === undefined) return;
  if ([source].flat().some(isUrl)) return;
  const option =
    ca !== undefined ? "--ca" : clientCert !== undefined ? "--client-cert" : "--client-key";
  throw cannot(`use ${option}`, {
    code: "usage",
    details: { option },
    why: "no SOURCE is a URL, so it would have no effect",
    hint: `leave ${option} out, or give SOURCE as https://…`,
  });
}
