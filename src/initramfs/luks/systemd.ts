/**
 * systemd-cryptsetup-generator, as dracut and mkinitcpio's sd-encrypt carry it (src/cryptsetup/cryptsetup-generator.c):
 * a volume of crypttab keeps that one's name and key; `luks.uuid=` and `luks.name=` add volumes, and where one
 * of them stands, crypttab's others are left out; `luks.key=` counts for those of the command line alone. A volume
 * without a key file gets /etc/cryptsetup-keys.d/NAME.key.
 */
import { parameterValues } from "../../kernel-words.ts";
import { type Asked, cannotPass, type Planned } from "./framework.ts";
import { type CrypttabEntry, isVolume } from "./table.ts";
import { keyFolder, usualPlace } from "./volume.ts";

/** parse_boolean of src/basic/parse-util.c. */
const no = ["0", "no", "n", "false", "f", "off"];

export function planSystemd({ uuids, table, whole, line }: Asked): Planned {
  const words: string[] = [];
  const warnings: string[] = [];
  const places = uuids.map((uuid) => {
    const values = (name: string) =>
      ["rd", ""].flatMap((prefix) =>
        parameterValues(line, prefix === "" ? `luks.${name}` : `rd.luks.${name}`),
      );
    if (switchOf(line, "luks")) {
      throw cannotPass(uuid, "the command line has luks=no: no volume is opened", "take it out");
    }
    const read = switchOf(line, "luks.crypttab") ? undefined : table;
    const entry = read?.find((one) => isEntry(one, uuid));
    const names = values("name").flatMap((value) => ofVolume(value, uuid));
    const listed =
      names.length > 0 || values("uuid").some((value) => bare(value).toLowerCase() === uuid);
    const onlyListed = values("name").length > 0 || values("uuid").length > 0;
    const others = read?.filter((one) => one !== entry) ?? [];
    if (!listed && entry === undefined && others.length > 0 && !onlyListed) {
      throw cannotPass(
        uuid,
        `the initramfs' crypttab names other volumes (${others.map(({ name }) => name).join(", ")}), and none by this UUID`,
        `write UUID=${uuid} into /etc/crypttab and make the initramfs anew, or add rd.luks.uuid=${uuid} to the command line`,
      );
    }
    if (!listed && (entry === undefined || onlyListed)) words.push(`rd.luks.uuid=${uuid}`);
    if (entry !== undefined) return placeOf(uuid, entry);

    const keys = values("key");
    const own = keys.flatMap((value) => ofVolume(value, uuid)).at(-1);
    const general = keys.filter((value) => !/^[\da-zA-Z-]*=/.test(value)).at(-1);
    const place = own ?? general;
    if (place !== undefined) return plainPath(uuid, place, "rd.luks.key=");
    if (whole) return `${keyFolder}/${names.at(-1) ?? `luks-${uuid}`}.key`;
    warnings.push(
      `the names of volumes cannot be read in the initramfs: where its crypttab names ${uuid}, the key is looked for as ${keyFolder}/NAME.key`,
    );
    words.push(`rd.luks.key=${uuid}=${usualPlace(uuid)}`);
    return usualPlace(uuid);
  });
  return { places, words, warnings };
}

function switchOf(line: string, name: string): boolean {
  const last = [...parameterValues(line, name), ...parameterValues(line, `rd.${name}`)].at(-1);
  return last !== undefined && no.includes(last.toLowerCase());
}

/** A name that begins with luks- tells the volume, where the device does not. */
function isEntry({ name, source }: CrypttabEntry, uuid: string): boolean {
  if (/^(?:UUID=|\/dev\/disk\/by-uuid\/)/.test(source)) return isVolume(source, uuid);
  return name.toLowerCase() === `luks-${uuid}`;
}

function bare(value: string): string {
  return value.startsWith("luks-") ? value.slice("luks-".length) : value;
}

/** What `UUID=…` says, where it is of this volume. */
function ofVolume(value: string, uuid: string): readonly string[] {
  return value.slice(0, uuid.length + 1).toLowerCase() === `${uuid}=`
    ? [value.slice(uuid.length + 1)]
    : [];
}

function placeOf(uuid: string, { name, key }: CrypttabEntry): string {
  if (key !== undefined) return plainPath(uuid, key, "the initramfs' crypttab");
  if (!/\\/.test(name)) return `${keyFolder}/${name}.key`;
  throw cannotPass(
    uuid,
    `the initramfs' crypttab calls the volume ${name}`,
    "give it a plainer name",
  );
}

/** A key file in the initramfs itself; a device, a socket or a file on another disk is none. */
function plainPath(uuid: string, key: string, who: string): string {
  if (key.startsWith("/") && !key.startsWith("/dev/") && !/[:\\]/.test(key)) return key;
  throw cannotPass(
    uuid,
    `${who} says that the key is ${key}, which is no file in the initramfs`,
    "name no key there: then it is looked for where --luks puts it",
  );
}
