/** What `fetch` may be asked for. */
import { isUrl } from "../../source/place.ts";
import { loadMembers } from "../request.ts";
import {
  type Given,
  optionalOr,
  type Parsed,
  parse,
  path,
  textOf,
  wholeNumber,
} from "../request-members.ts";
import { requireServer, serverMembers } from "../server-request.ts";

const fetchMembers = {
  /** SOURCE: a manifest, or a folder of generations. */
  source: path,
  /** The folder of generations that it is stored in: a path, or a place on a disk. */
  store: textOf((given, refuse) => {
    const place = path.read(given, refuse);
    return isUrl(place) ? refuse("it must be a folder here, not one of a server") : place;
  }, "a path must be text"),
  entry: loadMembers.entry,
  wait: loadMembers.wait,
  ...serverMembers,
  trust: loadMembers.trust,
  signature: loadMembers.signature,
  threshold: loadMembers.threshold,
  minGeneration: loadMembers.minGeneration,
  policy: loadMembers.policy,
  /** How many generations stay in the store. */
  keep: optionalOr(wholeNumber({ least: 1 }), 3),
};

/** What `fetch` takes. */
export type FetchRequest = Given<typeof fetchMembers>;
export type ParsedFetchRequest = Parsed<typeof fetchMembers>;

/** @throws KexecError `usage` */
export function parseFetchRequest(request: unknown): ParsedFetchRequest {
  const parsed = parse(fetchMembers, request, "fetch");
  requireServer(parsed.source, parsed);
  return parsed;
}
