/** How this very program is started again, for work that may hang and must not hang this process. */

/** Where the compiled program's first file is: build.ts names it. */
const COMPILED = "/$bunfs/root/aegis-kexec";
const EMBEDDED = "/$bunfs/";

/**
 * The command that runs this program with `word` as its only argument. Undefined where this is a
 * library in somebody else's binary: starting that again would run their program.
 */
export function selfCommand(word: string): readonly string[] | undefined {
  if (!import.meta.path.startsWith(EMBEDDED)) {
    return [process.execPath, `${import.meta.dir}/../main.ts`, word];
  }
  // The link leads to the running file even when its name is gone.
  return Bun.main === COMPILED ? ["/proc/self/exe", word] : undefined;
}
