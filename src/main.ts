/** The binary: arguments in, exit code out. */

import { isFirstProcess, runAsInit } from "./cli/init.ts";
import { calledAsKexec } from "./cli/kexec/called.ts";
import { runKexec } from "./cli/kexec/run.ts";
import { run } from "./cli/run.ts";
import { ExitCode } from "./errors.ts";
import { settleHere, settleWord } from "./handoff/settle.ts";

// Holds if the process ends on its own before an exit code is known.
process.exitCode = ExitCode.bug;
const program = chosenProgram();
// Not by a top-level await: under one, Bun 1.4.5 ends with 0 after an unhandled rejection, and spins
// for ever on a promise that never settles.
program(process.argv.slice(2)).then((code) => process.exit(code));

function chosenProgram(): (argv: readonly string[]) => Promise<number> {
  if (process.argv[2] === settleWord) return settle;
  if (isFirstProcess()) return runAsInit;
  return calledAsKexec(process.argv0) ? runKexec : run;
}

async function settle(argv: readonly string[]): Promise<number> {
  settleHere(argv.slice(1));
  return ExitCode.done;
}
