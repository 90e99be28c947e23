/**
 * Whether the next kernel can unpack its initramfs: it holds the archive and all that is in it at once
 * (do_populate_rootfs, init/initramfs.c), and there is no swap yet. Pure.
 */
import type { Cause } from "../errors.ts";
import { parameterValues } from "../kernel-words.ts";
import { mebibytes } from "./cause.ts";
import type { NextMemory } from "./next-memory.ts";

export interface UnpackNeed {
  /** Bytes of the whole initramfs. */
  readonly archive: number;
  /** Bytes that it unpacks to: at least, and as far as its headers tell. */
  readonly least: number;
  readonly likely: number | undefined;
  /** Bytes that the kernel's image wants to start: `init_size` of x86, `image_size` of arm64. */
  readonly kernel: number;
}

/** A share of all memory goes to its own map: struct page, 64 bytes for each 4,096. */
const mapShare = 64 / 4096;
/** Bytes that a kernel takes beside its image until init runs; the least that was measured is 40 MiB. */
const running = 40 << 20;

/** What counts of the least for certain: headers are not kept, and a file may be there twice. */
const certainly = 0.9;

export type UnpackVerdict =
  | { readonly fits: true }
  | { readonly fits: false; readonly certain: true; readonly cause: Cause }
  | { readonly fits: false; readonly certain: false; readonly text: string };

/**
 * The share of memory that the files of an initramfs may take: without `root=` they go to a tmpfs (init_rootfs,
 * init/do_mounts.c), which takes half, or what `initramfs_options=size=` says.
 */
export function fileShare(cmdline: string): number {
  const types = parameterValues(cmdline, "rootfstype");
  const inTmpfs =
    types.length === 0
      ? parameterValues(cmdline, "root").length === 0
      : types.some((type) => type.includes("tmpfs"));
  if (!inTmpfs) return 1;
  const options = parameterValues(cmdline, "initramfs_options").at(-1) ?? "";
  const percent = /(?:^|,)size=(\d{1,3})%/.exec(options)?.[1];
  return percent === undefined ? 0.5 : Math.min(1, Number(percent) / 100);
}

/**
 * @param share Of the memory, for files: see `fileShare`.
 * @param crash It is the crash kernel, in the memory that is reserved for it.
 */
export function judgeRoom(
  { archive, least, likely, kernel }: UnpackNeed,
  memory: NextMemory,
  { share, crash }: { readonly share: number; readonly crash: boolean },
): UnpackVerdict {
  const whose = crash ? "the memory that crashkernel= reserves" : "the next kernel's memory";
  const because = memory.words.length === 0 || crash ? "" : `, by ${memory.words.join(" ")}`;
  const hint = crash
    ? "boot with a larger crashkernel=, or make a smaller initramfs for it"
    : "use a smaller initramfs, or leave out of the command line what takes of its memory";
  const files = (bytes: number) => `an initramfs of ${mebibytes(archive)} with ${mebibytes(bytes)}`;
  // What the kernel has no place for it refuses itself, and says so.
  if (archive + kernel > memory.most) return { fits: true };
  if (archive + least * certainly > memory.most) {
    return {
      fits: false,
      certain: true,
      cause: {
        code: "no-room",
        why: `${files(least)} or more in it cannot be unpacked in ${whose} (${mebibytes(memory.most)}${because})`,
        hint,
      },
    };
  }
  const unpacked = likely ?? least;
  const wanted = archive + unpacked + kernel + running + memory.most * mapShare;
  if (wanted > memory.likely) {
    return {
      fits: false,
      certain: false,
      text: `the next kernel may run out of memory: ${files(unpacked)} in it and the kernel take some ${mebibytes(wanted)}, and ${whose} is ${mebibytes(memory.likely)}${because}: ${hint}`,
    };
  }
  if (unpacked > memory.likely * share) {
    return {
      fits: false,
      certain: false,
      text: `the next kernel may not unpack all of its initramfs: it has ${mebibytes(unpacked)} in it, and a tmpfs takes ${Math.round(share * 100)} % of ${whose} (${mebibytes(memory.likely)}${because}): give root=, rootfstype=ramfs or a smaller initramfs`,
    };
  }
  return { fits: true };
}
