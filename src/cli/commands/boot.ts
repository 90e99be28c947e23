import { loadAndExec } from "../../handoff/exec.ts";
import { defineCommand } from "../arguments/define.ts";
import { handoverArguments, handoverRequest } from "../arguments/handover.ts";
import { describeLoad } from "../output/describe.ts";
import { limitWrites } from "../output/streams.ts";
import { chosenRequest, loadArguments } from "./load.ts";

const args = { ...loadArguments, ...handoverArguments };

export const boot = defineCommand({
  meta: {
    name: "boot",
    description: "verify, assemble and load a kernel, and hand over to it",
    notes: [
      "It does not return when it succeeds. On a full system services are stopped first, through " +
        "systemd or another init; in an initramfs, and with --force, the running kernel ends at " +
        "once. A load that fails is never followed by a handover.",
      "With --json it prints an object only when it returns: the error, or the result of " +
        "--dry-run.",
    ],
    examples: [
      [
        'aegis-kexec boot /mnt/vmlinuz --initrd /mnt/initrd.img --cmdline "root=LABEL=RESCUE quiet"',
        "boot that kernel now",
      ],
      [
        "aegis-kexec boot vmlinuz --initrd initrd.img --reuse-cmdline --dry-run",
        "show what would be booted",
      ],
    ],
  },
  args,
  run: async (given, output) => {
    limitWrites();
    await output.tellProgress(given.text("progress"), given.text("progress-fd"));
    const { verbose } = output.settings;
    const request = {
      ...(await chosenRequest(given)),
      ...handoverRequest("boot", given),
      debug: verbose,
    };
    output.result(await loadAndExec(request, output.observer), describeLoad);
  },
});
