/**
 * mkinitcpio's hook `encrypt` (cryptsetup's package of Arch Linux, hooks-encrypt): it opens the one volume of
 * `cryptdevice=`, by the key of `cryptkey=`, and asks where there is none.
 */
import { parameterValues } from "../../kernel-words.ts";
import { type Asked, cannotPass, type Planned, rootName } from "./framework.ts";
import { isVolume } from "./table.ts";
import { usualPlace } from "./volume.ts";

export function planEncrypt({ uuids, line }: Asked): Planned {
  const [uuid = "", other] = uuids;
  if (other !== undefined) {
    throw cannotPass(
      other,
      "mkinitcpio's encrypt opens one volume only",
      "use sd-encrypt for more",
    );
  }
  const words: string[] = [];
  const warnings: string[] = [];
  const device = parameterValues(line, "cryptdevice").at(-1);
  if (device === undefined) {
    words.push(`cryptdevice=UUID=${uuid}:${rootName(line) ?? `luks-${uuid}`}`);
  } else {
    const [source = ""] = device.split(":");
    if (!isVolume(source, uuid)) {
      if (/^(?:UUID=|\/dev\/disk\/by-uuid\/)/.test(source)) {
        throw cannotPass(uuid, `the command line opens another volume: ${source}`, "name that one");
      }
      warnings.push(`the command line opens ${source}: that it is ${uuid} could not be checked`);
    }
  }
  const key = parameterValues(line, "cryptkey").at(-1);
  const place = key === undefined ? usualPlace(uuid) : /^rootfs:(\/[^:]*)$/.exec(key)?.[1];
  if (place === undefined) {
    throw cannotPass(
      uuid,
      `the command line says that the key is ${key}, which is no file in the initramfs`,
      "leave cryptkey= out of the command line",
    );
  }
  if (key === undefined) words.push(`cryptkey=rootfs:${place}`);
  return { places: [place], words, warnings };
}
