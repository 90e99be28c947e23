/** What `fetch` may be asked for. */
import * as v from "valibot";
import { isUrl } from "../../source/place.ts";
import { loadSchema } from "../request.ts";
import { parse, path } from "../request-members.ts";
import { serverEntries } from "../server-request.ts";

const fetchSchema = v.strictObject({
  /** SOURCE: a manifest, or a folder of generations. */
  source: path,
  /** The folder of generations that it is stored in: a path, or a place on a disk. */
  store: v.pipe(
    path,
    v.check((place) => !isUrl(place), "it must be a folder here, not one of a server"),
  ),
  entry: loadSchema.entries.entry,
  wait: loadSchema.entries.wait,
  ...serverEntries,
  trust: loadSchema.entries.trust,
  signature: loadSchema.entries.signature,
  threshold: loadSchema.entries.threshold,
  minGeneration: loadSchema.entries.minGeneration,
  policy: loadSchema.entries.policy,
  /** How many generations stay in the store. */
  keep: v.optional(
    v.pipe(
      v.number("it must be a number"),
      v.safeInteger("it must be a whole number"),
      v.minValue(1, "it must be 1 or more"),
    ),
    3,
  ),
});

/** What `fetch` takes. */
export type FetchRequest = v.InferInput<typeof fetchSchema>;
export type ParsedFetchRequest = v.InferOutput<typeof fetchSchema>;

/** @throws KexecError `usage` */
export function parseFetchRequest(request: unknown): ParsedFetchRequest {
  return parse(fetchSchema, request, "fetch");
}
