/** apt with a state of its own, and the little that is wanted of it. Nothing is installed. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostSources, type Suite } from "./apt-sources.ts";

export interface Apt {
  readonly folder: string;
  readonly environment: Record<string, string | undefined>;
}

/**
 * apt with its own state: the lists of the suite are read into a folder below this one, which
 * whoever asked removes. An error as text.
 */
export async function privateApt(below: string, suite: Suite = "bookworm"): Promise<Apt | string> {
  for (const tool of ["apt-get", "apt-cache", "apt-config", "dpkg-deb"]) {
    if (Bun.which(tool) === null) return `this host has no ${tool}`;
  }
  const sources = hostSources(suite);
  if (sources.length === 0) return "the host's package sources name no Debian";
  const folder = join(below, `apt-${process.pid}`);
  for (const part of ["state/lists/partial", "cache/archives/partial", "download"]) {
    mkdirSync(join(folder, part), { recursive: true });
  }
  writeFileSync(join(folder, "status"), "");
  writeFileSync(join(folder, "sources.list"), sources.join("\n"));
  // The host's proxies stay in force; its hooks, which may need root, do not.
  const acquire = await output(["apt-config", "dump", "Acquire"]);
  const settings = [
    acquire.stdout,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    'Dir::Etc::sourceparts "/dev/null";',
    'Dir::Etc::parts "/dev/null";',
    'Dir::Etc::main "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    'APT::Architecture "amd64";',
    'APT::Architectures { "amd64"; "arm64"; };',
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    // Without it, an update that reached no server counts as done.
    'APT::Update::Error-Mode "any";',
  ];
  const config = join(folder, "apt.conf");
  writeFileSync(config, settings.join("\n"));
  const apt = { folder, environment: { ...process.env, APT_CONFIG: config, LC_ALL: "C" } };
  const update = await output(["apt-get", "-qq", "update"], apt);
  if (update.exit === 0) return apt;
  rmSync(folder, { recursive: true, force: true });
  return `the package lists cannot be read: ${lastLine(update.stderr)}`;
}

export async function output(command: string[], apt?: Apt) {
  const child = Bun.spawn(command, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(apt === undefined ? {} : { cwd: apt.folder, env: apt.environment }),
  });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, exit };
}

export function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) || "no reason given";
}

/** Downloads a package. @returns the archive's path, or the problem. */
export async function download(
  name: string,
  apt: Apt,
): Promise<{ readonly archive: string } | { readonly problem: string }> {
  const folder = join(apt.folder, "download");
  const got = await output(["apt-get", "-qq", "download", name], { ...apt, folder });
  const archive = readdirSync(folder).find((file) => file.endsWith(".deb"));
  if (got.exit !== 0 || archive === undefined) return { problem: lastLine(got.stderr) };
  return { archive: join(folder, archive) };
}
