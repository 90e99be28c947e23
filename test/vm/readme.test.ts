/** Commands of the README, as they are printed. Those about trust are in trust.test.ts. */
import { expect } from "bun:test";
import { type Scene, scene } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import { asInspection } from "./lib/prediction.ts";
import { printedCommand } from "./lib/readme.ts";
import { vmTest } from "./lib/suite.ts";

const needs = ["debian-6.12"] as const;

async function begin(entries: readonly GuestEntry[] = []): Promise<[Scene, Guest]> {
  const given = scene({ first: "debian-6.12", entries });
  return [given, await given.start()];
}

const handsOver = (guest: Guest, name: string) =>
  guest.handoff(`cd /boot; ${printedCommand(name)}`);

vmTest("the first command of the README", { needs }, async () => {
  const [{ token }, guest] = await begin();
  await guest.check(asInspection(`cd /boot; ${printedCommand("first")}`));
  const up = await handsOver(guest, "first");
  expect(up).toMatchObject({ token, cmdline: "root=LABEL=RESCUE quiet" });
});

vmTest("the README's commands, one after the other", { needs }, async () => {
  const [{ token }, guest] = await begin();
  const { cmdline } = guest.announcement;
  expect(await handsOver(guest, "commands")).toMatchObject({ token, cmdline: `${cmdline} single` });
});

vmTest("the README's way in place of kexec-tools", { needs }, async () => {
  const [{ token }, guest] = await begin();
  const { cmdline } = guest.announcement;
  expect(await handsOver(guest, "kexec")).toMatchObject({ token, cmdline });
});

// Unsealing is systemd's affair: a script stands in for it
const unseal = '#!/bin/sh\n[ "$*" = "decrypt /mnt/disk.cred -" ] && printf "key of the disk"\n';

vmTest("the README's way to pass on a secret", { needs }, async () => {
  const [{ token }, guest] = await begin([text("/usr/bin/systemd-creds", unseal, 0o755)]);
  const manifest = "aegis-kexec manifest vmlinuz --initrd initrd.img --cmdline quiet";
  await guest.check(`cd /boot; ${manifest} >boot.json`);
  expect(await handsOver(guest, "secret")).toMatchObject({ token, cmdline: "quiet" });
  expect(await guest.check("cat /etc/cryptsetup-keys.d/root.key")).toBe("key of the disk");
});
