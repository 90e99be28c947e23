/** What systemd-boot is told by EFI variables: read, and taken back once the kernel took the image. */
import { expect } from "bun:test";
import { initrd, unique, vmlinuz } from "../lib/aegis.ts";
import { diskGuest, diskOf } from "../lib/disk.ts";
import type { Guest } from "../lib/guest.ts";
import { guestInitramfs } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import { firmware, secureBootNeeds } from "../lib/secureboot.ts";
import { vmTest } from "../lib/suite.ts";

const first = "debian-6.12";
/** No key enrolled: Secure Boot is off. */
const open = { ...firmware, variables: "/usr/share/OVMF/OVMF_VARS_4M.fd" };
const folder = "/sys/firmware/efi/efivars";
const vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const pathOf = (name: string) => `${folder}/${name}-${vendor}`;

/** As bootctl does: attributes, then UTF-16 with a NUL. */
async function setVariable(guest: Guest, name: string, text: string): Promise<void> {
  const bytes = Buffer.concat([Buffer.from([7, 0, 0, 0]), Buffer.from(`${text}\0`, "utf16le")]);
  const octal = [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
  await guest.check(`printf '${octal}' >/tmp/value; cat /tmp/value >${pathOf(name)}`);
}

async function variableOf(guest: Guest, name: string): Promise<string | undefined> {
  const { exit, bytes } = await guest.run(`cat ${pathOf(name)}`);
  if (exit !== 0) return undefined;
  return Buffer.from(bytes).subarray(4).toString("utf16le").replace(/\0.*$/s, "");
}

interface Inspected {
  readonly entries: readonly {
    readonly id: string;
    readonly default: boolean;
    readonly why: string;
  }[];
  readonly verdict: { readonly notes: readonly string[] };
}

vmTest(
  "LoaderEntryOneShot is taken once, by load and boot alone, and the others as systemd-boot has them",
  {
    needs: [first, "tool:mke2fs", ...secureBootNeeds, `file:${open.variables}`],
    timeout: 600,
  },
  async () => {
    const token = unique();
    const next = guestInitramfs({ arch: "x86_64", token });
    const entry = (name: string) =>
      `title ${name}\nsort-key ${name}\nlinux ${vmlinuz}\ninitrd ${initrd}\noptions console=ttyS0 panic=-1 ${name}\n`;
    const image = diskOf(
      Object.fromEntries(
        ["a", "b", "c"].map((name) => [`loader/entries/${name}.conf`, entry(name)]),
      ),
      { [vmlinuz.slice(1)]: kernel(first).path, [initrd.slice(1)]: next },
    );
    await using guest = await diskGuest(first, image, [], {
      firmware: open,
      modules: ["efivarfs"],
    });
    await guest.check(
      `mkdir -p /mnt; mount -t ext4 /dev/vda /mnt; mount -t efivarfs none ${folder}`,
    );
    const inspected = async () => {
      const { stdout } = await guest.run("aegis-kexec inspect /mnt --json", { timeout: 120 });
      const { entries, verdict } = JSON.parse(stdout) as Inspected;
      const chosen = entries.find((one) => one.default);
      return { chosen: [chosen?.id, chosen?.why], notes: verdict.notes.join("\n") };
    };
    const load = () => guest.check("aegis-kexec load /mnt", { timeout: 120 });
    const loaded = () => guest.check("cat /sys/kernel/kexec_loaded");

    const setDefault = (value: string) =>
      guest.check(`echo "default ${value}" >/mnt/loader/loader.conf`);

    await setDefault("c*");
    expect((await inspected()).chosen).toEqual(["c.conf", "default in loader.conf"]);
    await setVariable(guest, "LoaderEntryOneShot", "b.conf");
    // What inspect, a rehearsal and a load that fails see stays.
    expect((await inspected()).chosen).toEqual(["b.conf", "LoaderEntryOneShot"]);
    await guest.check("aegis-kexec load /mnt --dry-run", { timeout: 120 });
    const refused = await guest.run("aegis-kexec load /mnt --append 'a\"'", { timeout: 120 });
    expect(refused.exit).toBe(4);
    // The kernel guards the file until its flag is cleared.
    expect((await guest.run(`rm -f ${pathOf("LoaderEntryOneShot")}`)).exit).not.toBe(0);
    expect(await variableOf(guest, "LoaderEntryOneShot")).toBe("b.conf");

    await guest.check(`mount -o remount,ro ${folder}`);
    const readOnly = await inspected();
    expect(readOnly.chosen).toEqual(["c.conf", "default in loader.conf"]);
    expect(readOnly.notes).toContain(
      "LoaderEntryOneShot (b.conf) is left alone: EFI variables cannot be changed here",
    );
    await guest.check(`mount -o remount,rw ${folder}`);

    await load();
    expect(await loaded()).toBe("1\n");
    expect(await variableOf(guest, "LoaderEntryOneShot")).toBeUndefined();
    expect((await inspected()).chosen).toEqual(["c.conf", "default in loader.conf"]);

    // What was booted last is kept where that is to be the default; what is meant for once is not.
    await setDefault("@saved");
    await load();
    expect(await variableOf(guest, "LoaderEntryLastBooted")).toBe("a.conf");
    await setVariable(guest, "LoaderEntryOneShot", "b.conf");
    await load();
    expect(await variableOf(guest, "LoaderEntryOneShot")).toBeUndefined();
    expect(await variableOf(guest, "LoaderEntryLastBooted")).toBe("a.conf");

    // What systemd-boot makes up itself is for it alone.
    await setVariable(guest, "LoaderEntryDefault", "C*");
    await setVariable(guest, "LoaderEntryOneShot", "auto-reboot-to-firmware-setup");
    expect((await inspected()).chosen).toEqual(["c.conf", "LoaderEntryDefault"]);
    await load();
    expect(await variableOf(guest, "LoaderEntryOneShot")).toBe("auto-reboot-to-firmware-setup");
    expect(await guest.handoff("aegis-kexec boot /mnt", { timeout: 240 })).toMatchObject({
      token,
      cmdline: "console=ttyS0 panic=-1 c",
    });
  },
);
