import { bless as takeCounterOff } from "../../handoff/bless.ts";
import { defineCommand } from "../arguments/define.ts";
import { positionals } from "../arguments/options.ts";
import { describeBless } from "../output/describe.ts";

export const bless = defineCommand({
  meta: {
    name: "bless",
    description: "what this system was started from works: take its boot counter off",
    notes: [
      "A boot entry, a UKI or a generation named NAME+L-D has L tries left; without a counter it is good. Without PATH, the running kernel's command line says which it is (aegis_kexec.from=).",
      "Where this system was started from nothing that is counted it does nothing, which is not an error.",
    ],
    examples: [
      ["aegis-kexec bless", "this system is up, and may be started again"],
      ["aegis-kexec bless /boot/loader/entries/debian+2-1.conf", "another entry, by its file"],
    ],
  },
  args: { path: positionals.path },
  run: async (given, output) => {
    output.result(await takeCounterOff(given.positionals("path")[0]), describeBless);
  },
});
