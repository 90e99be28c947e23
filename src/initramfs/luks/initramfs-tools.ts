/**
 * Debian's cryptsetup-initramfs (scripts/local-top/cryptroot): the volumes are those of /cryptroot/crypttab or, where the
 * command line has `cryptopts=`, those of the command line alone. So all are named there, each with what crypttab
 * says of it, and no file of the archive is replaced.
 */
import { parameterValues } from "../../kernel-words.ts";
import { type Asked, cannotPass, type Planned, rootName } from "./framework.ts";
import { type CrypttabEntry, isVolume, keyOf } from "./table.ts";
import { keyFolder } from "./volume.ts";

/** What the script calls a volume without a name. */
const unnamed = "cryptroot";

export function planInitramfsTools({ uuids, table, whole, line }: Asked): Planned {
  const given = parameterValues(line, "cryptopts");
  if (given.length > 0) return fromLine(uuids, given, line);
  const entries = table ?? [];
  for (const entry of entries) requireFields(uuids, entry);
  const warnings = whole
    ? []
    : [
        "the crypttab of the initramfs cannot be read: on the command line stand the volumes of --luks alone",
      ];
  const places = uuids.map((uuid) => {
    const entry = entries.find(({ source }) => isVolume(source, uuid));
    if (entry !== undefined) return placeOf(uuid, entry.name);
    if (entries.length === 0) return placeOf(uuid, nameFor(uuids, uuid, line));
    throw cannotPass(
      uuid,
      `the initramfs' crypttab names other volumes (${entries.map(({ name }) => name).join(", ")}), and none by this UUID`,
      `write UUID=${uuid} into /etc/crypttab, and make the initramfs anew (update-initramfs -u)`,
    );
  });
  const words = entries.map((entry) => {
    const index = uuids.findIndex((uuid) => isVolume(entry.source, uuid));
    // A script would be asked in place of the file
    return index < 0
      ? wordOf(entry, entry.key, entry.options)
      : wordOf(
          entry,
          places[index],
          entry.options.filter((option) => !option.startsWith("keyscript=")),
        );
  });
  const own = uuids.map((uuid, index) => {
    const name = nameFor(uuids, uuid, line);
    return wordOf({ name, source: `UUID=${uuid}` }, places[index], ["luks"]);
  });
  return { places, words: entries.length === 0 ? own : words, warnings };
}

/** The word has commas between its fields, and takes what begins so for one of its own. */
function requireFields(
  [uuid = ""]: readonly string[],
  { name, source, key = "", options }: CrypttabEntry,
): void {
  const parted = [name, source, key].some((field) => field.includes(","));
  if (!parted && !options.some((option) => /^(?:target|source|key)=/.test(option))) return;
  throw cannotPass(
    uuid,
    `what the initramfs' crypttab says of ${name} cannot be written as cryptopts=`,
    "take commas out of its fields, and make the initramfs anew",
  );
}

/** The volumes that the command line names itself are left as they are. */
function fromLine(uuids: readonly string[], given: readonly string[], line: string): Planned {
  const volumes = given.filter(Boolean).map((value) => {
    const fields = value.split(",");
    const field = (name: string) =>
      fields.findLast((one) => one.startsWith(`${name}=`))?.slice(name.length + 1);
    return { source: field("source") ?? "", key: keyOf(field("key")) };
  });
  const words: string[] = [];
  const places = uuids.map((uuid) => {
    const volume = volumes.find(({ source }) => isVolume(source, uuid));
    if (volume === undefined) {
      const name = nameFor(uuids, uuid, line);
      const place = placeOf(uuid, name);
      words.push(wordOf({ name, source: `UUID=${uuid}` }, place, ["luks"]));
      return place;
    }
    if (volume.key?.startsWith("/") === true) return volume.key;
    throw cannotPass(
      uuid,
      "the command line has cryptopts= for it, without a key file",
      `add ,key=${keyFolder}/NAME.key to that word, or leave it out`,
    );
  });
  return { places, words, warnings: [] };
}

/** The root's, where there is one volume; two cannot have one name. */
function nameFor(uuids: readonly string[], uuid: string, line: string): string {
  return uuids.length === 1 ? (rootName(line) ?? unnamed) : `luks-${uuid}`;
}

function placeOf(uuid: string, name: string): string {
  if (!/[/\\]/.test(name)) return `${keyFolder}/${name}.key`;
  throw cannotPass(
    uuid,
    `the initramfs' crypttab calls the volume ${name}`,
    "give it a plainer name",
  );
}

function wordOf(
  { name, source }: Pick<CrypttabEntry, "name" | "source">,
  key: string | undefined,
  options: readonly string[],
): string {
  const fields = [
    `target=${name}`,
    `source=${source}`,
    ...(key === undefined ? [] : [`key=${key}`]),
  ];
  return `cryptopts=${[...fields, ...options].join(",")}`;
}
