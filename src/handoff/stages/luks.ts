/** `--luks`: the places of keys, told from the archives, before the command line is complete. Loaded on demand. */

import { type KeyPlan, planKeys, type Seen } from "../../initramfs/luks/plan.ts";
import { type CrypttabEntry, parseCrypttab } from "../../initramfs/luks/table.ts";
import { type Framework, keyFolder } from "../../initramfs/luks/volume.ts";
import { checkSecrets, type SecretSpec } from "../../initramfs/secret.ts";
import { archiveNames } from "../../source/archive-names.ts";
import type { SourceFile } from "../../source/open-file.ts";
import type { Gate } from "../gate/gate.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";

/** Bytes of an archive that are looked through, unpacked and packed: Debian's largest have a third of that. */
const limits = { mostUnpacked: 1 << 30, mostPacked: 512 << 20 };

/** What tells who opens volumes in an initramfs: the program itself, or its script. */
const marks: readonly (readonly [RegExp, Framework])[] = [
  [/(?:^|\/)systemd-cryptsetup(?:-generator)?$/, "systemd"],
  [/^(?:scripts\/local-top\/cryptroot|cryptroot\/crypttab)$/, "initramfs-tools"],
  [/^hooks\/encrypt$/, "encrypt"],
];

const tables: Readonly<Record<string, Framework>> = {
  "etc/crypttab": "systemd",
  "cryptroot/crypttab": "initramfs-tools",
};
const wanted = /^(?:etc|cryptroot)\/crypttab$/;

/** More names than a folder of keys has: what lies behind them is not looked at. */
const mostKeys = 1024;

/**
 * @param archives In their order: later ones win. What is read here counts for places and words alone, both of
 * which the policy bounds: digests are taken of the copies that go to the kernel.
 * @throws KexecError of `planKeys`, `policy-refused`
 */
export async function placeKeys(
  { secrets, measureLog }: ParsedLoadRequest,
  archives: readonly SourceFile[],
  line: string,
  gate: Gate,
  observer: Observer,
): Promise<KeyPlan> {
  const volumes = secrets.flatMap(({ luks }) => luks ?? []);
  const plan = planKeys(volumes, await seenIn(archives), line);
  for (const warning of plan.warnings) observer.warn?.(warning);
  const places = plan.keys.map(({ destination }) => ({ destination, mode: 0o400 }));
  requireApart(secrets, plan, measureLog);
  for (const problem of gate.refusedSecrets(places)) throw problem;
  return plan;
}

/** @throws KexecError `malformed-input` where two files would have one place */
function requireApart(
  secrets: readonly SecretSpec[],
  { keys }: KeyPlan,
  measureLog: string | undefined,
): void {
  const placed = new Map(keys.map(({ uuid, destination }) => [uuid, destination]));
  const all = secrets.map((one) => ({
    ...one,
    destination: placed.get(one.luks?.uuid ?? "") ?? one.destination,
  }));
  const source = { kind: "file", path: "" } as const;
  const log = measureLog === undefined ? [] : [{ source, destination: measureLog, mode: 0o444 }];
  checkSecrets([...all, ...log]);
}

async function seenIn(archives: readonly SourceFile[]): Promise<Seen> {
  const found = new Set<Framework>();
  const entries: Partial<Record<Framework, readonly CrypttabEntry[]>> = {};
  const keys = new Set<string>();
  let whole = true;
  for (const { file } of archives) {
    const read = await archiveNames(
      file,
      (name, data) => {
        const framework = marks.find(([mark]) => mark.test(name))?.[1];
        if (framework !== undefined) found.add(framework);
        if (`/${name}`.startsWith(`${keyFolder}/`) && keys.size < mostKeys) keys.add(`/${name}`);
        const table = tables[name];
        if (table === undefined) return false;
        if (data === undefined) whole = false;
        else entries[table] = parseCrypttab(new TextDecoder().decode(data));
        return false;
      },
      { ...limits, wanted },
    );
    whole &&= read;
  }
  return { frameworks: found, tables: entries, keys, whole };
}
