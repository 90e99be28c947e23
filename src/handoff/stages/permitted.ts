/** Whether this process may load a kernel at all. */

import { crashMemoryCause, permissionCause } from "../../diagnosis/permission.ts";
import { cannot } from "../../errors.ts";
import { readKexecFact, readLoadPrivilege } from "../../machine/kernel.ts";
import { valueIn } from "../../machine/reading.ts";
import { shownSource } from "../../source/place.ts";
import type { ParsedLoadRequest } from "../request.ts";

/**
 * Refuses before any work what the kernel would refuse after it.
 * @returns the load limit before the call, -1 for none, undefined where the kernel has no limits
 */
export function requirePermission(request: ParsedLoadRequest): number | undefined {
  const disabled = readKexecFact("disabled");
  const limit = valueIn(readKexecFact(request.crash ? "loadLimitPanic" : "loadLimitReboot"));
  const cause =
    permissionCause(readLoadPrivilege(), { disabled }, limit, request.crash) ??
    (request.crash ? crashMemoryCause(valueIn(readKexecFact("crashSize"))) : undefined);
  if (cause !== undefined) throw cannot(`load ${shownSource(request.source)}`, cause);
  return limit;
}
