/** Which of the systems that test/setup.ts makes a run wants: making each takes a minute and the network. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./jobs.ts";

/** By the name under which test/vm/lib has its place. */
export const systems = {
  systemd: "systemdImage",
  trixie: "trixieImage",
  "newest-systemd": "newestSystemdImage",
  openrc: "openrcImage",
  arm64: "arm64Image",
  installed: "installedImage",
  "initramfs-tools": "debianRoot",
  live: "liveRoot",
  luks: "luksRoot",
} as const;

export type SystemName = keyof typeof systems;
export const systemNames = Object.keys(systems) as readonly SystemName[];

/** Where they are made: these name all of them. */
const makers = ["test/vm/lib/systemd-image.ts", "test/vm/lib/debian-root.ts"];

/** The sources of a test, it among them. */
function sourcesOf(path: string, known = new Map<string, string>()): Map<string, string> {
  if (known.has(path) || makers.includes(path) || !existsSync(join(root, path))) return known;
  const text = readFileSync(join(root, path), "utf8");
  known.set(path, text);
  for (const [, from = ""] of text.matchAll(/from "(\.{1,2}\/[^"]+)"/g)) {
    sourcesOf(join(dirname(path), from), known);
  }
  return known;
}

/** Those that the tests of these jobs name. */
export function systemsOf(jobs: readonly string[]): SystemName[] {
  const tests = jobs
    .map((name) => name.replace(/^musl\//, "vm/"))
    .filter((name) => /^(vm|fresh)\//.test(name));
  const texts = tests.flatMap((name) => [...sourcesOf(`test/${name}.test.ts`).values()]);
  return systemNames.filter((name) =>
    texts.some((text) => new RegExp(`\\b${systems[name]}\\b`).test(text)),
  );
}
