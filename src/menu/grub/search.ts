/** Commands of GRUB that look for devices: search, probe, loopback. Pure. */
import { parseArguments } from "./arguments.ts";
import type { SearchKind } from "./devices.ts";
import type { GrubCommand, Run } from "./run.ts";

const searchOptions = {
  file: ["nothing", "f"],
  label: ["nothing", "l"],
  "fs-uuid": ["nothing", "u"],
  "part-uuid": ["nothing", "p"],
  set: ["perhaps", "s"],
  "no-floppy": ["nothing", "n"],
  "root-dev-only": ["nothing"],
  "efidisk-only": ["nothing"],
  "cryptodisk-only": ["nothing"],
  hint: ["value", "h"],
  "hint-ieee1275": ["value"],
  "hint-bios": ["value"],
  "hint-baremetal": ["value"],
  "hint-efi": ["value"],
  "hint-arc": ["value"],
} as const;

const kindOf: Readonly<Record<string, SearchKind>> = {
  label: "label",
  "fs-uuid": "uuid",
  file: "file",
  "part-uuid": "partUuid",
};

export const searchCommands: Readonly<Record<string, GrubCommand>> = {
  search(run, args, { line }) {
    const parsed = parseArguments(args, searchOptions, true);
    const [kind] = Object.keys(kindOf).filter((name) => parsed?.options.has(name));
    if (parsed === undefined || kind === undefined)
      return run.fail(line, "search does not say what to search for");
    const set = parsed.options.get("set")?.at(-1);
    const rest = parsed.rest.filter((argument) => !argument.startsWith("--hint-"));
    // As there: without a name behind it, the value of --set is what is searched for.
    const key = rest[0] ?? set;
    const variable = set === undefined ? undefined : rest[0] === undefined ? "root" : set || "root";
    if (key === undefined || key === "") return run.fail(line, "search names nothing");
    return search(run, kindOf[kind] ?? "file", key, variable);
  },
  "search.file": direct("file"),
  "search.fs_uuid": direct("uuid"),
  "search.fs_label": direct("label"),
  search_fs_file: direct("file"),
  search_fs_uuid: direct("uuid"),
  search_label: direct("label"),
  probe,
  loopback,
};

function direct(kind: SearchKind): GrubCommand {
  return (run, [key, variable], { line }) =>
    key === undefined ? run.fail(line, "search names nothing") : search(run, kind, key, variable);
}

function search(run: Run, kind: SearchKind, key: string, variable: string | undefined): number {
  const found = run.devices.search(kind, key);
  // Where nothing is found GRUB leaves the variable; but there every disk is looked at.
  if (variable !== undefined) run.variables.set(variable, found ?? run.devices.absent(kind, key));
  return found === undefined ? 1 : 0;
}

const probeOptions = {
  set: ["value", "s"],
  driver: ["nothing", "d"],
  partmap: ["nothing", "p"],
  fs: ["nothing", "f"],
  "fs-uuid": ["nothing", "u"],
  label: ["nothing", "l"],
  "part-uuid": ["nothing"],
} as const;

function probe(run: Run, args: readonly string[], { line }: { line: number }): number {
  const parsed = parseArguments(args, probeOptions);
  const named = parsed?.rest[0];
  if (parsed === undefined || named === undefined) return run.fail(line, "probe names no device");
  const device = named.replace(/^\((.*)\)$/, "$1");
  const facts = run.devices.facts(device);
  const { options } = parsed;
  const value = options.has("fs-uuid")
    ? facts.uuid
    : options.has("label")
      ? facts.label
      : options.has("part-uuid")
        ? facts.partUuid
        : options.has("fs")
          ? facts.type
          : undefined;
  if (value === undefined) {
    return run.fail(line, `probe ${args.join(" ")}: it is not known here`);
  }
  const variable = options.get("set")?.at(-1);
  if (variable !== undefined) run.variables.set(variable, value);
  return 0;
}

function loopback(run: Run, args: readonly string[], { line }: { line: number }): number {
  const parsed = parseArguments(args, { delete: ["nothing", "d"], decompress: ["nothing", "D"] });
  const [name, file] = parsed?.rest ?? [];
  if (parsed?.options.has("delete")) return 0;
  if (name === undefined || file === undefined) return run.fail(line, "loopback names no file");
  const place = run.place(file);
  if (run.devices.status(place)?.kind !== "file") {
    const why = run.devices.absence(run.devices.resolve(place).device) ?? "it is not there";
    return run.fail(line, `loopback ${place.path}: ${why}`);
  }
  if (run.devices.loopback(name, place)) return 0;
  return run.fail(line, `loopback ${place.path}: it cannot be read as an ISO image here`);
}
