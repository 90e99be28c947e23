/**
 * What a command line of kexec-tools asks for: the order of its options counts as it does in
 * kexec-tools 2.0.25 (main in kexec/kexec.c), where each action undoes parts of the earlier ones.
 * Pure.
 */

import type { Architecture } from "../../architecture.ts";
import { KexecError } from "../../errors.ts";
import { type Given, getopt } from "./getopt.ts";
import { type Action, kexecOptions, type Meaning } from "./options.ts";

export interface LoadStep {
  readonly do: "load";
  /** Undefined: none was named. */
  readonly kernel: string | undefined;
  /** The type that the image is said to have. */
  readonly type: string | undefined;
  readonly initrd: string | undefined;
  /** The whole command line; behind the running kernel's where that is reused. */
  readonly append: string | undefined;
  readonly reuseCmdline: boolean;
  readonly crash: boolean;
  /** Hand over to it at once. */
  readonly exec: boolean;
}

export type Step =
  | LoadStep
  | { readonly do: "unload"; readonly crash: boolean }
  | { readonly do: "exec" }
  | { readonly do: "shutdown" };

export type Plan =
  | { readonly do: "help"; readonly asked: boolean }
  | { readonly do: "version" }
  | { readonly do: "print-crash-size" }
  | { readonly do: "status"; readonly crash: boolean }
  | {
      readonly do: "steps";
      readonly steps: readonly Step[];
      readonly sync: boolean;
      readonly debug: boolean;
      readonly warnings: readonly string[];
    };

/** The state that the options work on; it begins as kexec-tools' does. */
interface State {
  load: boolean;
  exec: boolean;
  shutdown: boolean;
  unload: boolean;
  crash: boolean;
  status: boolean;
  /** `--load` was among the options. */
  loadNamed: boolean;
  fileSyscall: boolean;
  sync: boolean;
  debug: boolean;
  reuseCmdline: boolean;
  readonly values: Map<Action, string>;
  readonly warnings: string[];
}

const moreHelp = "kexec --help lists the options";

/** @throws KexecError `usage` */
export function planOf(argv: readonly string[], architecture: Architecture): Plan {
  const { options, operands, problem } = getopt(kexecOptions(architecture), argv);
  const state: State = {
    load: true,
    exec: false,
    shutdown: true,
    unload: false,
    crash: false,
    status: false,
    loadNamed: false,
    fileSyscall: true,
    sync: true,
    debug: false,
    reuseCmdline: false,
    values: new Map(),
    warnings: [],
  };
  for (const option of options) {
    const answered = take(state, option);
    if (answered !== undefined) return answered;
  }
  if (problem !== undefined) throw usage(problem, moreHelp);
  for (const { id, name } of options) {
    if ("refused" in id) throw usage(`${name} is not supported: ${id.refused}`, moreHelp);
  }
  // --status supersedes every other action.
  const loads = state.load && !state.status;
  if (!loads) refuseLoaderOptions(options);
  if (state.status) return { do: "status", crash: state.crash || !state.loadNamed };
  return stepsOf(state, operands);
}

/** Works one option into the state. Some end the program at once. */
function take(state: State, { id, name, value }: Given<Meaning>): Plan | undefined {
  if ("harmless" in id && id.told === true) {
    state.warnings.push(`${name} has no effect: ${id.harmless}`);
  }
  if (!("does" in id)) return undefined;
  switch (id.does) {
    case "help":
      return { do: "help", asked: true };
    case "question":
      return { do: "help", asked: false };
    case "version":
      return { do: "version" };
    case "print-ckr-size":
      return { do: "print-crash-size" };
    case "debug":
      state.debug = true;
      break;
    case "no-sync":
      state.sync = false;
      break;
    case "status":
      state.status = true;
      break;
    case "force":
      state.load = true;
      state.exec = true;
      state.shutdown = false;
      break;
    case "load":
      state.loadNamed = true;
      state.load = true;
      state.exec = false;
      state.shutdown = false;
      break;
    case "load-panic":
      state.crash = true;
      state.load = true;
      state.exec = false;
      state.shutdown = false;
      break;
    case "unload":
      state.unload = true;
      state.load = false;
      state.shutdown = false;
      break;
    case "exec":
      state.exec = true;
      state.load = false;
      state.shutdown = false;
      break;
    case "file-syscall":
    case "load-syscall":
      state.fileSyscall = id.does === "file-syscall";
      break;
    case "reuse-cmdline":
      state.reuseCmdline = true;
      break;
    default:
      if (state.values.has(id.does)) state.warnings.push(`${name}: the last one given counts`);
      // What reads /proc/cmdline hands its newline on.
      state.values.set(
        id.does,
        id.does === "append" ? (value ?? "").replace(/\n$/, "") : (value ?? ""),
      );
  }
  return undefined;
}

/** As in kexec-tools, so that nobody takes what was asked for as done. */
function refuseLoaderOptions(options: readonly Given<Meaning>[]): void {
  const loader: readonly Action[] = ["append", "reuse-cmdline", "initrd"];
  const given = options.find(({ id }) => "does" in id && loader.includes(id.does));
  if (given === undefined) return;
  throw usage(`${given.name} is given, and nothing is to be loaded`, moreHelp);
}

/** A word that a quote made of an option: it is to blame, not the kernel that it pushes aside. */
function refuseLostOption(operands: readonly string[]): void {
  const lost = operands.find((word) => /^\s+-/.test(word) || word.trim() === "");
  if (lost === undefined) return;
  throw lost.trim() === ""
    ? usage("an argument is empty", "an empty variable in quotes is one: leave it out")
    : usage(
        `unexpected argument "${lost}": it begins with a blank, and so it is no option`,
        "take the blank, or the quotes around it, away",
      );
}

function stepsOf(state: State, operands: readonly string[]): Plan {
  refuseLostOption(operands);
  const { load, unload, exec, shutdown, crash, sync, debug, values, warnings } = state;
  if ((load || unload) && !state.fileSyscall) {
    throw usage(
      "--kexec-syscall (-c) is not supported: kexec_load(2) is never used, since the kernel verifies nothing that comes by it",
      "leave it out, or use --kexec-file-syscall (-s)",
    );
  }
  const extra = operands[load ? 1 : 0];
  if (extra !== undefined) {
    throw load
      ? usage(`unexpected argument ${extra}`, 'quote a text of several words: --append="WORD WORD"')
      : usage(
          `unexpected argument ${extra}: nothing is to be loaded`,
          "the last of --load, --exec and --unload counts; --force loads and hands over at once",
        );
  }
  if (load && exec && crash) {
    throw usage("cannot hand over to a crash kernel: only a panic jumps to it", "leave -f out");
  }
  const initrd = values.get("initrd");
  if (load && initrd !== undefined && initrd.trim() === "") {
    throw usage("--initrd= is empty", "leave --initrd out, or name an archive");
  }
  const steps: Step[] = [];
  if (unload) steps.push({ do: "unload", crash });
  if (load) {
    steps.push({
      do: "load",
      kernel: operands[0],
      type: values.get("type"),
      initrd,
      append: values.get("append"),
      reuseCmdline: state.reuseCmdline,
      crash,
      exec,
    });
    if (shutdown) steps.push({ do: "shutdown" });
  } else if (exec) {
    steps.push({ do: "exec" });
  }
  return { do: "steps", steps, sync, debug, warnings };
}

function usage(message: string, hint: string): KexecError {
  return new KexecError("usage", { message, hint });
}
