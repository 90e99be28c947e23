/** What a request may say of the server that SOURCE is on. */
import * as v from "valibot";
import { path } from "./request-members.ts";

export const serverEntries = {
  /** Where SOURCE is a URL: authorities that are trusted for its server, in place of those built in. */
  ca: v.optional(path),
  /** The certificate of this machine, for servers that ask, and its key, where that is in another file. */
  clientCert: v.optional(path),
  clientKey: v.optional(path),
  /** Calls off what waits for a server. */
  signal: v.optional(v.instance(AbortSignal, "it must be an AbortSignal")),
};
