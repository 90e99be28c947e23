/**
 * Whether a screen goes on after the jump: by who draws on it now, and by what the next kernel has to draw with. A
 * kexec runs no firmware and no setup code, so nobody sets a mode but a driver. Pure.
 */
import { parameterValues } from "../kernel-words.ts";
import type { Displays } from "../machine/displays.ts";
import type { Graphics, Presence } from "./graphics.ts";

/** The words are those of `--json`. */
export type ScreenWord = "continues" | "blank-until-driver" | "blank" | "unknown";

export interface ScreenVerdict {
  readonly verdict: ScreenWord;
  /** Lower case, no full stop. */
  readonly why: string;
  /** What may help; undefined where it goes on. */
  readonly hint?: string | undefined;
}

const driverHint =
  "have the driver in the initramfs, or keep a serial line: console=ttyS0 on the next command line";

const keptHint =
  "or boot the kernel that runs now with nomodeset: what firmware set up then stays for the next one";
const detachHint =
  "--quiesce gpu detaches the driver here first, where the next one fails on what it finds";

export function hasScreen({ given, owner, native }: Displays): boolean {
  return given !== "none" || owner !== undefined || native !== undefined;
}

/**
 * @param graphics What the next kernel has; undefined: not known.
 * @param archived Whether a module of this name is in the initramfs; undefined: not known.
 * @returns undefined where there is no screen
 */
export function judgeScreen(
  displays: Displays,
  graphics: Graphics | undefined,
  cmdline: string,
  archived: (module: string) => boolean | undefined,
): ScreenVerdict | undefined {
  const { given, owner } = displays;
  if (!hasScreen(displays)) return undefined;
  if (graphics === undefined) {
    return {
      verdict: "unknown",
      why: "the next kernel's configuration is neither beside it nor in it",
      hint: "keep a serial line: console=ttyS0 on the next command line",
    };
  }
  const firmwareLeft = owner === undefined || !owner.native || owner.restores === true;
  if (firmwareLeft) {
    const goesOn = byFirmware(given, graphics, cmdline, archived);
    if (goesOn !== undefined) return goesOn;
    return byDriver(displays, graphics, cmdline, archived, true);
  }
  const judged = byDriver(displays, graphics, cmdline, archived, false);
  const hints = [
    judged.hint,
    ...(judged.verdict === "blank-until-driver" ? [detachHint] : []),
    ...(byFirmware(given, graphics, cmdline, archived)?.verdict === "continues" ? [keptHint] : []),
  ];
  return { ...judged, hint: hints.filter((hint) => hint !== undefined).join("; ") };
}

/** What firmware set up is as it was, and the next kernel is told of it. */
function byFirmware(
  given: Displays["given"],
  graphics: Graphics,
  cmdline: string,
  archived: (module: string) => boolean | undefined,
): ScreenVerdict | undefined {
  if (given === "text") {
    return graphics.vgaConsole
      ? { verdict: "continues", why: "the next kernel writes to the text mode that there is" }
      : undefined;
  }
  if (given !== "efi" && given !== "vesa" && given !== "tree") return undefined;
  const kind = given;
  if (parameterValues(cmdline, "video").some((value) => /^(efifb|vesafb):off/.test(value))) {
    return {
      verdict: "blank",
      why: "video= on the next command line switches firmware's frame buffer off",
      hint: "leave video= out",
    };
  }
  const drivers = graphics.firmware[kind];
  const builtIn = drivers.find(({ presence }) => presence === "y");
  if (builtIn !== undefined && graphics.console) {
    return {
      verdict: "continues",
      why: `${builtIn.name} of the next kernel draws on firmware's frame buffer`,
    };
  }
  const module = drivers.find(({ presence, name }) => presence === "m" && archived(name) !== false);
  if (module === undefined || !graphics.console) return undefined;
  return {
    verdict: "blank-until-driver",
    why: `${module.name}, which draws on firmware's frame buffer, is a module of the next kernel`,
    hint: driverHint,
  };
}

function byDriver(
  { native, owner }: Displays,
  graphics: Graphics,
  cmdline: string,
  archived: (module: string) => boolean | undefined,
  firmwareLeft: boolean,
): ScreenVerdict {
  const left = firmwareLeft
    ? "the next kernel has no driver for what firmware set up"
    : `${owner?.name ?? "a driver"} switches the screen off for the jump`;
  const blank = (why: string, hint: string): ScreenVerdict => ({
    verdict: "blank",
    why: `${left}, and ${why}`,
    hint,
  });
  if (native === undefined) {
    return blank("no other is known for this device", "keep a serial line: console=ttyS0");
  }
  const off = parameterValuesOrFlag(cmdline, "nomodeset");
  if (off) {
    return blank(
      `nomodeset keeps ${native} of the next kernel from it`,
      "leave nomodeset out of the next command line",
    );
  }
  const presence: Presence = graphics.native(native);
  if (presence === "n") return blank(`it has no ${native}`, "use a kernel with that driver");
  if (presence === "m" && archived(native) === false) {
    return blank(
      `its ${native} is not in the initramfs`,
      `put ${native} into the initramfs; until then only what is on the root file system has it`,
    );
  }
  return {
    verdict: "blank-until-driver",
    why: `${left}, and its ${native} brings it back`,
    hint: presence === "m" ? driverHint : undefined,
  };
}

function parameterValuesOrFlag(cmdline: string, name: string): boolean {
  return new RegExp(`(^|\\s)${name}(\\s|=|$)`).test(cmdline);
}
