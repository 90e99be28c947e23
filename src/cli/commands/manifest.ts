import { manifest as writeManifest } from "../../handoff/manifest.ts";
import { formatManifest } from "../../trust/manifest.ts";
import { defineCommand } from "../arguments/define.ts";
import { options, positionals } from "../arguments/options.ts";
import { sourceArguments } from "./load.ts";

const { entry, wait, initrd, cmdline, append } = sourceArguments;
const args = {
  source: positionals.described,
  entry,
  wait,
  initrd,
  cmdline,
  "reuse-cmdline": options["reuse-cmdline"],
  append,
  verity: options.verity,
  "content-names": options["content-names"],
  generation: options.generation,
};

export const manifest = defineCommand({
  meta: {
    name: "manifest",
    description: "write the manifest of exactly what load would load, ready to sign",
    notes: [
      "The manifest goes to standard output. Its paths are relative to the folder of SOURCE, so " +
        "keep it there; kernel and initramfs must be below that folder.",
      "--content-names makes a link, or a copy, of each file in the folder of SOURCE; nothing else is written.",
      "One signature of it covers kernel, initramfs and command line. This program signs " +
        "nothing: use minisign or openssl.",
    ],
    examples: [
      [
        'aegis-kexec manifest vmlinuz --initrd initrd.img --cmdline "root=LABEL=A" --generation 42',
        "send it to boot.json, then sign that: minisign -S -m boot.json",
      ],
    ],
  },
  args,
  run: async (given, output) => {
    const generation = given.text("generation");
    const seconds = given.text("wait");
    const written = await writeManifest(
      {
        kernel: given.positional("source"),
        entry: given.text("entry"),
        wait: seconds === undefined ? undefined : Number(seconds),
        initrd: [...given.list("initrd")],
        cmdline: given.text("cmdline"),
        reuseCmdline: given.flag("reuse-cmdline"),
        append: given.text("append"),
        verity: given.flag("verity"),
        contentNames: given.flag("content-names"),
        generation: generation === undefined ? undefined : Number(generation),
      },
      output.observer,
    );
    // What was asked for by name is written even with --quiet.
    output.text(written, (value) => formatManifest(value).trimEnd().split("\n"));
  },
});
