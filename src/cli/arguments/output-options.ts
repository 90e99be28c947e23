/** The options that say what is told of the work, and how. */
import type { Definitions } from "./definition.ts";

export const outputOptions = {
  json: {
    type: "boolean",
    group: "output",
    description: "print one JSON object on standard output: the result, or the error",
  },
  quiet: {
    type: "boolean",
    group: "output",
    description: "print errors only: no result text, no warnings",
  },
  verbose: {
    type: "boolean",
    group: "output",
    description: "say on standard error what is being done",
  },
  progress: {
    type: "string",
    valueHint: "json",
    group: "output",
    description: "tell the phases of the work and their bytes, as JSON lines on standard error",
  },
  "progress-fd": {
    type: "string",
    valueHint: "N",
    group: "output",
    number: true,
    description: "tell them on descriptor N, which must be open",
  },
  help: {
    type: "boolean",
    alias: "h",
    group: "output",
    description: "print this help",
  },
  version: {
    type: "boolean",
    group: "output",
    description: "print the version",
  },
} satisfies Definitions;

/** What every command takes, and what may also stand before the command. */
export const commonOptions = {
  json: outputOptions.json,
  quiet: outputOptions.quiet,
  verbose: outputOptions.verbose,
  help: outputOptions.help,
  version: outputOptions.version,
} satisfies Definitions;
