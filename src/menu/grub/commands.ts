/** Commands of GRUB scripts: GRUB's manual, "Commands". Those that only show something do nothing. */
import { readGrubenv } from "../grubenv.ts";
import { addWrite } from "../host.ts";
import { matchExtended } from "../regexp.ts";
import { parseArguments } from "./arguments.ts";
import { costs, GrubLimit } from "./budget.ts";
import { configCommands } from "./configs.ts";
import { loadCommands } from "./loaders.ts";
import type { GrubCommand, Run } from "./run.ts";
import { searchCommands } from "./search.ts";
import { numberOf, testExpression } from "./test.ts";

const largestEnvironment = 64 << 10;

/** What shows, sounds, waits or prepares, and changes nothing of what is booted. */
const silent = [
  ...["insmod", "rmmod", "lsmod", "loadfont", "lsfonts", "terminal_input", "terminal_output"],
  ...["terminfo", "serial", "background_image", "background_color", "clear", "play", "sleep"],
  ...["echo", "cat", "ls", "help", "date", "videoinfo", "vbeinfo", "vbetest", "videotest"],
  ...["password", "password_pbkdf2", "authenticate", "gettext", "nativedisk", "cryptomount"],
  ...[
    "sendkey",
    "drivemap",
    "parttool",
    "badram",
    "cutmem",
    "acpi",
    "trust",
    "distrust",
    "list_env",
  ],
  ...[
    "list_trusted",
    "verify_detached",
    "gptsync",
    "hdparm",
    "efi-watchdog",
    "keymap",
    "blocklist",
  ],
  ...["lsefi", "lsefimmap", "lsefisystab", "lssal", "lsacpi", "lspci", "setpci", "outb", "outw"],
  ...["outl", "wrmsr", "zfs-bootfs", "zfsinfo", "zfskey", "btrfs-mount-subvol", "rpm-sort"],
  ...[
    "btrfs-list-subvols",
    "net_dhcp",
    "net_bootp",
    "net_add_addr",
    "net_add_dns",
    "net_add_route",
  ],
  ...["net_del_addr", "net_del_dns", "net_del_route", "net_ls_addr", "net_ls_cards", "net_ls_dns"],
  ...["net_ls_routes", "net_nslookup", "net_ipv6_autoconf", "loadbios", "fakebios", "cmosclean"],
  // openSUSE's: an entry behind a key alone.
  "hiddenentry",
  ...["cmosset", "macppcbless", "mactelbless", "time", "halt_on_error", "usbkeyboard"],
];

/** What asks for a key or a thing of the firmware, that is not there. */
const failing = [
  "false",
  "keystatus",
  "cmostest",
  "cmp",
  "rdmsr",
  "hashsum",
  "smbios",
  "md5sum",
  "sha1sum",
  "sha256sum",
  "sha512sum",
  "crc",
];

export const commands: Readonly<Record<string, GrubCommand>> = {
  ...Object.fromEntries(silent.map((name) => [name, () => 0])),
  ...Object.fromEntries(failing.map((name) => [name, () => 1])),
  ...configCommands,
  ...loadCommands,
  ...searchCommands,
  true: () => 0,
  set(run, [assignment], { line }) {
    if (assignment === undefined) return 0;
    const equals = assignment.indexOf("=");
    if (equals < 0) return run.fail(line, `set ${assignment} is no assignment`);
    run.variables.set(assignment.slice(0, equals), assignment.slice(equals + 1));
    return 0;
  },
  unset(run, names) {
    for (const name of names) run.variables.set(name, undefined);
    return 0;
  },
  export(run, names) {
    for (const name of names) run.variables.export(name);
    return 0;
  },
  read(run, [name]) {
    // Nobody answers.
    if (name !== undefined) run.variables.set(name, "");
    return 0;
  },
  test: evaluate,
  "[": evaluate,
  eval: (run, args) => run.runText(args.join(" "), run.file),
  // Long mode and PAE are there wherever this program runs; on arm64 there is no such command.
  cpuid: (run) => Number(run.start.cpu === "arm64"),
  // Ubuntu's: whether a display is on a list of those without a graphical start. It is taken for none.
  hwmatch(run) {
    run.variables.set("match", "0");
    return 0;
  },
  regexp,
  load_env: loadEnvironment,
  save_env: saveEnvironment,
  // Fedora's, for its count of failed boots.
  increment: (run, args, { line }) => count(run, args, line, 1),
  decrement: (run, args, { line }) => count(run, args, line, -1),
  break: (run, args) => leaveLoops(run, args, false),
  continue: (run, args) => leaveLoops(run, args, true),
  return(run, [value]) {
    run.returns = true;
    return numberOf(value ?? run.variables.get("?") ?? "0");
  },
  shift(run, [count = "1"]) {
    const number = numberOf(count);
    if (number > run.parameters.length) return 1;
    run.spend(run.parameters.length);
    run.parameters = run.parameters.slice(number);
    return 0;
  },
  setparams(run, args) {
    run.parameters = args;
    return 0;
  },
};

function evaluate(run: Run, args: readonly string[]): number {
  const result = testExpression(args, {
    status(path) {
      // Of a device alone, its root: -d ($root)/, -e (hd1).
      const place = run.place(path);
      const bare = place.path.replace(/\/+$/, "");
      return run.devices.status({ ...place, path: bare === "" ? "/" : bare });
    },
  });
  if (result === undefined) throw new GrubLimit("a test is nested too deeply");
  return result ? 0 : 1;
}

function count(run: Run, [name]: readonly string[], line: number, by: number): number {
  const value = name === undefined ? undefined : run.variables.get(name);
  if (name === undefined || value === undefined)
    return run.fail(line, `${by > 0 ? "increment" : "decrement"} names no variable that is set`);
  run.variables.set(name, String(numberOf(value) + by));
  return 0;
}

function leaveLoops(run: Run, [count = "1"]: readonly string[], continues: boolean): number {
  const number = numberOf(count);
  if (number < 1) return 1;
  run.continues = continues;
  run.breaks = Math.min(number, run.loops);
  return 0;
}

function regexp(run: Run, args: readonly string[], { line }: { line: number }): number {
  const parsed = parseArguments(args, { set: ["value", "s"] });
  const [pattern, text, ...more] = parsed?.rest ?? [];
  if (parsed === undefined || pattern === undefined || text === undefined || more.length > 0) {
    return run.fail(line, "regexp takes a pattern and a text");
  }
  const groups = matchExtended(pattern, text, (steps) => run.spend(costs.matched * steps));
  if (groups === undefined) return run.fail(line, `the pattern ${pattern} is not understood here`);
  if (groups === null) return 1;
  for (const wanted of parsed.options.get("set") ?? []) {
    const [, number = "1", name = ""] = /^(?:([0-9]+):)?(.*)$/s.exec(wanted) ?? [];
    run.variables.set(name, groups[Number(number)]);
  }
  return 0;
}

const environmentOptions = { file: ["value", "f"], "skip-sig": ["nothing", "s"] } as const;

function loadEnvironment(run: Run, args: readonly string[], { line }: { line: number }): number {
  const parsed = parseArguments(args, environmentOptions);
  if (parsed === undefined)
    return run.fail(line, "load_env has an argument that is not known here");
  const path = parsed.options.get("file")?.at(-1) ?? `${run.variables.get("prefix") ?? ""}/grubenv`;
  const place = run.place(path);
  if (run.devices.status(place)?.kind !== "file") {
    return run.fail(line, `load_env: ${path} is not there`);
  }
  const bytes = run.devices.read(place, largestEnvironment + 1);
  const variables = bytes === undefined ? undefined : readGrubenv(bytes);
  if (variables === undefined || "why" in variables) {
    return run.fail(line, `load_env: ${path}: ${variables?.why ?? "it cannot be read"}`);
  }
  const wanted = new Set(parsed.rest);
  for (const [name, value] of variables) {
    if (wanted.size > 0 && !wanted.has(name)) continue;
    if (run.start.withoutVariables?.has(name)) continue;
    run.variables.set(name, value);
    run.environment.set(name, value);
  }
  return 0;
}

function saveEnvironment(run: Run, args: readonly string[], { line }: { line: number }): number {
  const parsed = parseArguments(args, environmentOptions);
  if (parsed === undefined || parsed.rest.length === 0) {
    return run.fail(line, "save_env names no variable");
  }
  const path = parsed.options.get("file")?.at(-1) ?? `${run.variables.get("prefix") ?? ""}/grubenv`;
  const place = run.devices.resolve(run.place(path));
  if (run.devices.status(place)?.kind !== "file") {
    return run.fail(line, `save_env: ${path} is not there`);
  }
  const variables = new Map(parsed.rest.map((name) => [name, run.variables.get(name)]));
  const written = run.writes.reduce((sum, write) => sum + write.variables.size, run.writes.length);
  run.spend(costs.copied * written);
  run.writes = addWrite(run.writes, { file: place, variables });
  return 0;
}
