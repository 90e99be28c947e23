/** What QEMU's emulation of one process has not, and the command-line cases that cannot be without it. */

const lacks: Readonly<Record<string, readonly string[]>> = {
  // Of madvise(2): QEMU 11.1 answers EINVAL. A secret is kept out of children by it.
  MADV_DONTFORK: [
    // initramfs.txt
    "a secret behind junk would be lost: gzip is unpacked to see that",
    "secrets are in every report, by place, size and mode",
    // luks.txt
    "the volume's name comes from the archive's crypttab, and nothing is added to the command line",
    "in words, with words for the next initramfs, and beside another secret; the log has no source",
    "what opens volumes cannot be told: it is asked for, and then believed",
    "a policy bounds words and place",
    // secrets.txt
    "a secret from a file, standard input and a descriptor",
    "a secret that is empty",
    "a secret over the limit, from a file and from a pipe",
    "a secret of exactly the limit",
    "a file of /proc, whose size is not what it holds",
    "a file whose size changes all the time is taken whole or refused",
    // upgrading.txt
    "a secret elsewhere, for a program, and in /.extra/",
    "what programs read of errors and secrets",
  ],
};

/** Every case that is left out, by its name. */
export const leftOut = Object.values(lacks).flat();

/** Why a case cannot be run there: `needs …`. */
export function lackOfEmulation(name: string): string | undefined {
  const call = Object.keys(lacks).find((one) => lacks[one]?.includes(name));
  return call === undefined ? undefined : `needs ${call}, which QEMU does not emulate`;
}
