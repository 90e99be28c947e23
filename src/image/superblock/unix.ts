/** Superblocks of ext2, ext3, ext4, XFS, btrfs, squashfs and EROFS. */
import { type ByteSource, fieldsOf, hasMagic, magicOf, readWithin } from "../bytes.ts";
import { labelOf, uuidOf } from "./text.ts";
import type { FileSystem } from "./types.ts";

type Found = FileSystem | undefined;

// Documentation/filesystems/ext4/super.rst; the features that ext3 knows: fs/ext4/ext4.h.
const ext = {
  at: 1024,
  length: 0x88,
  magic: 0xef53,
  hasJournal: 0x4,
  needsRecovery: 0x4,
  journalDevice: 0x8,
  ext3Incompatible: 0x2 | 0x4 | 0x10,
  ext3ReadOnlyCompatible: 0x1 | 0x2 | 0x4,
};

export function readExt(source: ByteSource): Found {
  const bytes = readWithin(source, ext.at, ext.length);
  if (bytes === undefined) return undefined;
  const fields = fieldsOf(bytes);
  if (fields.u16(0x38) !== ext.magic) return undefined;
  const [compatible, incompatible, readOnly] = [
    fields.u32(0x5c),
    fields.u32(0x60),
    fields.u32(0x64),
  ];
  // The journal of another file system, on a device of its own
  if ((incompatible & ext.journalDevice) !== 0) return undefined;
  const newer =
    (incompatible & ~ext.ext3Incompatible) !== 0 || (readOnly & ~ext.ext3ReadOnlyCompatible) !== 0;
  const journal = (compatible & ext.hasJournal) !== 0;
  return {
    kind: "file-system",
    type: newer ? "ext4" : journal ? "ext3" : "ext2",
    label: labelOf(bytes.subarray(0x78, 0x88)),
    uuid: uuidOf(bytes.subarray(0x68, 0x78)),
    unclean: (incompatible & ext.needsRecovery) !== 0,
    member: undefined,
  };
}

// fs/xfs/libxfs/xfs_format.h, struct xfs_dsb: sb_uuid at 32, sb_fname (12 bytes) at 108.
const xfsMagic = magicOf("XFSB");

export function readXfs(source: ByteSource): Found {
  const bytes = readWithin(source, 0, 120);
  if (bytes === undefined || !hasMagic(bytes, 0, xfsMagic)) return undefined;
  return {
    kind: "file-system",
    type: "xfs",
    label: labelOf(bytes.subarray(108, 120)),
    uuid: uuidOf(bytes.subarray(32, 48)),
    // Only the log itself tells
    unclean: undefined,
    member: undefined,
  };
}

// include/uapi/linux/btrfs_tree.h, struct btrfs_super_block: fsid at 0x20, magic at 0x40, dev_item at 0xc9
// with the device's own uuid 66 bytes into it, label (256 bytes) at 0x12b.
const btrfs = { at: 65_536, length: 0x22b, magic: magicOf("_BHRfS_M") };

export function readBtrfs(source: ByteSource): Found {
  const bytes = readWithin(source, btrfs.at, btrfs.length);
  if (bytes === undefined || !hasMagic(bytes, 0x40, btrfs.magic)) return undefined;
  return {
    kind: "file-system",
    type: "btrfs",
    label: labelOf(bytes.subarray(0x12b, 0x22b)),
    uuid: uuidOf(bytes.subarray(0x20, 0x30)),
    unclean: undefined,
    member: uuidOf(bytes.subarray(0xc9 + 66, 0xc9 + 82)),
  };
}

// fs/squashfs/squashfs_fs.h, struct squashfs_super_block: s_major at 28, 4 since Linux 2.6.29.
const squashfs = { magic: magicOf("hsqs"), major: 4 };

export function readSquashfs(source: ByteSource): Found {
  const bytes = readWithin(source, 0, 32);
  if (bytes === undefined || !hasMagic(bytes, 0, squashfs.magic)) return undefined;
  if (fieldsOf(bytes).u16(28) !== squashfs.major) return undefined;
  return {
    kind: "file-system",
    type: "squashfs",
    label: undefined,
    uuid: undefined,
    unclean: false,
    member: undefined,
  };
}

// fs/erofs/erofs_fs.h, struct erofs_super_block: uuid at 48, volume_name (16 bytes) at 64.
const erofs = { at: 1024, magic: 0xe0f5e1e2 };

export function readErofs(source: ByteSource): Found {
  const bytes = readWithin(source, erofs.at, 80);
  if (bytes === undefined || fieldsOf(bytes).u32(0) !== erofs.magic) return undefined;
  return {
    kind: "file-system",
    type: "erofs",
    label: labelOf(bytes.subarray(64, 80)),
    uuid: uuidOf(bytes.subarray(48, 64)),
    unclean: false,
    member: undefined,
  };
}
