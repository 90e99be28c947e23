/** A crypttab as an initramfs carries it: crypttab(5). */

export interface CrypttabEntry {
  readonly name: string;
  readonly source: string;
  /** Undefined where the field is missing, or says that there is none. */
  readonly key: string | undefined;
  readonly options: readonly string[];
}

/** Entries of a table; lines that are none are left out, as their readers do. */
export function parseCrypttab(text: string): readonly CrypttabEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, source, key, options = "", ...more] = line.trim().split(/[ \t]+/);
    if (!name || name.startsWith("#") || source === undefined || more.length > 0) return [];
    return { name, source, key: keyOf(key), options: options.split(",").filter(Boolean) };
  });
}

/** What says that there is no key: crypttab(5) and split_keyspec of systemd's generator. */
export function keyOf(field: string | undefined): string | undefined {
  return field === undefined || ["", "-", "none"].includes(field) ? undefined : field;
}

/** Whether a source is this volume by its UUID; quotes around it are the shell's. */
export function isVolume(source: string, uuid: string): boolean {
  const bare = source.replace(/^(UUID=)?"(.*)"$/, "$1$2");
  const named = /^(?:UUID=|\/dev\/disk\/by-uuid\/)(.*)$/.exec(bare)?.[1];
  return named?.toLowerCase() === uuid;
}
