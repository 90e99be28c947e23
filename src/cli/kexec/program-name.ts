/** The name that the program was called by decides whose options it takes. */

/**
 * Whether `argv0` is the name `kexec`, with or without a path. In a compiled binary
 * `process.argv[0]` is `bun`, and `process.argv0` is what the caller wrote.
 */
export function isKexecName(argv0: string): boolean {
  return argv0.slice(argv0.lastIndexOf("/") + 1) === "kexec";
}
