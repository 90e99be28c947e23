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
const code = start(process.argv.slice(2));
if (typeof code === "number") process.exit(code);
code.then((later) => process.exit(later));

// What every start passes is no async function, which would cost it as much as two.
function start(argv: readonly string[]): number | Promise<number> {
  // Before any word is looked at: the first process of a machine must not end by one.
  return process.pid === 1 ? startAsFirst(argv) : startCommand(argv);
}

async function startAsFirst(argv: readonly string[]): Promise<number> {
  const { orReboot } = await import("./cli/last-resort.ts");
  const code = await orReboot(async () => {
    const { isFirstProcess, runAsInit } = await import("./cli/init.ts");
    return isFirstProcess() ? runAsInit(argv) : undefined;
  });
  return code ?? startCommand(argv);
}

function startCommand(argv: readonly string[]): number | Promise<number> {
  const [first] = argv;
  if (first?.startsWith("internal:")) return startHelper(first, argv);
  if (isKexecName(process.argv0)) {
    return import("./cli/kexec/run.ts").then(({ runKexec }) => runKexec(argv));
  }
  if (argv.length === 1 && first === "--version") return tellVersion(argv);
  return runCommand(argv);
}

function runCommand(argv: readonly string[]): Promise<number> {
  return import("./cli/run.ts").then(({ run }) => run(argv));
}

/** What this program starts itself as, for what only another process can do. */
async function startHelper(first: string, argv: readonly string[]): Promise<number> {
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
  return runCommand(argv);
}

/** Where it cannot be told, the ordinary way says why. */
function tellVersion(argv: readonly string[]): number | Promise<number> {
  try {
    const out = Bun.stdout.writer();
    out.write(`aegis-kexec ${version}\n`);
    const flushed = out.flush();
    if (typeof flushed === "number") return 0;
    // Whoever reads is slow
    return flushed.then(
      () => 0,
      () => runCommand(argv),
    );
  } catch {
    return runCommand(argv);
  }
}
