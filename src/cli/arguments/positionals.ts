/** What stands on a command line without an option: once, as the options are. */
import type { Definitions } from "./definition.ts";

const image =
  "a kernel image (also compressed by gzip or zstd, or zboot), a unified kernel image (UKI)";
const onDisk =
  "on a disk that need not be mounted: LABEL=, UUID=, PARTLABEL=, PARTUUID= or /dev/…, then : and the path";

/** The manual page says the same of it. */
export const kindsOfSource = `${image}, a signed manifest, a boot entry, a boot menu, an ISO image, a directory of them, or a store of generations`;
const whatSourceIs = `what to load, recognised by its content, not its name: ${kindsOfSource}; by a URL, https://…, or http://… where trust is required; ${onDisk}`;

export const positionals = {
  described: {
    type: "positional",
    valueHint: "SOURCE",
    description: `what the manifest is to name, recognised by its content: ${image}, a boot entry, a boot menu, or a directory of them; ${onDisk}`,
  },
  sources: {
    type: "positional",
    valueHint: "SOURCE",
    repeatable: true,
    description: `${whatSourceIs}; of several the first that passes is taken`,
  },
  generation: {
    type: "positional",
    valueHint: "SOURCE",
    description:
      "a signed manifest (boot.json) or a store of generations, of which the highest that verifies is taken; on a disk that need not be mounted, too; or the URL of a manifest",
  },
  store: {
    type: "positional",
    valueHint: "STORE",
    description:
      "the folder that has the generations: a path, or a place on a disk that need not be mounted",
  },
  path: {
    type: "positional",
    valueHint: "PATH",
    required: false,
    description: "a boot entry, a UKI or the folder of a generation",
  },
} satisfies Definitions;
