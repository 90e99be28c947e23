/** `--menu`: the entry that somebody chooses, in the place of `--entry`. */
import { cannot } from "../errors.ts";
import { gateFor } from "../handoff/gate/choose-gate.ts";
import { inspect } from "../handoff/inspect.ts";
import { type LoadRequest, parseLoadRequest } from "../handoff/request.ts";
import type { MenuEntry } from "../menu/entry.ts";
import { FoundSource } from "../source/open.ts";
import { choose, requireTerminal } from "./chooser.ts";
import { describeInspection } from "./output/describe-inspection.ts";

/**
 * @returns the request with the entry that was chosen
 * @throws KexecError `usage`: no terminal, no menu, nothing chosen; those of opening the source
 */
export async function withChosenEntry(
  request: LoadRequest,
  timeout: number | undefined,
): Promise<LoadRequest> {
  requireTerminal();
  const [source, ...more] = [request.kernel].flat();
  if (source === undefined || more.length > 0 || request.entry !== undefined) {
    throw cannot("show a menu", {
      code: "usage",
      why: "--menu is for one SOURCE, and without --entry",
    });
  }
  const gate = await gateFor(parseLoadRequest(request));
  const { wait, ca, clientCert, clientKey, signal } = request;
  const wanted = { source, wait, ca, clientCert, clientKey, signal };
  using found = await FoundSource.find(wanted, {}, gate);
  const menu = await found.menu();
  if (menu === undefined) {
    throw cannot("show a menu", {
      code: "usage",
      why: `${source} has none`,
      hint: "leave --menu out, or give a directory, a boot menu or an ISO image",
    });
  }
  const { entries } = await menu.list();
  const index = await chooseOf(request, entries, "", timeout);
  const entry = entries[index];
  const below = entry && (await menu.below(entry));
  if (below === undefined) return withEntry(request, entries, index);
  // Of an image among others, its own menu comes next.
  const around = `${nameOf(entries, index)}>`;
  const inner = (await below.list()).entries;
  const chosen = await chooseOf(request, inner, around, timeout);
  return { ...request, entry: `${around}${nameOf(inner, chosen)}` };
}

function chooseOf(
  request: LoadRequest,
  entries: readonly MenuEntry[],
  around: string,
  timeout: number | undefined,
): Promise<number> {
  const selected = entries.findIndex((entry) => entry.default);
  return choose({
    choices: entries.map(({ id, title, problem }) => ({ id, title: title ?? "", problem })),
    selected: Math.max(0, selected),
    timeout,
    inspect: async (at) => {
      const entry = `${around}${nameOf(entries, at)}`;
      const inspection = await inspect({ ...request, entry });
      return describeInspection({ ...inspection, entries: null }).join("\n");
    },
  });
}

/** The default is taken by itself: what is meant for once is taken back then, as a loader does. */
export function withEntry(
  request: LoadRequest,
  entries: readonly MenuEntry[],
  index: number,
): LoadRequest {
  return entries[index]?.default === true ? request : { ...request, entry: nameOf(entries, index) };
}

/** An id that several have does not name one; its number does. */
function nameOf(entries: readonly MenuEntry[], index: number): string {
  const id = entries[index]?.id ?? "";
  return entries.filter((entry) => entry.id === id).length === 1 ? id : String(index);
}
