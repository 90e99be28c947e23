/**
 * Unified kernel images: a PE file whose sections are a kernel and what belongs
 * to it. Source: UAPI group specification UAPI.5, and systemd-stub(7) where that
 * is silent: of several sections of one name in a profile, the first counts.
 */

import {
  type ByteSource,
  broken,
  type ImageProblem,
  type ImageSummary,
  readWithin,
  trimmedEnd,
} from "./bytes.ts";
import type { PeImage, PeSection } from "./pe.ts";

/** One resource of a UKI, as a range of the file without the section's padding. */
export interface UkiSection {
  /** With its dot: `.linux`, `.initrd`, `.cmdline`. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface UkiProfile {
  /** `ID=` and `TITLE=` of the profile's own section. */
  readonly id: string | undefined;
  readonly title: string | undefined;
  /** What this profile overrides in the base or adds to it; not its `.profile`. */
  readonly sections: readonly UkiSection[];
}

export interface Uki {
  readonly kind: "uki";
  /** Sections before the first `.profile`: all there is in most UKIs. */
  readonly base: readonly UkiSection[];
  /** Empty in most UKIs. Where there are any, the stub boots profile 0 unless told otherwise. */
  readonly profiles: readonly UkiProfile[];
}

const format = "UKI";
const profileName = ".profile";
const profileLimit = 16 * 1024;
/** Bytes of all profiles' own sections: a UKI is read before anybody knows who signed it. */
const profilesLimit = 256 * 1024;

/** Facts of a UKI; undefined when the PE file has no `.linux` section. */
export function readUki(source: ByteSource, pe: PeImage): Uki | ImageProblem | undefined {
  if (!pe.sections.some((section) => section.name === ".linux")) return undefined;
  const [base = [], ...groups] = splitAtProfiles(pe.sections.map(contentOf));
  if (groups.reduce((sum, [start]) => sum + (start?.size ?? 0), 0) > profilesLimit) {
    return broken(format, "malformed-input", `its profiles are longer than ${profilesLimit} bytes`);
  }
  const profiles: UkiProfile[] = [];
  for (const [start, ...own] of groups) {
    const text = start === undefined ? "" : readUkiText(source, start, profileLimit);
    if (typeof text !== "string") return text;
    profiles.push({
      id: assigned(text, "ID"),
      title: assigned(text, "TITLE"),
      sections: firstOfEachName(own),
    });
  }
  const uki: Uki = { kind: "uki", base: firstOfEachName(base), profiles };
  if (ukiSection(uki, ".linux") === undefined) {
    return broken(format, "malformed-input", "its default profile has no .linux section");
  }
  return uki;
}

/**
 * The section of this name that a profile boots with: its own, else the base's.
 * `profile` is 0 for the default one, which in a UKI without profiles is the base.
 */
export function ukiSection(uki: Uki, name: string, profile = 0): UkiSection | undefined {
  const isNamed = (section: UkiSection) => section.name === name;
  return uki.profiles[profile]?.sections.find(isNamed) ?? uki.base.find(isNamed);
}

/** Whether a UKI has this profile. Profile 0 is always there. */
export function hasProfile(uki: Uki, profile: number): boolean {
  return Number.isInteger(profile) && profile >= 0 && profile < Math.max(1, uki.profiles.length);
}

/** A section as UTF-8 text of at most `limit` bytes, without NULs and blanks at its end. */
export function readUkiText(
  source: ByteSource,
  section: UkiSection,
  limit: number,
): string | ImageProblem {
  if (section.size > limit) {
    return broken(format, "malformed-input", `a text section is longer than ${limit} bytes`);
  }
  const bytes = readWithin(source, section.offset, section.size);
  if (bytes === undefined) {
    return broken(format, "kernel-truncated", "a section does not end inside the file");
  }
  try {
    return trimmedEnd(new TextDecoder("utf-8", { fatal: true }).decode(bytes), /[\0\s]/);
  } catch {
    return broken(format, "malformed-input", "a text section is not UTF-8");
  }
}

function contentOf(section: PeSection): UkiSection {
  const { name, offset } = section;
  return { name, offset, size: Math.min(section.size, section.virtualSize) };
}

function splitAtProfiles(sections: readonly UkiSection[]): UkiSection[][] {
  const groups: UkiSection[][] = [[]];
  for (const section of sections) {
    if (section.name === profileName) groups.push([section]);
    else groups.at(-1)?.push(section);
  }
  return groups;
}

function firstOfEachName(sections: readonly UkiSection[]): readonly UkiSection[] {
  const seen = new Set<string>();
  return sections.filter(({ name, size }) => {
    if (size === 0 || seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}

/**
 * The value of `key` in the text of an os-release(5) or a profile, as far as systemd-stub reads
 * it: NAME=value or NAME="value". Control characters are left out.
 */
export function assigned(text: string, key: string): string | undefined {
  for (const line of text.split("\n")) {
    if (!line.startsWith(`${key}=`)) continue;
    const value = line.slice(key.length + 1).trim();
    const unquoted = /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
    return unquoted.replace(/[^\x20-\x7e\u{a0}-\u{10ffff}]/gu, "");
  }
  return undefined;
}

export function summariseUki({ profiles }: Uki, { machine }: PeImage): ImageSummary {
  return { format, facts: { machine: machine ?? null, profiles: profiles.length } };
}
