/** A unified kernel image taken apart: which of its sections boot, and with what command line. */

import type { Architecture } from "../architecture.ts";
import { cannot } from "../errors.ts";
import { type ByteSource, readWithin, trimmedEnd } from "../image/bytes.ts";
import { type PeImage, readPe } from "../image/pe.ts";
import { hasProfile, readUki, type Uki, type UkiSection, ukiSection } from "../image/uki.ts";
import { readZboot } from "../image/zboot.ts";
import type { Listener } from "../listener.ts";
import { isBareKernel } from "./kernel.ts";
import { type OpenFile, rangeOf } from "./open-file.ts";

/** What a UKI boots with. */
export interface UkiParts {
  readonly kernel: OpenFile;
  /** `.ucode`, then `.initrd`, where it has them: microcode is looked for in the first archive. */
  readonly archives: readonly OpenFile[];
  /** The command line in it; undefined where it has none. */
  readonly cmdline: string | undefined;
}

/** Bytes of a `.cmdline` section; more than any kernel takes. */
const largestCmdline = 64 << 10;
const deviceTrees = [".dtb", ".dtbauto"];

/** Whether a file is a UKI by its content; a broken one is one too. A bare kernel is none. */
export function isUki(bytes: ByteSource): boolean {
  if (isBareKernel(bytes)) return false;
  const pe = readPe(bytes);
  return pe?.kind === "pe" && readUki(bytes, pe) !== undefined;
}

/**
 * Takes a UKI apart; undefined where the file is none. `profile` 0 is the default.
 * @throws KexecError `malformed-input`, `kernel-truncated`, `wrong-architecture`, and `usage` for
 *   a profile that it does not have
 */
export function readUkiParts(
  file: OpenFile,
  architecture: Architecture,
  profile: number,
  listener: Listener,
): UkiParts | undefined {
  if (isBareKernel(file) || readZboot(file) !== undefined) return undefined;
  const pe = readPe(file);
  if (pe === undefined) return undefined;
  if (pe.kind === "broken") throw cannot(`load ${file.path}`, pe);
  const uki = readUki(file, pe);
  if (uki === undefined) return undefined;
  if (uki.kind === "broken") throw cannot(`load ${file.path}`, uki);
  requireMachine(file.path, pe, architecture);
  requireProfile(file.path, uki, profile);

  const sectionOf = (name: string) => ukiSection(uki, name, profile);
  const partOf = (section: UkiSection): OpenFile =>
    rangeOf(file, section.offset, section.size, `${file.path}#${section.name}`);
  const kernel = sectionOf(".linux");
  if (kernel === undefined) {
    throw cannot(`load ${file.path}`, {
      code: "malformed-input",
      details: { path: file.path },
      why: `its profile ${profile} has no .linux section`,
    });
  }
  const tree = deviceTrees.find((name) => sectionOf(name) !== undefined);
  if (tree !== undefined && architecture === "aarch64") {
    listener.warn?.(
      `${file.path} brings a device tree (${tree}), which is not used: the running one is passed on`,
    );
  }
  const cmdline = sectionOf(".cmdline");
  return {
    kernel: partOf(kernel),
    archives: [".ucode", ".initrd"].flatMap((name) => {
      const section = sectionOf(name);
      return section === undefined ? [] : [partOf(section)];
    }),
    cmdline: cmdline && readCmdline(file, cmdline),
  };
}

function requireMachine(path: string, pe: PeImage, architecture: Architecture): void {
  if (pe.machine === architecture) return;
  throw cannot(`load ${path}`, {
    code: "wrong-architecture",
    details: { path, expected: architecture, found: pe.machine ?? undefined },
    why: `it is a UKI for ${pe.machine ?? "another architecture"}, and this machine is ${architecture}`,
    hint: `use a UKI built for ${architecture}`,
  });
}

function requireProfile(path: string, uki: Uki, profile: number): void {
  if (hasProfile(uki, profile)) return;
  const count = uki.profiles.length;
  const names = uki.profiles.map(
    ({ id, title }, index) => `${index} (${id ?? title ?? "unnamed"})`,
  );
  throw cannot(`use profile ${profile} of ${path}`, {
    code: "usage",
    why: `it has ${count === 0 ? "no profiles" : `only ${count}`}`,
    hint: count === 0 ? "leave --profile out" : `its profiles are ${names.join(", ")}`,
  });
}

/**
 * The command line as systemd-stub passes it on: white space of any kind is a space, none of it
 * at the end (mangle_stub_cmdline). NULs may follow it as padding; the stub would cut at a NUL
 * inside, which is refused, as other control characters are.
 */
function readCmdline(file: OpenFile, section: UkiSection): string {
  const refused = (problem: string) =>
    cannot(`load ${file.path}`, {
      code: "malformed-input",
      details: { path: file.path },
      why: `its .cmdline section ${problem}`,
      hint: "build the UKI anew: its command line is one line of text",
    });
  if (section.size > largestCmdline) throw refused(`is longer than ${largestCmdline} bytes`);
  const bytes = readWithin(file, section.offset, section.size);
  if (bytes === undefined) throw refused("does not end inside the file");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw refused("is not UTF-8");
  }
  const line = trimmedEnd(text, /\0/)
    .replace(/[\t-\r]/g, " ")
    .trimEnd();
  if (line.includes("\0")) throw refused("has a NUL character inside");
  if (/[\x00-\x1f\x7f]/.test(line)) throw refused("has a control character inside");
  return line;
}
