/** Results in words. Each function gives lines for standard output. */
import type {
  BlessReport,
  FetchReport,
  LoadReport,
  SecretReport,
  UnloadReport,
} from "../../handoff/report.ts";
import { formatBytes } from "./progress.ts";

export function describeLoad(report: LoadReport): string[] {
  const kernel = report.target === "crash" ? "crash kernel" : "kernel";
  const rows: [string, string][] = [
    [
      "kernel",
      `${report.kernel.path} (${report.kernel.format}, ${formatBytes(report.kernel.size)})`,
    ],
  ];
  if (report.kernel.version !== null) rows.push(["version", report.kernel.version]);
  if (report.initrds.length === 0) {
    rows.push([
      "initrd",
      report.secrets.length + report.luks.length === 0 ? "none" : "none but the secrets",
    ]);
  }
  for (const { path, size, unchecked } of report.initrds) {
    const doubt = unchecked === null ? "" : `; ${unchecked}, not unpacked to see its end`;
    rows.push(["initrd", `${path} (${formatBytes(size)}${doubt})`]);
  }
  for (const secret of report.secrets) rows.push(["secret", secretText(secret)]);
  for (const { uuid, framework, ...place } of report.luks) {
    rows.push(["key", `of ${uuid}, for ${framework}, at ${secretText(place)}`]);
  }
  if (report.measureLog !== null) {
    rows.push(["log", `of measurements, at ${secretText(report.measureLog)}`]);
  }
  rows.push(["cmdline", report.cmdline === "" ? "(empty)" : report.cmdline]);
  if (report.generation !== null) rows.push(["generation", String(report.generation)]);
  if (report.trust !== null) {
    for (const { key, fingerprint, trustedComment } of report.trust.signers) {
      rows.push(["signed by", `${key} (${fingerprint})`]);
      if (trustedComment !== null) rows.push(["comment", trustedComment]);
    }
  }
  for (const { pcr, record } of report.measured) rows.push([`PCR ${pcr}`, record]);
  if (report.loaded) rows.push(["took", `${report.milliseconds} ms`]);
  if (report.locked) rows.push(["locked", "yes: nothing replaces it until reboot"]);
  // Not wrapped: a path or a command line that is broken cannot be copied.
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    report.loaded ? `${kernel} loaded` : `dry run: this ${kernel} would be loaded; nothing was`,
    ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`),
  ];
}

/** Its place, size and mode. */
export function secretText({ destination, size, mode }: SecretReport): string {
  const bytes = size === null ? "" : `${formatBytes(size)}, `;
  return `${destination} (${bytes}mode ${mode})`;
}

export function describeUnload(report: UnloadReport): string[] {
  const kernel = report.target === "crash" ? "crash kernel" : "kernel";
  if (report.wasLoaded === null) return [`no ${kernel} is loaded any more`];
  return [report.wasLoaded ? `${kernel} unloaded` : `no ${kernel} was loaded: nothing to do`];
}

export function describeFetch(report: FetchReport): string[] {
  const { path, generation, stored, trust } = report;
  if (!stored) return [`generation ${generation} is there already: ${path}`];
  const signer =
    trust === null
      ? "no signature was asked for"
      : `signed by ${trust.signers.map(({ key, fingerprint }) => `${key} (${fingerprint})`).join(" and ")}`;
  const bytes = formatBytes(report.written);
  const resumed =
    report.resumed === 0 ? "" : `, ${formatBytes(report.resumed)} were there from before`;
  return [
    `generation ${generation} stored as ${path}: ${signer}`,
    `  written  ${bytes}${resumed}`,
    ...report.removed.map((name) => `  removed  ${name}`),
  ];
}

export function describeBless({ path, was }: BlessReport): string[] {
  if (path === null) return ["this system was started from nothing that is counted: nothing to do"];
  return [was === null ? `${path} is not counted: nothing to do` : `${path} is good (was ${was})`];
}

/** Before the jump. The report is that of `boot`; `exec` does not know what is loaded. */
export function lastWords(report: LoadReport | undefined): string[] {
  if (report === undefined) return ["handing over to the kernel that was loaded before"];
  const trusted =
    report.trust === null
      ? "no signature was asked for"
      : `signed by ${report.trust.signers.map(({ fingerprint }) => fingerprint).join(" and ")}`;
  const places = [...report.secrets, ...report.luks]
    .map(({ destination }) => destination)
    .join(", ");
  const added = places === "" ? "" : `; secrets, which no signature covers, at ${places}`;
  return [...describeLoad(report), `handing over to the new kernel: ${trusted}${added}`];
}

/** What is done after a failure, by the action. */
export const failureWords: Readonly<Record<string, string>> = {
  reboot: "rebooting through firmware",
  poweroff: "switching off",
  shell: "starting a shell; exit ends it",
};
