/**
 * `blscfg` of Fedora's GRUB: the boot entries of a folder as entries of the menu, with the variables of
 * the script in them. As its grub-core/commands/blscfg.c. Pure.
 */
import { compareRpmVersions } from "../rpm-version.ts";
import type { Run } from "./run.ts";

const folders = ["/loader/entries", "/boot/loader/entries"];
const largestEntry = 64 << 10;
const mostEntries = 1024;

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
    const sorted = names
      .map((name) => name.slice(0, -".conf".length))
      .sort((a, b) => compareNames(b, a))
      .slice(0, mostEntries);
    for (const id of sorted) define(run, { ...place, path: `${place.path}/${id}.conf` }, id);
    return 0;
  }
  return run.fail(line, "blscfg finds no boot entries");
}

function define(run: Run, place: { device: string; path: string }, id: string): void {
  const bytes = run.devices.read(place, largestEntry);
  if (bytes === undefined) return;
  const lines = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .map((raw) => /^\s*([^\s#]\S*)\s+(\S.*)$/.exec(raw.trimEnd()))
    .flatMap((found) => (found === null ? [] : [{ key: found[1], value: found[2] ?? "" }]));
  const all = (key: string) =>
    lines.filter((entry) => entry.key === key).map(({ value }) => substituted(run, value));
  const title = all("title").at(-1);
  const linux = all("linux").at(-1);
  if (linux === undefined) {
    run.note(undefined, `${place.path}: it names no kernel`);
    return;
  }
  const options = lines.some(({ key }) => key === "options")
    ? all("options").join(" ")
    : (run.variables.get("default_kernelopts") ?? "");
  const inDevice = (file: string) => `(${place.device})${file}`;
  const early = run.variables.get("early_initrd") ?? "";
  const folder = linux.slice(0, linux.lastIndexOf("/") + 1);
  const initrds = [
    ...early
      .split(/\s+/)
      .filter((name) => name !== "")
      .map((name) => `${folder}${name}`),
    ...all("initrd").flatMap((value) => value.split(/\s+/).filter((name) => name !== "")),
  ];
  const deviceTree = all("devicetree").at(-1);
  // A block in words of the script, as there: quotation marks in options are those of the script.
  const body = [
    `linux ${inDevice(linux)} ${options}`,
    ...(initrds.length === 0 ? [] : [`initrd ${initrds.map(inDevice).join(" ")}`]),
    ...(deviceTree === undefined ? [] : [`devicetree ${inDevice(deviceTree)}`]),
  ].join("\n");
  run.define({
    title: title ?? linux,
    id,
    parameters: [title ?? linux],
    body,
    submenu: false,
    from: place.path,
  });
}

/** `$kernelopts` and its like; a variable without a value is empty, and so is the blank before it. */
function substituted(run: Run, value: string): string {
  return value
    .replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => run.variables.get(braced ?? bare) ?? "")
    .trim();
}

/** Names of entries as packages: NAME-VERSION-RELEASE, each part by RPM's order. */
function compareNames(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  return (
    compareRpmVersions(left.name, right.name) ||
    compareRpmVersions(left.version, right.version) ||
    compareRpmVersions(left.release, right.release)
  );
}

function partsOf(id: string): { name: string; version: string; release: string } {
  // In GRUB the rescue entry's version is 0: it is the last.
  const [, name = "", version = "", release = ""] = /^(.*)-([^-]*)-([^-]*)$/.exec(id) ??
    /^(.*)-([^-]*)$/.exec(id) ?? [undefined, id];
  return { name, version, release };
}
