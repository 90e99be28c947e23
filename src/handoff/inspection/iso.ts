/** What an ISO image is, where it lies, and how its system finds it again. */

import type { MenuReading } from "../../source/choose.ts";
import { readByAll } from "../../source/iso/holder.ts";
import type { FoundSource, Source } from "../../source/open.ts";
import type { IsoReport } from "./inspection.ts";
import { Reasons } from "./reasons.ts";

/**
 * Null where SOURCE is no ISO image.
 * @param wanted What `--entry` names.
 */
export async function inspectIso(
  found: FoundSource,
  wanted: string | undefined,
  source: Source | undefined,
  notes: string[],
): Promise<IsoReport | null> {
  const reading = await new Reasons().attemptAsync(() => found.menu());
  if (reading === undefined) return null;
  const { IsoMenu } = await import("../../source/iso/iso.ts");
  const { menu } = reading;
  if (!(menu instanceof IsoMenu)) return null;
  const { files, holder } = menu;
  const { volume, tree, image } = files;
  const way = await wayOf(reading, wanted);
  if (volume.volumeSize > image.size) {
    notes.push(
      `the image is cut short: it has ${image.size} bytes, and its volume ${volume.volumeSize}`,
    );
  }
  return {
    label: volume.label,
    uuid: volume.uuid ?? null,
    system: volume.system === "" ? null : volume.system,
    application: volume.application === "" ? null : volume.application,
    created: volume.created ?? null,
    names: tree.names,
    heldAt: holder.path,
    heldBy: { type: holder.type ?? null, uuid: holder.uuid ?? null },
    liveSystem: way?.kind === "known" ? way.system.name : null,
    why: way?.why ?? null,
    added: way?.kind === "known" ? way.added : [],
    module: (await moduleIn(source, holder.type)) ?? null,
  };
}

async function wayOf(reading: MenuReading, wanted: string | undefined) {
  const entry = await new Reasons().attemptAsync(() => reading.choose(wanted));
  if (entry === undefined) return undefined;
  const { isIsoEntry } = await import("../../source/iso/iso.ts");
  return isIsoEntry(entry) ? entry.way : undefined;
}

async function moduleIn(source: Source | undefined, type: string | undefined) {
  if (source === undefined || type === undefined || readByAll.test(type)) return undefined;
  const { hasModule } = await import("../../source/iso/modules.ts");
  return hasModule(
    source.initrds.map(({ file }) => file),
    type,
  );
}
