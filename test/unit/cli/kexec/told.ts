import type { Plan } from "../../../../src/cli/kexec/plan.ts";

/** A plan on one line: its steps, then what differs from the default. */
export function told(plan: Plan): string {
  if (plan.do === "help") return plan.asked ? "help" : "help after a question";
  if (plan.do === "status") return plan.crash ? "status of the crash kernel" : "status";
  if (plan.do !== "steps") return plan.do;
  const steps = plan.steps.map((step) => {
    if (step.do === "unload") return step.crash ? "unload crash" : "unload";
    if (step.do !== "load") return step.do;
    const { kernel, type, initrd, append, reuseCmdline, crash, exec } = step;
    return [
      exec ? "load and exec" : "load",
      crash ? "crash" : undefined,
      kernel ?? "(none)",
      type === undefined ? undefined : `type=${type}`,
      initrd === undefined ? undefined : `initrd=${initrd}`,
      reuseCmdline ? "reuse" : undefined,
      append === undefined ? undefined : `append=${append}`,
    ]
      .filter((part) => part !== undefined)
      .join(" ");
  });
  const extras = [
    plan.sync ? [] : ["no sync"],
    plan.debug ? ["debug"] : [],
    plan.warnings.length === 0 ? [] : [`warns: ${plan.warnings.join("; ")}`],
  ].flat();
  return [...steps, ...extras].join(", ");
}
