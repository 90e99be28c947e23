/** Why the kernel does not take an image or a file, for other reasons than its signature. */

import type { Architecture } from "../architecture.ts";
import type { Cause } from "../errors.ts";
import type { Refusal } from "../image/bzimage.ts";
import type { Memory } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";
import { availableText, logged, mebibytes } from "./cause.ts";
import type { LoadAttempt } from "./evidence.ts";
import { segmentCause } from "./memory-need.ts";
import { crashMemoryCause } from "./permission.ts";

/** EINVAL has many causes: a file over half of memory, the command line, the image, a flag. */
export function invalidCause(
  attempt: LoadAttempt,
  architecture: Architecture,
  memory: Memory,
  refusal: Refusal | undefined,
  kernelLog: readonly string[],
): Cause {
  const tooLarge = segmentCause(Math.max(attempt.kernelSize, attempt.initrdSize), memory);
  if (tooLarge !== undefined) return tooLarge;
  if (logged(kernelLog, /command line too long/i)) {
    return {
      code: "cmdline-too-long",
      why: "the command line is too long for this image",
      hint: "shorten it",
    };
  }
  if (refusal !== undefined) return refusal;
  if (attempt.debug) {
    return {
      code: "unsupported-flag",
      why: "this kernel does not know a flag of the call, or does not take this image",
      hint: "try without --verbose (kexec -d), which asks the kernel for debug output (Linux 6.7 and later)",
    };
  }
  const image =
    architecture === "aarch64"
      ? "this processor does not have its page size or endianness (dmesg names it)"
      : "its command line with what the kernel adds is too long (dmesg names it)";
  return {
    code: "kernel-unsuitable",
    why: "the running kernel does not take this image, its command line or the flags of the call",
    hint: `it may be that ${image}, or that the kernel is too old for a flag of the call`,
  };
}

/** ENOEXEC: no loader of the running kernel takes the image. */
export function formatCause(refusal: Refusal | undefined): Cause {
  if (refusal !== undefined) return refusal;
  return {
    code: "kernel-unsuitable",
    why: "the running kernel does not take this image format",
    hint: "use a kernel image built for this architecture with a 64-bit entry point",
  };
}

/** ENOMEM comes from reading the files into memory and from placing them. */
export function memoryCause(attempt: LoadAttempt, memory: Memory): Cause {
  const wanted = mebibytes(attempt.kernelSize + attempt.initrdSize);
  return {
    code: "out-of-memory",
    details: {
      size: attempt.kernelSize + attempt.initrdSize,
      available: valueIn(memory.available),
    },
    why: `not enough memory for ${wanted} of kernel and initramfs${availableText(memory)}`,
    hint: "the kernel needs room for the files twice: free memory, or use a smaller initramfs",
  };
}

/** EADDRNOTAVAIL: no hole in memory is large enough (kexec_locate_mem_hole, kernel/kexec_file.c). */
export function noPlaceCause(
  attempt: Pick<LoadAttempt, "kernelSize" | "initrdSize" | "crash">,
  crashSize: number | undefined,
  handover: { readonly scratch: number | null | undefined } | undefined,
): Cause {
  const size = attempt.kernelSize + attempt.initrdSize;
  const wanted = mebibytes(size);
  if (attempt.crash) {
    const nothingReserved = crashMemoryCause(crashSize);
    if (nothingReserved !== undefined) return nothingReserved;
    const reserved = crashSize === undefined ? "" : ` (${mebibytes(crashSize)})`;
    return {
      code: "no-room",
      details: { size, limit: crashSize },
      why: `${wanted} and what the crash kernel needs to unpack itself do not fit what crashkernel= reserves${reserved}`,
      hint: "reserve more by crashkernel=, or use a smaller initramfs",
    };
  }
  if (handover !== undefined) return noPlaceInScratch(attempt, handover.scratch ?? undefined);
  return {
    code: "no-room",
    details: { size },
    why: `no stretch of free memory is large enough for ${wanted}`,
    hint: "use a smaller initramfs, or load earlier after boot, before memory is in pieces",
  };
}

/**
 * Where kexec handover is on, each file must fit one of its scratch areas: kho_locate_mem_hole. Without a word on them
 * their sizes follow from what the running kernel had taken at that point of its boot, its own initramfs among it
 * (scratch_size_update, kernel/liveupdate/kexec_handover.c): more in a machine with more memory.
 * @param largest Bytes of the largest area; undefined: not known.
 */
export function noPlaceInScratch(
  { kernelSize, initrdSize }: Pick<LoadAttempt, "kernelSize" | "initrdSize">,
  largest: number | undefined,
): Cause {
  const size = kernelSize + initrdSize;
  const area = largest === undefined ? "" : `, whose largest part has ${mebibytes(largest)}`;
  // Documentation/admin-guide/mm/kho.rst has these sizes as an example; the middle one grows with what is to fit.
  const enough = Math.max(512, Math.ceil((size * 1.25) / (128 << 20)) * 128);
  return {
    code: "no-room",
    details: { size, limit: largest },
    why: `${mebibytes(size)} do not fit the scratch area of kexec handover${area}`,
    hint: `boot the running kernel with a larger one (kho_scratch=16M,${enough}M,256M), or with kho=off where nothing is to be handed over`,
  };
}

/** Causes that the errno alone names. */
export const fileCauses: Readonly<Record<string, Cause>> = {
  ETXTBSY: {
    code: "file-busy",
    why: "the kernel or an initramfs is open for writing by another process",
    hint: "wait until whatever writes it has finished (fuser -v FILE names the process)",
  },
  EFBIG: {
    code: "file-too-large",
    why: "a file is larger than the kernel takes",
    hint: "the limit is 4 GiB, and 2 GiB on older kernels",
  },
  EIO: {
    code: "io-error",
    why: "a file became shorter, or its device failed, while it was read",
    hint: "dmesg names a device that fails; otherwise wait until whatever writes the file has finished",
  },
};
