/** What a request may say of the server that SOURCE is on. */
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
