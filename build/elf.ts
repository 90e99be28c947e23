/**
 * Makes a compiled binary proof against `strip`.
 *
 * Bun finds the program through its `.bun` section's place in memory, but
 * `strip`, `objcopy` and `eu-strip` rewrite the file from its section table and
 * leave the program behind: what remains is the plain `bun` command. Without a
 * section table they refuse the file. The kernel and the dynamic loader read
 * program headers only.
 */

// elf(5): ELF64 header, little endian
const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
const headerSize = 0x40;
/** e_shoff, 8 bytes. */
const sectionOffset = { start: 0x28, end: 0x30 };
/** e_shentsize, e_shnum and e_shstrndx, 2 bytes each. */
const sectionCount = { start: 0x3a, end: 0x40 };

/**
 * Takes the reference to the section table out of the ELF header, in place.
 *
 * @throws Error when `file` is not a little-endian 64-bit ELF file.
 */
export function dropSectionTable(file: Uint8Array): void {
  if (file.length < headerSize || magic.some((byte, i) => file[i] !== byte)) {
    throw new Error("the compiled binary is not a little-endian 64-bit ELF file");
  }
  file.fill(0, sectionOffset.start, sectionOffset.end);
  file.fill(0, sectionCount.start, sectionCount.end);
}
