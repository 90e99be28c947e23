/** Which of the machine's file systems a place names. Pure. */
import { cannot } from "../../errors.ts";
import type { DiskPlace } from "./name.ts";
import type { HeldSystem, Probed } from "./probe.ts";

export interface Holding extends Probed {
  readonly held: HeldSystem;
}

/** Devices that reach one file system: all of a btrfs, two paths to one disk, a disk and its own partition. */
export type OneSystem = readonly [Holding, ...Holding[]];

/**
 * The file system that `place` names; undefined where none is there (yet).
 * @param number Of a place that is a device: its `major:minor`.
 * @throws KexecError `malformed-input` where several are
 */
export function chooseSystem(
  place: DiskPlace,
  probed: readonly Probed[],
  number: string | undefined,
): OneSystem | undefined {
  const systems: Holding[][] = [];
  for (const one of probed) {
    if (!isHolding(one) || !isNamed(place, one, number)) continue;
    const same = systems.find((system) => system.some((other) => isSame(one, other)));
    if (same === undefined) systems.push([one]);
    else same.push(one);
  }
  const [system, ...others] = systems;
  if (others.length > 0) {
    const names = systems.flatMap(([first]) => (first === undefined ? [] : describe(first)));
    throw cannot(`tell which disk ${place.disk} is`, {
      code: "malformed-input",
      details: { path: place.disk },
      why: `${names.join(" and ")} have that name`,
      hint: "detach one of them, or name the disk by UUID=, PARTUUID= or /dev/…",
    });
  }
  const [first, ...rest] = system ?? [];
  return first === undefined ? undefined : [first, ...members(first, rest, probed)];
}

/** A device alone may be one of a btrfs that has others: they are needed as well. */
function members(
  first: Holding,
  rest: readonly Holding[],
  probed: readonly Probed[],
): readonly Holding[] {
  if (first.held.member === undefined) return rest;
  const known = [first, ...rest];
  const more = probed.filter(
    (one): one is Holding =>
      isHolding(one) && !known.includes(one) && known.every((other) => isOtherDevice(one, other)),
  );
  return [...rest, ...more];
}

function isHolding(probed: Probed): probed is Holding {
  return typeof probed.held !== "string";
}

function isNamed({ by }: DiskPlace, one: Holding, number: string | undefined): boolean {
  if ("device" in by) return number !== undefined && one.device.number === number;
  const { held, partUuid } = one;
  switch (by.tag) {
    case "LABEL":
      return held.label === by.value;
    case "UUID":
      return held.uuid?.toLowerCase() === by.value.toLowerCase();
    case "PARTLABEL":
      return one.device.partition?.name === by.value;
    case "PARTUUID":
      return partUuid?.toLowerCase() === by.value.toLowerCase();
  }
}

function isSame(one: Holding, other: Holding): boolean {
  const alike = one.held.type === other.held.type && one.held.uuid === other.held.uuid;
  if (!alike || one.held.uuid === undefined) return false;
  return (
    isOtherDevice(one, other) || isPartOf(one, other) || isPartOf(other, one) || isPath(one, other)
  );
}

/** Two devices of one btrfs; two with one member's identity are a copy of it. */
function isOtherDevice(one: Holding, other: Holding): boolean {
  const [mine, its] = [one.held.member, other.held.member];
  return (
    one.held.uuid === other.held.uuid && mine !== undefined && its !== undefined && mine !== its
  );
}

/** Of an image that was written to a stick, the partition shows what the disk shows. */
function isPartOf(part: Holding, whole: Holding): boolean {
  return part.device.partition?.disk === whole.device.name;
}

function isPath({ device: one }: Holding, { device: other }: Holding): boolean {
  return (
    one.worldWideId !== undefined &&
    one.worldWideId === other.worldWideId &&
    one.size === other.size &&
    one.partition?.number === other.partition?.number
  );
}

function describe({ device, held }: Holding): string {
  return `${device.path} (${held.type})`;
}

const mostShown = 16;

/** What was seen instead, for a hint. */
export function seen(probed: readonly Probed[]): string {
  if (probed.length === 0) return "no disk was seen: is its driver loaded?";
  const names = probed.slice(0, mostShown).map(({ device, held }) => {
    if (typeof held === "string") return `${device.name}: ${held}`;
    const label = held.label === undefined ? "" : ` LABEL=${held.label}`;
    const uuid = held.uuid === undefined ? "" : ` UUID=${held.uuid}`;
    return `${device.name}: ${held.type}${label}${uuid}`;
  });
  const more = probed.length - names.length;
  return `seen: ${names.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}
