/**
 * The x86 kernel image. Offsets and flags: arch/x86/include/uapi/asm/bootparam.h
 * and Documentation/arch/x86/boot.rst.
 */

import type { Cause } from "../errors.ts";
import {
  type ByteSource,
  broken,
  fieldsOf,
  hasMagic,
  head,
  type ImageProblem,
  type ImageSummary,
  isWithin,
  magicOf,
  printable,
  readWithin,
} from "./bytes.ts";

export interface BzImage {
  readonly kind: "bzimage";
  /** Boot protocol: major in the high byte, minor in the low one; 0x020f is 2.15. */
  readonly protocol: number;
  /** What `file` and `uname` call the version, with builder and date; printable ASCII. */
  readonly version: string | undefined;
  readonly bootFlag: boolean;
  readonly loadedHigh: boolean;
  /** Has the 64-bit entry point (XLF_KERNEL_64). */
  readonly entry64: boolean;
  /** XLF_CAN_BE_LOADED_ABOVE_4G. */
  readonly above4G: boolean;
  /** Can be started by a kernel that uses 5-level paging (XLF_5LEVEL). */
  readonly fiveLevel: boolean;
  /** Uses 5-level paging itself (XLF_5LEVEL_ENABLED). */
  readonly fiveLevelEnabled: boolean;
  readonly relocatable: boolean;
  /** Longest command line in bytes, without the NUL. */
  readonly cmdlineSize: number;
  /** Memory that the kernel needs to unpack itself, in bytes. */
  readonly initSize: number;
  /** 512-byte sectors of real-mode code after the first; a 0 in the file means 4. */
  readonly setupSects: number;
  /** The compressed kernel inside, as a range of the file. */
  readonly payload: { readonly offset: number; readonly length: number } | undefined;
  readonly fileSize: number;
  /**
   * Size of the file that the header announces, in bytes, without signatures. A
   * file that is shorter was cut: the kernel still loads it, and it never boots.
   */
  readonly announcedSize: number;
  readonly cutShort: boolean;
}

/** What of the running kernel decides about a bzImage; undefined where it is not known. */
export interface X86Machine {
  /** The running kernel uses 5-level paging. */
  readonly fiveLevelPaging?: boolean | undefined;
  /** EFI runtime services of 32-bit firmware are in use. */
  readonly efi32Runtime?: boolean | undefined;
}

/** One check of the kernel that an image fails. */
export interface Refusal extends Cause {
  /** `probe` comes before the kernel's signature check, `load` after it. */
  readonly stage: "probe" | "load";
  readonly errno: "ENOEXEC" | "EINVAL";
}

const format = "bzImage";
const sector = 512;
const headerEnd = 0x270;
const smallestProtocol = 0x020c;
const versionLimit = 256;
const headerMagic = magicOf("HdrS");

/** Whether there is an x86 setup header. */
export function isBzImage(source: ByteSource): boolean {
  return hasMagic(head(source, headerEnd), 0x202, headerMagic);
}

/** Facts of a bzImage; undefined when there is no x86 setup header at all. */
export function readBzImage(source: ByteSource): BzImage | ImageProblem | undefined {
  const bytes = head(source, headerEnd);
  if (!hasMagic(bytes, 0x202, headerMagic)) return undefined;
  // bzImage64_probe, arch/x86/kernel/kexec-bzimage64.c: at least two sectors.
  if (source.size < 2 * sector) {
    return broken(format, "kernel-truncated", "the file is shorter than two sectors");
  }

  const header = fieldsOf(bytes);
  const protocol = header.u16(0x206);
  const loadflags = header.u8(0x211);
  // Later fields mean something only from the protocol version that brought them.
  const since = (version: number, value: number) => (protocol >= version ? value : 0);
  const xloadflags = since(0x020c, header.u16(0x236));
  const setupSects = header.u8(0x1f1) || 4;
  const protectedMode = (setupSects + 1) * sector;
  const announcedSize = protectedMode + header.u32(0x1f4) * 16;
  const payloadLength = since(0x0208, header.u32(0x24c));
  const payload =
    payloadLength === 0
      ? undefined
      : { offset: protectedMode + header.u32(0x248), length: payloadLength };

  return {
    kind: "bzimage",
    protocol,
    version: readVersion(source, header.u16(0x20e), setupSects),
    bootFlag: header.u16(0x1fe) === 0xaa55,
    loadedHigh: (loadflags & 1) !== 0,
    entry64: (xloadflags & (1 << 0)) !== 0,
    above4G: (xloadflags & (1 << 1)) !== 0,
    fiveLevel: (xloadflags & (1 << 5)) !== 0,
    fiveLevelEnabled: (xloadflags & (1 << 6)) !== 0,
    relocatable: since(0x0205, header.u8(0x234)) !== 0,
    cmdlineSize: since(0x0206, header.u32(0x238)),
    initSize: since(0x020a, header.u32(0x260)),
    setupSects,
    payload,
    fileSize: source.size,
    announcedSize,
    cutShort:
      source.size < announcedSize ||
      (payload !== undefined && !isWithin(source.size, payload.offset, payload.length)),
  };
}

function readVersion(source: ByteSource, pointer: number, setupSects: number): string | undefined {
  // boot.rst: 0 means none, and the string lies in the setup code.
  if (pointer === 0 || pointer >= setupSects * sector) return undefined;
  const offset = pointer + 0x200;
  const length = Math.min(versionLimit, source.size - offset);
  const bytes = readWithin(source, offset, length);
  return (bytes && printable(bytes)) || undefined;
}

/**
 * The first check of the running kernel that this image fails, in the kernel's
 * own order (bzImage64_probe, then bzImage64_load). What is not known of the
 * machine is taken as harmless. The command line has its own check.
 */
export function bzImageRefusal(image: BzImage, machine: X86Machine): Refusal | undefined {
  const probe = (why: string): Refusal => ({
    stage: "probe",
    errno: "ENOEXEC",
    code: "kernel-unsuitable",
    why,
  });
  if (!image.bootFlag) {
    return { ...probe("it has no x86 boot sector mark"), code: "not-a-kernel" };
  }
  if (image.protocol < smallestProtocol) {
    return probe(`its boot protocol is ${protocolText(image.protocol)}, older than 2.12`);
  }
  if (!image.loadedHigh) return probe("it is a zImage, not a bzImage");
  if (!image.entry64) return probe("it has no 64-bit entry point");
  if (!image.above4G) return probe("it cannot be loaded above 4 GiB");
  if (machine.efi32Runtime === true) return probe("the firmware's EFI runtime is 32-bit");
  if (machine.fiveLevelPaging === true && !image.fiveLevel) {
    return probe("this machine uses 5-level paging, which it cannot start under");
  }
  if (image.fileSize < (image.setupSects + 1) * sector) {
    return {
      stage: "load",
      errno: "ENOEXEC",
      code: "kernel-truncated",
      why: "the file ends inside the setup code",
      hint: "copy or download it again",
    };
  }
  return undefined;
}

/** 0x020f as `2.15`. */
export function protocolText(protocol: number): string {
  return `${protocol >> 8}.${protocol & 0xff}`;
}

/** The release in front of the builder and the date: kernel_version, arch/x86/boot/version.c. */
export function releaseIn(version: string | null): string | null {
  return version === null || version === "" ? null : (version.split(" ")[0] ?? null);
}

export function summariseBzImage(image: BzImage): ImageSummary {
  return {
    format,
    facts: {
      version: image.version ?? null,
      release: releaseIn(image.version ?? null),
      protocol: protocolText(image.protocol),
      entry64: image.entry64,
      above4G: image.above4G,
      fiveLevel: image.fiveLevel,
      relocatable: image.relocatable,
      cmdlineSize: image.cmdlineSize,
      initSize: image.initSize,
      cutShort: image.cutShort,
    },
  };
}
