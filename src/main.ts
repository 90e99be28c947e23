/**
 * The binary: arguments in, exit code out. What does the work is loaded once it is known which work:
 * a start-up pays for nothing that it does not use.
 */
import { isKexecName } from "./cli/kexec/program-name.ts";
import { version } from "./version.ts";

// ExitCode.bug holds if the process ends on its own before an exit code is known.
process.exitCode = 1;
// Not by a top-level await: under one, Bun ends with 0 after an unhandled rejection, and spins
// for ever on a promise that never settles.
main(process.argv.slice(2)).then((code) => process.exit(code));

async function main(argv: readonly string[]): Promise<number> {
  // Before any word is looked at: the first process of a machine must not end by one.
  if (process.pid === 1) {
    const { orReboot } = await import("./cli/last-resort.ts");
    const code = await orReboot(async () => {
      const { isFirstProcess, runAsInit } = await import("./cli/init.ts");
      return isFirstProcess() ? runAsInit(argv) : undefined;
    });
    if (code !== undefined) return code;
  }
  const [first] = argv;
  if (first?.startsWith("internal:")) {
    const { makeReadOnlyHere, readOnlyArgument } = await import("./handoff/helper/read-only.ts");
    if (first === readOnlyArgument) {
      makeReadOnlyHere(argv.slice(1));
      return 0;
    }
    const { appendHere, appendArgument } = await import("./handoff/helper/append-line.ts");
    if (first === appendArgument) {
      appendHere(argv[1] ?? "");
      return 0;
    }
    const { leaseArgument, takeLease } = await import("./handoff/network/lease.ts");
    if (first === leaseArgument) {
      // Behind the script that it was called as
      takeLease(argv[2], process.env);
      return 0;
    }
  }
  if (isKexecName(process.argv0)) {
    const { runKexec } = await import("./cli/kexec/run.ts");
    return runKexec(argv);
  }
  if (argv.length === 1 && first === "--version" && (await tellVersion())) return 0;
  const { run } = await import("./cli/run.ts");
  return run(argv);
}

/** Whether it could be told; where not, the ordinary way says why. */
async function tellVersion(): Promise<boolean> {
  try {
    const out = Bun.stdout.writer();
    out.write(`aegis-kexec ${version}\n`);
    await out.flush();
    return true;
  } catch {
    return false;
  }
}
