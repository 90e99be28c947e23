import { unload as dropKernel } from "../../handoff/unload.ts";
import { defineCommand } from "../arguments/define.ts";
import type { Flag } from "../arguments/options.ts";
import { describeUnload } from "../output/describe.ts";

const crash = {
  type: "boolean",
  group: "choice",
  description: "drop the crash kernel, and leave the other one loaded",
} satisfies Flag;

export const unload = defineCommand({
  meta: {
    name: "unload",
    description: "drop the loaded kernel (--crash: the crash kernel)",
    notes: ["Where no kernel is loaded it does nothing, which is not an error."],
    examples: [
      ["aegis-kexec unload", "drop the kernel that exec would hand over to"],
      ["aegis-kexec unload --crash", "drop the kernel that a panic would start"],
    ],
  },
  args: { crash },
  run: async (given, output) => {
    output.result(await dropKernel({ crash: given.flag("crash") }), describeUnload);
  },
});
