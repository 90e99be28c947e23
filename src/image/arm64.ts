/**
 * The arm64 `Image`. Offsets and flags: Documentation/arch/arm64/booting.rst and
 * arch/arm64/include/asm/image.h.
 */

import {
  type ByteSource,
  broken,
  fieldsOf,
  hasMagic,
  head,
  type ImageProblem,
  type ImageSummary,
  magicOf,
} from "./bytes.ts";
import type { Refusal } from "./bzimage.ts";
import { readPe } from "./pe.ts";

export interface Arm64Image {
  readonly kind: "arm64-image";
  /** Memory from the load address to the end of .bss, in bytes; 0 before Linux 3.17. */
  readonly imageSize: number;
  /** From a 2 MiB boundary to the first byte of the image, in bytes. */
  readonly textOffset: number;
  readonly bigEndian: boolean;
  /** Bytes; undefined where the image does not say. */
  readonly pageSize: 4096 | 16384 | 65536 | undefined;
  /** The image may lie anywhere in memory (flag bit 3). */
  readonly anyPlacement: boolean;
  readonly fileSize: number;
  /** How one sees that the file was cut: the kernel would load it, and it would never boot. */
  readonly cutShort: string | undefined;
}

/** What of the running machine decides about an Image; undefined where it is not known. */
export interface Arm64Machine {
  readonly bigEndian?: boolean | undefined;
  readonly mixedEndian?: boolean | undefined;
  /** Page sizes that the processor can use, in bytes. */
  readonly pageSizes?: readonly number[] | undefined;
}

const format = "arm64 Image";
const headerSize = 64;
const magic = magicOf("ARMd");

/** Whether there is the magic number of an arm64 Image. */
export function isArm64Image(source: ByteSource): boolean {
  return hasMagic(head(source, headerSize), 56, magic);
}

/** Facts of an arm64 Image; undefined when its magic is not there. */
export function readArm64Image(source: ByteSource): Arm64Image | ImageProblem | undefined {
  const bytes = head(source, headerSize);
  if (!hasMagic(bytes, 56, magic)) return undefined;
  // image_probe, arch/arm64/kernel/kexec_image.c: a whole header.
  if (bytes.length < headerSize) {
    return broken(format, "kernel-truncated", "the file ends inside the header");
  }
  const header = fieldsOf(bytes);
  const textOffset = header.u64(8);
  const imageSize = header.u64(16);
  if (imageSize > BigInt(Number.MAX_SAFE_INTEGER) || textOffset > BigInt(Number.MAX_SAFE_INTEGER)) {
    return broken(format, "kernel-unsuitable", "its size is beyond any address space");
  }
  const flags = Number(header.u64(24) & 0xfn);
  return {
    kind: "arm64-image",
    imageSize: Number(imageSize),
    textOffset: Number(textOffset),
    bigEndian: (flags & 1) !== 0,
    pageSize: ([undefined, 4096, 16384, 65536] as const)[(flags >> 1) & 3],
    anyPlacement: (flags & 8) !== 0,
    fileSize: source.size,
    cutShort: cutShort(source, imageSize),
  };
}

/**
 * The header does not tell the size of the file. The section table does, of a kernel that firmware
 * can start too (arch/arm64/kernel/efi-header.S). Another one lacks its .bss in the file and nothing
 * else, and no kernel is mostly .bss.
 */
function cutShort(source: ByteSource, imageSize: bigint): string | undefined {
  const pe = readPe(source);
  if (pe?.kind === "pe") return undefined;
  if (pe?.code === "kernel-truncated") return pe.why;
  if (BigInt(source.size) * 2n >= imageSize) return undefined;
  return `it has ${source.size} bytes, and its header announces ${imageSize} bytes of memory`;
}

/**
 * The first check of the running kernel that this image fails, in the order of
 * image_load, arch/arm64/kernel/kexec_image.c. What is not known of the machine
 * is taken as harmless.
 */
export function arm64Refusal(image: Arm64Image, machine: Arm64Machine): Refusal | undefined {
  const load = (why: string): Refusal => ({
    stage: "load",
    errno: "EINVAL",
    code: "kernel-unsuitable",
    why,
  });
  if (image.imageSize === 0) return load("its header gives no image size: older than linux 3.17");
  if (
    machine.bigEndian !== undefined &&
    image.bigEndian !== machine.bigEndian &&
    machine.mixedEndian === false
  ) {
    return load(`it is ${image.bigEndian ? "big" : "little"}-endian, and this processor is not`);
  }
  if (
    image.pageSize !== undefined &&
    machine.pageSizes !== undefined &&
    !machine.pageSizes.includes(image.pageSize)
  ) {
    return load(`it uses ${image.pageSize / 1024}K pages, which this processor cannot`);
  }
  return undefined;
}

export function summariseArm64(image: Arm64Image): ImageSummary {
  return {
    format,
    facts: {
      imageSize: image.imageSize,
      textOffset: image.textOffset,
      bigEndian: image.bigEndian,
      pageSize: image.pageSize ?? null,
      anyPlacement: image.anyPlacement,
      cutShort: image.cutShort !== undefined,
    },
  };
}
