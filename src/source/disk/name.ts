/** A SOURCE that is a place on a disk, as it is written. Pure. */
import { cannot } from "../../errors.ts";

export type Tag = "LABEL" | "UUID" | "PARTLABEL" | "PARTUUID";

export interface DiskPlace {
  /** As the user wrote it. */
  readonly written: string;
  /** What is in front of the colon. */
  readonly disk: string;
  readonly by: { readonly tag: Tag; readonly value: string } | { readonly device: string };
  /** Relative to the root of its file system, without a slash at its ends; empty for the root. */
  readonly path: string;
}

const tagged = /^(LABEL|UUID|PARTLABEL|PARTUUID)=/;

/** @throws KexecError `usage` */
export function parseDiskPlace(source: string): DiskPlace {
  // Labels may have colons, and paths too: the first that a slash follows parts them.
  const colon = source.indexOf(":/");
  const disk = colon < 0 ? source : source.slice(0, colon);
  const value = disk.replace(tagged, "");
  if (colon < 0 || value === "" || source.includes("\0")) {
    const example = `${value === "" ? "LABEL=STORE" : disk}:/boot`;
    throw cannot(`use ${source}`, {
      code: "usage",
      details: { path: source },
      why: `it names ${value === "" ? "no disk" : "a disk, and no path on it"}`,
      hint: `write disk and path with a colon between: ${example}`,
    });
  }
  const tag = tagTable[tagged.exec(disk)?.[1] ?? ""];
  const path = source
    .slice(colon + 2)
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");
  return { written: source, disk, by: tag === undefined ? { device: disk } : { tag, value }, path };
}

const tagTable: Readonly<Record<string, Tag>> = {
  LABEL: "LABEL",
  UUID: "UUID",
  PARTLABEL: "PARTLABEL",
  PARTUUID: "PARTUUID",
};
