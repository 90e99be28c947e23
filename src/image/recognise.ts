/** What a file is, by its content alone, with the facts that its headers hold. */

import { type Arm64Image, readArm64Image, summariseArm64 } from "./arm64.ts";
import {
  type ByteSource,
  fieldsOf,
  hasMagic,
  head,
  type ImageProblem,
  type ImageSummary,
  magicOf,
} from "./bytes.ts";
import { type BzImage, readBzImage, summariseBzImage } from "./bzimage.ts";
import { type Compression, readCompression } from "./compression.ts";
import { type PeImage, type PeMachine, readPe } from "./pe.ts";
import { readUki, summariseUki, type Uki } from "./uki.ts";
import { readZboot, summariseZboot, type Zboot } from "./zboot.ts";

/** What an image is as a program for EFI firmware; kernels are that too. */
export interface PeFacts {
  /** Broken: the file announces PE headers, which the kernel reads when it checks a signature. */
  readonly pe: PeImage | ImageProblem | undefined;
}

export type ImageFacts =
  | (BzImage & PeFacts)
  | (Arm64Image & PeFacts)
  | (Zboot & PeFacts)
  | (Uki & PeFacts & { readonly pe: PeImage })
  | {
      readonly kind: "pe";
      readonly pe: PeImage;
    }
  | { readonly kind: "compressed"; readonly compression: Compression }
  | ElfFile
  | Unknown
  | ImageProblem;

/** An ELF file, such as a `vmlinux`: kexec_file_load takes it on neither architecture. */
export interface ElfFile {
  readonly kind: "elf";
  readonly machine: PeMachine | undefined;
}

export interface Unknown {
  readonly kind: "unknown";
  /** What it seems to be instead of a kernel; undefined where nothing can be said. */
  readonly resembles: "empty" | "text" | "zeros" | "initramfs" | undefined;
}

const sampleSize = 512;
const elfMagic = [0x7f, ...magicOf("ELF")];
// e_machine: include/uapi/linux/elf-em.h.
const elfMachines = new Map<number, PeMachine>([
  [3, "i386"],
  [40, "arm"],
  [62, "x86_64"],
  [183, "aarch64"],
  [243, "riscv64"],
  [258, "loongarch64"],
]);
// newc, without and with checksums: Documentation/driver-api/early-userspace/buffer-format.rst.
const cpioMagics = ["070701", "070702"].map(magicOf);

/**
 * Recognises an image and reads its headers, never its whole. Kernels come
 * first, as the running kernel would take them whatever else they are.
 */
export function recogniseImage(source: ByteSource): ImageFacts {
  const kernel = readBzImage(source) ?? readArm64Image(source) ?? readZboot(source);
  if (kernel?.kind === "broken") return kernel;
  const pe = readPe(source);
  if (kernel !== undefined) return { ...kernel, pe };

  if (pe?.kind === "broken") return pe;
  if (pe !== undefined) {
    const uki = readUki(source, pe);
    if (uki?.kind === "broken") return uki;
    return uki === undefined ? { kind: "pe", pe } : { ...uki, pe };
  }

  const compression = readCompression(source);
  if (compression !== undefined) return { kind: "compressed", compression };
  const sample = head(source, sampleSize);
  return readElf(sample) ?? { kind: "unknown", resembles: resemblance(sample) };
}

/** What `inspect` shows of an image. */
export function summariseImage(facts: ImageFacts): ImageSummary {
  switch (facts.kind) {
    case "bzimage":
      return summariseBzImage(facts);
    case "arm64-image":
      return summariseArm64(facts);
    case "zboot":
      return summariseZboot(facts, facts.pe?.kind === "pe" ? facts.pe.machine : undefined);
    case "uki":
      return summariseUki(facts, facts.pe);
    case "pe":
      return { format: "EFI program", facts: { machine: facts.pe.machine ?? null } };
    case "elf":
      return { format: "ELF", facts: { machine: facts.machine ?? null } };
    case "unknown":
      return { format: facts.kind, facts: { resembles: facts.resembles ?? null } };
    case "compressed":
      return { format: facts.compression, facts: {} };
    case "broken":
      return { format: facts.format, facts: {} };
  }
}

function readElf(sample: Uint8Array): ElfFile | undefined {
  if (!hasMagic(sample, 0, elfMagic)) return undefined;
  const machine = sample.length < 20 ? undefined : elfMachines.get(fieldsOf(sample).u16(18));
  return { kind: "elf", machine };
}

function resemblance(sample: Uint8Array): Unknown["resembles"] {
  if (sample.length === 0) return "empty";
  if (cpioMagics.some((magic) => hasMagic(sample, 0, magic))) return "initramfs";
  if (sample.every((byte) => byte === 0)) return "zeros";
  // Tab, line feed, form feed, carriage return; UTF-8 above ASCII.
  const isText = (byte: number) =>
    byte >= 0x20 ? byte !== 0x7f : byte === 9 || byte === 10 || byte === 12 || byte === 13;
  return sample.every(isText) ? "text" : undefined;
}
