/** Devices that are known to suffer from a handover, in words. */
import type { Sufferer } from "../../handoff/leave/sufferers.ts";
import { columns } from "./layout.ts";

/** A section that follows those of the status. */
export function describeSufferers(found: readonly Sufferer[]): string[] {
  const rows = found.map(
    ({ address, driver, why, option, source }) =>
      [address, `${driver}: ${why}; if it does, try ${option} (${source})`] as const,
  );
  return [
    "",
    "Known to suffer from a handover",
    ...columns(rows.length === 0 ? [["none", "of the PCI devices of this machine"]] : rows),
  ];
}
