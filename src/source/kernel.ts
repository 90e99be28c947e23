/** A kernel image that this machine could start: opened, recognised, checked. */

import type { Architecture } from "../architecture.ts";
import { cannot, type KexecError } from "../errors.ts";
import { type Arm64Image, arm64Refusal, isArm64Image, readArm64Image } from "../image/arm64.ts";
import { type ByteSource, bytesOf } from "../image/bytes.ts";
import {
  type BzImage,
  bzImageRefusal,
  isBzImage,
  readBzImage,
  type X86Machine,
} from "../image/bzimage.ts";
import type { ImageFacts } from "../image/recognise.ts";
import type { CmdlineLimit } from "./cmdline.ts";
import type { FoundFile, Reader } from "./kind.ts";
import type { OpenFile } from "./open-file.ts";

export interface KernelImage {
  readonly image: BzImage | Arm64Image;
  /** `bzImage` or `arm64 Image`. */
  readonly format: string;
  readonly version: string | undefined;
  readonly limit: CmdlineLimit;
}

/** What the running kernel takes as it is, whatever else it may be. */
export function isBareKernel(bytes: ByteSource): boolean {
  return isBzImage(bytes) || isArm64Image(bytes);
}

/** Every image has a NUL within so many bytes, and no text has. */
const textSample = 512;

export function isText({ beginning }: FoundFile): boolean {
  return !beginning.subarray(0, textSample).includes(0);
}

/** A kernel or a UKI, whatever it is wrapped in: `KernelSource` takes it apart. */
export const imageReader: Reader<FoundFile> = {
  open: ({ file, openBeside }) => ({
    kernel: { file, expected: undefined, openBeside },
    initrds: [],
  }),
};

/** What is asked first of a file: the kinds are read only where it is something else. */
export function isPlainKernel(found: FoundFile): boolean {
  return !isText(found) && isBareKernel(bytesOf(found.beginning));
}

/**
 * Recognises a kernel image by its content and applies the checks that the kernel's own probe
 * would apply, so that a refusal has a reason.
 * @throws KexecError `not-a-kernel`, `kernel-truncated`, `wrong-architecture`, `kernel-unsuitable`
 */
export function readKernel(
  file: OpenFile,
  architecture: Architecture,
  machine: X86Machine,
): KernelImage | Promise<never> {
  const { path } = file;
  const bzImage = readBzImage(file);
  if (bzImage?.kind === "broken") throw cannot(`start ${path}`, bzImage);
  if (bzImage !== undefined) return checkBzImage(file, bzImage, architecture, machine);

  const arm64 = readArm64Image(file);
  if (arm64?.kind === "broken") throw cannot(`start ${path}`, arm64);
  if (arm64 !== undefined) return checkArm64(path, arm64, architecture);

  return notAKernel(file);
}

/** Other programs that boot loaders start by Linux' boot protocol, or as EFI programs, by their own names. */
const programs: readonly (readonly [RegExp, string])[] = [
  [/iPXE/, "iPXE"],
  [/memtest86/i, "a memory test (Memtest86+)"],
];

/** Bytes in which such a program names itself. */
const programHead = 256 << 10;

function programIn(file: OpenFile): string | undefined {
  const text = new TextDecoder("latin1").decode(file.read(0, Math.min(file.size, programHead)));
  return programs.find(([name]) => name.test(text))?.[1];
}

function checkBzImage(
  file: OpenFile,
  image: BzImage,
  architecture: Architecture,
  machine: X86Machine,
): KernelImage {
  const { path } = file;
  if (architecture !== "x86_64") throw wrongArchitecture(path, "x86", architecture);
  const refusal = bzImageRefusal(image, machine);
  if (refusal !== undefined) {
    const program = programIn(file);
    const why = program === undefined ? refusal.why : `it is ${program}, not Linux: ${refusal.why}`;
    throw cannot(`start ${path}`, { ...refusal, why });
  }
  if (image.cutShort) {
    throw cutShort(
      path,
      `it has ${image.fileSize} bytes, and its header announces ${image.announcedSize}`,
    );
  }
  return {
    image,
    format: "bzImage",
    version: image.version,
    limit: { architecture, cmdlineSize: image.cmdlineSize },
  };
}

function checkArm64(path: string, image: Arm64Image, architecture: Architecture): KernelImage {
  if (architecture !== "aarch64") throw wrongArchitecture(path, "arm64", architecture);
  const refusal = arm64Refusal(image, {});
  if (refusal !== undefined) throw cannot(`start ${path}`, refusal);
  if (image.cutShort !== undefined) throw cutShort(path, image.cutShort);
  return {
    image,
    format: "arm64 Image",
    version: undefined,
    limit: { architecture, cmdlineSize: 0 },
  };
}

function cutShort(path: string, sign: string): KexecError {
  return cannot(`start ${path}`, {
    code: "kernel-truncated",
    details: { path },
    why: `the file is cut short: ${sign}`,
    hint: "copy or download it again: the kernel would load it, but it would never boot",
  });
}

function wrongArchitecture(path: string, of: string, machine: Architecture): KexecError {
  return cannot(`start ${path}`, {
    code: "wrong-architecture",
    details: { path, expected: machine, found: of },
    why: `it is a kernel for ${of}, and this machine is ${machine}`,
    hint: `use a kernel built for ${machine}`,
  });
}

/** @throws KexecError `not-a-kernel` */
async function notAKernel(file: OpenFile): Promise<never> {
  const { recogniseImage } = await import("../image/recognise.ts");
  const image = recogniseImage(file);
  const text =
    image.kind === "unknown" && image.resembles === "text" ? await textOf(file) : undefined;
  const program = image.kind === "pe" ? programIn(file) : undefined;
  const [what, hint] =
    text ??
    (program === undefined ? insteadOfKernel(image) : [`${program}, not Linux`, giveKernel]);
  throw cannot(`start ${file.path}`, {
    code: "not-a-kernel",
    details: { path: file.path, found: what },
    why: `it is ${what}`,
    hint,
  });
}

/** A configuration that nothing reads here, or not under this name. */
async function textOf(file: OpenFile): Promise<readonly [what: string, hint: string] | undefined> {
  const { textKind } = await import("../menu/text-kind.ts");
  const text = new TextDecoder("latin1").decode(file.read(0, Math.min(file.size, longestText)));
  const kind = textKind(text.replaceAll("\r\n", "\n"));
  return kind === undefined ? undefined : [`${kind}, not a kernel image`, giveKernel];
}

/** Bytes of a text that tell what it is. */
const longestText = 64 << 10;

const giveKernel = "give the bzImage (x86_64) or the Image (arm64), often called vmlinuz, in /boot";

/** What was given where a kernel is wanted, and what to give instead. */
function insteadOfKernel(image: ImageFacts): readonly [what: string, hint: string] {
  switch (image.kind) {
    case "pe":
      return [
        "an EFI program without a kernel in it (no .linux section)",
        "kexec starts Linux only: give a kernel, or a UKI",
      ];
    case "elf":
      return ["an ELF file, such as a vmlinux, which the kernel does not load", giveKernel];
    case "unknown":
      if (image.resembles === "initramfs") return ["an initramfs, not a kernel image", giveKernel];
      if (image.resembles === "zeros")
        return ["not a kernel image: it begins with zeros", giveKernel];
      return ["not a kernel image", giveKernel];
    default:
      return ["not a kernel image", giveKernel];
  }
}
