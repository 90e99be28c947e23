import { KexecError } from "../../errors.ts";
import { inspect as inspectSource } from "../../handoff/inspect.ts";
import { defineCommand } from "../arguments/define.ts";
import { options } from "../arguments/options.ts";
import { describeInspection } from "../output/describe-inspection.ts";
import { progressArguments, sourceArguments, sourceRequest } from "./load.ts";

const args = {
  ...sourceArguments,
  ...progressArguments,
  "policy-root": options["policy-root"],
  crash: options.crash,
};

export const inspect = defineCommand({
  meta: {
    name: "inspect",
    description:
      "what SOURCE is, whether it verifies, whether this machine would take it; loads nothing",
    notes: [
      "It ends with the exit code that load would give to root, and prints every reason, the one " +
        "that load would name first. Where something that could change the verdict cannot be " +
        'seen, as without root, it says so ("unless").',
      "Of a directory it lists the boot entries in the order of a boot menu, with what is wrong " +
        'with each, and marks the one that load takes ("this one").',
      "The digest of a signed image is taken where the image has at most 64 MiB, or where the " +
        "machine demands a signature; otherwise only headers are read, whatever the size.",
    ],
    examples: [
      ["aegis-kexec inspect /boot/vmlinuz", "is it signed, by whom, and would it load?"],
      ["aegis-kexec inspect /boot", "its boot entries, and the one that load takes"],
      [
        "aegis-kexec inspect boot.json --trust org.pub",
        "what a manifest covers, and all that is wrong with it",
      ],
      [
        "aegis-kexec inspect vmlinuz --initrd initrd.img --json",
        "for programs: .verdict.wouldExit and .verdict.reasons",
      ],
    ],
  },
  args,
  run: async (given, output) => {
    await output.tellProgress(given.text("progress"), given.text("progress-fd"));
    const request = {
      ...sourceRequest(given),
      crash: given.flag("crash"),
      policyRoot: given.text("policy-root"),
    };
    const inspection = await inspectSource(request, output.observer);
    output.answer(inspection, describeInspection);
    const [first] = inspection.verdict.reasons;
    // The way of every refusal to standard error and the exit code.
    if (first === undefined) return;
    throw output.inResult(new KexecError(first.code, first));
  },
});
