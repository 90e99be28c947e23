import { exec as handOver } from "../../handoff/exec.ts";
import { defineCommand } from "../arguments/define.ts";
import { handoverArguments, handoverRequest } from "../arguments/handover.ts";
import { limitWrites } from "../output/streams.ts";

export const exec = defineCommand({
  meta: {
    name: "exec",
    description: "hand over to the loaded kernel",
    notes: [
      "It does not return when it succeeds. On a full system services are stopped first, through " +
        "systemd or another init; in an initramfs, and with --force, the running kernel ends at once.",
    ],
    examples: [["aegis-kexec exec", "flush file systems, then jump into the loaded kernel"]],
    exits: [[11, "no kernel is loaded: load one first"]],
  },
  args: handoverArguments,
  run: async (given, output) => {
    limitWrites();
    await handOver(handoverRequest("exec", given), output.observer);
  },
});
