/** What a superblock tells. */

/** The types that a SOURCE can be read from, by the names that mount(8) and blkid(8) use. */
export type FileSystemType =
  | "ext2"
  | "ext3"
  | "ext4"
  | "xfs"
  | "btrfs"
  | "vfat"
  | "exfat"
  | "squashfs"
  | "erofs";

export interface FileSystem {
  readonly kind: "file-system";
  readonly type: FileSystemType;
  /** As `LABEL=` names it; undefined where there is none. */
  readonly label: string | undefined;
  /** As `UUID=` names it: `0123abcd-…` in lower case, or FAT's `ABCD-0123`; undefined where there is none. */
  readonly uuid: string | undefined;
  /** The journal holds what the file system itself does not hold yet; undefined where that is not told. */
  readonly unclean: boolean | undefined;
  /** What tells the devices of one btrfs apart, which share label and UUID; undefined elsewhere. */
  readonly member: string | undefined;
}

/** Part of something larger: it must not be mounted, whatever file system its first bytes resemble. */
export interface Member {
  readonly kind: "member";
  readonly of: "md" | "LVM" | "LUKS";
  readonly uuid: string | undefined;
}

/** Two file systems leave their marks: one of them is the remainder of an earlier use. */
export interface Ambiguous {
  readonly kind: "ambiguous";
  readonly types: readonly FileSystemType[];
}
