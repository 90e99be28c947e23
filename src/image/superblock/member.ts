/** Disks and partitions that are part of something larger: md arrays, LVM volumes, LUKS containers. */
import { type ByteSource, fieldsOf, hasMagic, magicOf, readWithin } from "../bytes.ts";
import { labelOf, uuidOf } from "./text.ts";
import type { Member } from "./types.ts";

export function readMember(source: ByteSource): Member | undefined {
  return readLuks(source) ?? readLvm(source) ?? readMd(source);
}

// LUKS1 and LUKS2 on-disk formats: magic, version, and the UUID as text at 168 in both.
const luksMagic = [...magicOf("LUKS"), 0xba, 0xbe];

function readLuks(source: ByteSource): Member | undefined {
  const bytes = readWithin(source, 0, 208);
  if (bytes === undefined || !hasMagic(bytes, 0, luksMagic)) return undefined;
  return { kind: "member", of: "LUKS", uuid: labelOf(bytes.subarray(168, 208)) };
}

// lvm2, lib/format_text/layout.h and lib/label/label.h: a label in one of the first four sectors.
const lvmLabel = magicOf("LABELONE");
const lvmType = magicOf("LVM2 001");

function readLvm(source: ByteSource): Member | undefined {
  for (let sector = 0; sector < 4; sector++) {
    const bytes = readWithin(source, sector * 512, 32);
    if (bytes !== undefined && hasMagic(bytes, 0, lvmLabel) && hasMagic(bytes, 24, lvmType)) {
      return { kind: "member", of: "LVM", uuid: undefined };
    }
  }
  return undefined;
}

// include/uapi/linux/raid/md_p.h: MD_SB_MAGIC, set_uuid of version 1 at 16.
const mdMagic = 0xa92b4efc;

/**
 * Where an array's superblock may stand: version 1.1 at the start, 1.2 at 4 KiB, 1.0 at least 8 KiB from the
 * end on a multiple of 4 KiB (super_1_load in drivers/md/md.c), 0.90 in the last whole 64 KiB (calc_dev_sboffset).
 */
function readMd(source: ByteSource): Member | undefined {
  const sectors = Math.floor(source.size / 512);
  const early = [0, 4096, (sectors - 16 - ((sectors - 16) % 8)) * 512];
  for (const at of early) {
    const bytes = readWithin(source, at, 32);
    if (bytes === undefined) continue;
    const fields = fieldsOf(bytes);
    if (fields.u32(0) === mdMagic && fields.u32(4) === 1) {
      return { kind: "member", of: "md", uuid: uuidOf(bytes.subarray(16, 32)) };
    }
  }
  const late = (Math.floor(source.size / 65_536) - 1) * 65_536;
  const bytes = readWithin(source, late, 4);
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4);
  // Version 0.90 is in the byte order of the machine that wrote it.
  const found = view.getUint32(0, true) === mdMagic || view.getUint32(0, false) === mdMagic;
  return found ? { kind: "member", of: "md", uuid: undefined } : undefined;
}
