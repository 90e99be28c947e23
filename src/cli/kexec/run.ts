/** The program called as `kexec`: kexec-tools' options in, kexec-tools' exit codes out. */

import type { Architecture } from "../../architecture.ts";
import { cannot, KexecError } from "../../errors.ts";
import { exec, loadAndExec } from "../../handoff/exec.ts";
import { load } from "../../handoff/load.ts";
import type { Observer } from "../../handoff/report.ts";
import type { LoadRequest } from "../../handoff/request.ts";
import { unload } from "../../handoff/unload.ts";
import { readKexecState } from "../../machine/kernel.ts";
import { asKexecError } from "../../thrown.ts";
import { visible } from "../../visible.ts";
import { Output } from "../output/output.ts";
import { STDERR, writeLines } from "../output/streams.ts";
import { type Doing, explain, FAILED } from "./failure.ts";
import { helpLines, versionLines } from "./help.ts";
import { checkImageType } from "./image-type.ts";
import { type LoadStep, type Plan, planOf, type Step } from "./plan.ts";
import { shutDown } from "./shutdown.ts";
import { errorInItsOptions, inItsOptions } from "./wording.ts";

/** Runs the words behind the program's name. Every error ends here; nothing is thrown. */
export async function runKexec(argv: readonly string[]): Promise<number> {
  let output = new Output({ json: false, quiet: false, verbose: false });
  try {
    const plan = planOf(argv, architecture());
    if (plan.do === "steps") {
      output = new Output({ json: false, quiet: false, verbose: plan.debug });
      return await takeSteps(plan, output);
    }
    return answer(plan, output);
  } catch (thrown) {
    output.error(errorInItsOptions(asKexecError(thrown)));
    return 1;
  }
}

/** What is told and changes nothing. */
function answer(plan: Exclude<Plan, { do: "steps" }>, output: Output): number {
  if (plan.do === "help") {
    output.text({}, helpLines);
    return plan.asked ? 0 : 1;
  }
  if (plan.do === "version") {
    output.text({}, versionLines);
    return 0;
  }
  const state = readKexecState();
  if (plan.do === "print-crash-size") {
    const size = state.crashSize;
    if (!size.known) throw notRead("the size of the crash kernel's memory", size.why);
    output.text({}, () => [String(size.value)]);
    return 0;
  }
  const loaded = plan.crash ? state.crashLoaded : state.loaded;
  if (loaded.known) return loaded.value ? 1 : 0;
  output.error(notRead("what is loaded", loaded.why));
  return FAILED;
}

function notRead(what: string, why: string): KexecError {
  return cannot(`tell ${what}`, {
    code: "io-error",
    why,
    hint: "mount sysfs: mount -t sysfs sysfs /sys",
  });
}

type Steps = Extract<Plan, { do: "steps" }>;

/** One after the other; the first that fails is the last. */
async function takeSteps(plan: Steps, output: Output): Promise<number> {
  for (const warning of plan.warnings) output.observer.warn?.(warning);
  for (const step of plan.steps) {
    try {
      const exit = await takeStep(step, plan, output);
      if (exit !== 0) return exit;
    } catch (thrown) {
      if (!(thrown instanceof KexecError)) throw thrown;
      const { lines, error, exit } = explain(thrown, doingOf(step));
      writeLines(STDERR, lines.map(visible));
      output.error(error);
      return exit;
    }
  }
  return 0;
}

function doingOf(step: Step): Doing {
  return step.do === "load" ? { do: "load", kernel: step.kernel ?? "" } : step;
}

async function takeStep(
  step: Step,
  { sync, debug }: Pick<Steps, "sync" | "debug">,
  output: Output,
): Promise<number> {
  // kexec-tools says nothing when all goes well.
  const { note, warn } = output.observer;
  const observer: Observer = {
    ...(note && { note }),
    ...(warn && { warn: (line) => warn(inItsOptions(line)) }),
  };
  switch (step.do) {
    case "unload":
      await unload({ crash: step.crash });
      return 0;
    case "exec":
      return exec({ sync, force: true }, observer);
    case "load": {
      const request = { ...requestOf(step), debug };
      if (step.exec) await loadAndExec({ ...request, sync, force: true }, observer);
      else await load(request, observer);
      return 0;
    }
    case "shutdown":
      return shutDown();
  }
}

/** For the tables of options and types, so that --help can be had where nothing else can. */
function architecture(): Architecture {
  return process.arch === "arm64" ? "aarch64" : "x86_64";
}

function requestOf(step: LoadStep): LoadRequest {
  const { kernel, type, initrd, append, reuseCmdline, crash } = step;
  if (kernel === undefined) {
    throw new KexecError("usage", {
      message: "No kernel specified",
      hint: "name the kernel: kexec -l /boot/vmlinuz --initrd=/boot/initrd.img --reuse-cmdline",
    });
  }
  checkImageType(type, architecture());
  return {
    kernel,
    initrd: initrd === undefined ? [] : [initrd],
    damagedInitrd: "warn",
    checkImage: true,
    inPlaceOfUki: true,
    crash,
    reuseCmdline,
    ...(reuseCmdline ? { append } : { cmdline: append }),
  };
}
