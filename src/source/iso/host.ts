/** An ISO image as a boot menu sees it: a loop device, and beside it the disk that holds its file. */
import type { MenuHost, MenuPlace } from "../../menu/host.ts";
import type { IsoFiles } from "./files.ts";
import type { Holder } from "./holder.ts";

/** What menus for images in files call the image, by custom. */
export const imageDevice = "loop";
const holderDevice = "disk";

export function isoHost(files: IsoFiles, holder: Holder): MenuHost {
  const { volume, image } = files;
  const isImage = ({ device }: MenuPlace) => device === imageDevice;
  return {
    devices: [imageDevice, holderDevice],
    status(place) {
      if (!isImage(place)) {
        // Of the disk one file is known.
        return place.device === holderDevice && place.path.replace(/\/+/g, "/") === holder.path
          ? { kind: "file", size: image.size }
          : undefined;
      }
      const node = files.look(place.path);
      if (node?.type !== "file" && node?.type !== "directory") return undefined;
      return { kind: node.type, size: node.size };
    },
    read: (place, limit) => (isImage(place) ? files.readStart(place.path, limit) : undefined),
    names: (place) => (isImage(place) ? files.names(place.path, mostNames) : undefined),
    facts: (device) =>
      device === imageDevice
        ? { uuid: volume.uuid, label: volume.label, type: "iso9660" }
        : { uuid: holder.uuid, type: holder.type },
  };
}

const mostNames = 65_536;
