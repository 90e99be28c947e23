/**
 * `blscfg` of Fedora's GRUB: the boot entries of a folder as entries of the menu, with the variables of
 * the script in them. As its grub-core/commands/blscfg.c. Pure.
 */

import { eachWord, trimmed } from "../blanks.ts";
import { compareRpmVersions } from "../rpm-version.ts";
import { costs } from "./budget.ts";
import type { Run } from "./run.ts";

const folders = ["/loader/entries", "/boot/loader/entries"];
const largestEntry = 64 << 10;
const mostEntries = 1024;
/** Of one entry with its variables: a command line of Linux has at most 4096 bytes. */
const largestExpanded = 64 << 10;
const variable = /\$(?:\{(\w+)\}|(\w+))/g;

export function defineBootEntries(run: Run, path: string | undefined, line: number): number {
  // default and non-default: all of them, once.
  const named = path === undefined || /^(non-)?default$/.test(path) ? undefined : path;
  const folder = named ?? run.variables.get("blsdir");
  const root = run.variables.get("root") ?? "";
  const boot = run.variables.get("boot");
  // That of a BIOS looks on $boot, that of EFI on $root; grub.cfg sets both to the same.
  const devices = [...new Set([root, ...(boot === undefined ? [] : [boot])])];
  const places = [...(folder === undefined ? [] : [folder]), ...folders].flatMap((name) =>
    name.startsWith("(")
      ? [run.place(name)]
      : devices.map((device) => ({ device, path: name.replace(/\/+$/, "") })),
  );
  for (const place of places) {
    const names = (run.devices.names(place) ?? []).filter((name) => name.endsWith(".conf"));
    if (names.length === 0) continue;
    run.spend(costs.ordered * names.length);
    const sorted = names
      .map((name) => partsOf(name.slice(0, -".conf".length)))
      .sort((a, b) => compareNames(b, a))
      .slice(0, mostEntries);
    for (const { id } of sorted) define(run, { ...place, path: `${place.path}/${id}.conf` }, id);
    return 0;
  }
  return run.fail(line, "blscfg finds no boot entries");
}

function define(run: Run, place: { device: string; path: string }, id: string): void {
  const bytes = run.devices.read(place, largestEntry + 1);
  if (bytes === undefined) return;
  if (bytes.length > largestEntry) {
    run.note(undefined, `${place.path} is left out: it is larger than ${largestEntry} bytes`);
    return;
  }
  const lines = linesOf(new TextDecoder().decode(bytes));
  const text = new Expansion(run);
  const all = (key: string) =>
    lines.filter((entry) => entry.key === key).map(({ value }) => text.of(value));
  const title = all("title").at(-1);
  const linux = all("linux").at(-1);
  if (linux === undefined) {
    run.note(undefined, `${place.path}: it names no kernel`);
    return;
  }
  const options = lines.some(({ key }) => key === "options")
    ? all("options").join(" ")
    : text.of("$default_kernelopts");
  const folder = linux.slice(0, linux.lastIndexOf("/") + 1);
  const early = [...eachWord(text.of("$early_initrd"))];
  const later = all("initrd").flatMap((value) => [...eachWord(value)]);
  const deviceTree = all("devicetree").at(-1);
  text.take((early.length + later.length + 2) * (place.device.length + 3));
  text.take(early.length * folder.length);
  const inDevice = (file: string) => `(${place.device})${file}`;
  const initrds = () => [...early.map((name) => `${folder}${name}`), ...later].map(inDevice);
  // A block in words of the script, as there: quotation marks in options are those of the script.
  const body = () =>
    [
      `linux ${inDevice(linux)} ${options}`,
      ...(early.length + later.length === 0 ? [] : [`initrd ${initrds().join(" ")}`]),
      ...(deviceTree === undefined ? [] : [`devicetree ${inDevice(deviceTree)}`]),
    ].join("\n");
  const shown = text.isTooLong ? id : (title ?? linux);
  run.define({
    title: shown,
    id,
    parameters: [shown],
    body: text.isTooLong ? [] : body(),
    submenu: false,
    from: place.path,
    problem: text.isTooLong
      ? `its variables make it longer than ${largestExpanded} characters`
      : undefined,
  });
}

function linesOf(text: string): readonly { readonly key: string; readonly value: string }[] {
  return text
    .split(/\r?\n/)
    .map((raw) => /^([^ \t\v\f\r#][^ \t\v\f\r]*)[ \t\v\f\r]+(.*)$/s.exec(trimmed(raw)))
    .flatMap((found) => (found === null ? [] : [{ key: found[1] ?? "", value: found[2] ?? "" }]));
}

/** The texts of one entry with the variables of the script in them, in bounds all together. */
class Expansion {
  private left = largestExpanded;

  constructor(private readonly run: Run) {}

  get isTooLong(): boolean {
    return this.left < 0;
  }

  take(length: number): void {
    this.left -= length;
  }

  /** `$kernelopts` and its like; a variable without a value is empty, and so is the blank before it. */
  of(text: string): string {
    const { run } = this;
    const expanded = (name: string) => run.variables.get(name) ?? "";
    let length = text.length;
    // Before anything is replaced.
    for (const [, braced, bare] of text.matchAll(variable)) {
      run.spend(costs.piece);
      length += expanded(braced ?? bare ?? "").length;
    }
    this.take(length);
    if (this.isTooLong) return "";
    run.spend(costs.character * length);
    return trimmed(text.replace(variable, (_, braced, bare) => expanded(braced ?? bare)));
  }
}

/** Names of entries as packages: NAME-VERSION-RELEASE, each part by RPM's order. */
function compareNames(left: Name, right: Name): number {
  return (
    compareRpmVersions(left.name, right.name) ||
    compareRpmVersions(left.version, right.version) ||
    compareRpmVersions(left.release, right.release)
  );
}

interface Name {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly release: string;
}

function partsOf(id: string): Name {
  // In GRUB the rescue entry's version is 0: it is the last.
  const [, name = "", version = "", release = ""] = /^(.*)-([^-]*)-([^-]*)$/.exec(id) ??
    /^(.*)-([^-]*)$/.exec(id) ?? [undefined, id];
  return { id, name, version, release };
}
