import { readSufferers } from "../../handoff/leave/sufferers.ts";
import { status as readStatus } from "../../handoff/status.ts";
import { defineCommand } from "../arguments/define.ts";
import { describeStatus, describeSufferers } from "../output/describe-status.ts";

export const status = defineCommand({
  meta: {
    name: "status",
    description: "what is loaded, and what this machine allows",
    notes: [
      "It works without root; what it cannot read it calls unknown, and says why. With --json " +
        'that is null, and the reason stands under "unknown".',
      "With --verbose it lists the devices that are known to suffer from a handover, each with the " +
        "option to try and where it is documented.",
    ],
    examples: [
      ["aegis-kexec status", "for people"],
      ["aegis-kexec status --json", "for programs"],
    ],
  },
  args: {},
  run: async (_given, output) => {
    const { verbose } = output.settings;
    output.answer(await readStatus(), (status) => [
      ...describeStatus(status),
      ...(verbose ? describeSufferers(readSufferers()) : []),
    ]);
  },
});
