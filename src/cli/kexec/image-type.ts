/** The image types of `--type`: kexec-tools' names (file_type in kexec/arch/*). Pure. */

import type { Architecture } from "../../architecture.ts";
import { KexecError } from "../../errors.ts";

interface Types {
  /** What kexec_file_load(2) takes. */
  readonly taken: readonly string[];
  readonly others: readonly string[];
}

const types: Readonly<Record<Architecture, Types>> = {
  x86_64: {
    taken: ["bzImage64", "bzImage"],
    others: ["multiboot2-x86", "elf-x86_64", "multiboot-x86", "elf-x86", "beoboot-x86", "nbi-x86"],
  },
  aarch64: { taken: ["Image", "zImage"], others: ["vmlinux", "uImage"] },
};

/**
 * The content decides what an image is, so a right type adds nothing; a wrong one is refused.
 * @throws KexecError `usage`
 */
export function checkImageType(type: string | undefined, architecture: Architecture): void {
  const { taken, others } = types[architecture];
  if (type === undefined || taken.includes(type)) return;
  throw new KexecError("usage", {
    message: others.includes(type)
      ? `--type=${type} is not supported: kexec_file_load(2) does not take such images`
      : `unsupported kernel type ${type}`,
    hint: `leave it out, or use one of: ${taken.join(", ")}`,
  });
}
