/** The machine in words: its memory, its screen, what it hands over, and what is known of such machines. */
import type { Status } from "../../handoff/status.ts";
import { formatBytes } from "./progress.ts";

/** What is called so, and what is said of it. */
export type Row = readonly [label: string, text: string];

/** The words for a fact, or why there is none. */
export type TextOf = <T>(member: string, value: T | null, words: (value: T) => string) => string;

export function machineRows(status: Status, textOf: TextOf): Row[] {
  const { memory, handover } = status;
  const finalized =
    handover.finalized === false ? "; not finalized: the next load hands nothing over" : "";
  const scratch =
    handover.scratch === null
      ? ""
      : `; each file of a load must fit one scratch area, the largest has ${formatBytes(handover.scratch)} (kho_scratch=)`;
  const sessions = textOf("handover.sessions", handover.sessions, (who) => keepers[who]);
  return [
    ["kernel", status.release],
    ["architecture", status.architecture],
    ["memory", textOf("memory.total", memory.total, formatBytes)],
    ["available", textOf("memory.available", memory.available, formatBytes)],
    [
      "5-level paging",
      textOf("fiveLevelPaging", status.fiveLevelPaging, (used) =>
        used ? "in use: the next kernel must be able to start under it" : "not in use",
      ),
    ],
    ["screen", screenText(status.screen)],
    ["consoles", status.screen.consoles.join(", ") || "none"],
    [
      "kexec handover",
      textOf("handover.enabled", handover.enabled, (on) =>
        on ? `on${scratch}${finalized}` : "off",
      ),
    ],
    [
      "live update",
      textOf("handover.liveUpdate", handover.liveUpdate, (there) =>
        there ? `/dev/liveupdate is there; ${sessions}` : "not available",
      ),
    ],
  ];
}

const keepers: Readonly<Record<NonNullable<Status["handover"]["sessions"]>, string>> = {
  systemd: "systemd keeps the sessions in the stores of units (FileDescriptorStorePreserve=yes)",
  nobody: "this systemd stops the agents, and their sessions are lost",
  agents: "nobody stops the agents that hold the sessions",
};

const screenKinds: Readonly<Record<Status["screen"]["given"], string>> = {
  none: "none that firmware set up",
  text: "VGA text mode",
  efi: "EFI's frame buffer",
  vesa: "VESA's frame buffer",
  tree: "a frame buffer of the device tree",
  other: "a mode of another kind",
};

/** Who draws, on what, and which driver the device has. */
function screenText({ given, owner, native, driver }: Status["screen"]): string {
  if (owner !== null && native) return `drawn on by ${owner}, the driver of the device`;
  const drawn = owner === null ? "" : `, drawn on by ${owner}`;
  const device = driver === null ? "" : `; the device is ${driver}'s`;
  return `${screenKinds[given]}${drawn}${device}`;
}

/** What is known of handovers on such a machine; nothing where nothing is. */
export function platformRows(platforms: Status["platforms"]): Row[] {
  return platforms.map(({ name, why, hint, source }) => [
    "known trouble",
    `${name}: ${why}${hint === null ? "" : `; ${hint}`} (${source})`,
  ]);
}
