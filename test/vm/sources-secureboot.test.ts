/** Sources under Secure Boot: what is taken out of them is what was signed, and stays so. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { formatManifest } from "../../src/trust/manifest.ts";
import { makePe, type SectionPlan } from "../unit/image/build.ts";
import { binaryFor } from "./lib/aegis.ts";
import { type Guest, startGuest } from "./lib/guest.ts";
import { type GuestEntry, guestInitramfs, text } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { bootAsPredicted, loadAsPredicted, memberOf } from "./lib/prediction.ts";
import { enrolledKey, firmware, secureBootNeeds, signed } from "./lib/secureboot.ts";
import { vmSuite } from "./lib/suite.ts";

const token = randomUUID();
const cmdline = `no_timer_check console=ttyS0 quiet panic=-1 uki=${randomUUID()}`;

async function start() {
  const debian = kernel("debian-6.12");
  const good = await signed(debian.path, await enrolledKey());
  const image = new Uint8Array(readFileSync(good));
  const initramfs = new Uint8Array(readFileSync(guestInitramfs({ arch: "x86_64", token })));
  const section = (name: string, content: Uint8Array | string): SectionPlan => ({
    name,
    content: typeof content === "string" ? new TextEncoder().encode(content) : content,
  });
  const parts = [section(".text", "stub"), section(".linux", image), section(".initrd", initramfs)];
  const uki = makePe([...parts, section(".cmdline", cmdline)]);
  const manifest = formatManifest({
    format: "aegis-kexec/1",
    generation: 1,
    architecture: "x86_64",
    kernel: {
      path: "own.efi",
      size: uki.length,
      sha256: new Bun.CryptoHasher("sha256").update(uki).digest("hex"),
    },
    initrds: [],
    cmdline: "init=/bin/sh",
  });
  const file = (path: string, data: Uint8Array): GuestEntry => ({ type: "file", path, data });
  const first = guestInitramfs({
    arch: "x86_64",
    token: "first",
    programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
    modules: { kernel: debian, names: ["efivarfs"] },
    start: "mount -t efivarfs none /sys/firmware/efi/efivars",
    entries: [
      file("/esp/EFI/Linux/own.efi", uki),
      text("/esp/EFI/Linux/boot.json", manifest),
      file("/esp/EFI/Linux/open.efi", makePe(parts)),
      text("/esp/loader/entries/a.conf", "uki /EFI/Linux/own.efi\noptions init=/bin/sh\n"),
      file("/kernel.gz", Bun.gzipSync(image)),
      text("/initrd", "not looked at before a panic\n"),
    ],
  });
  return startGuest({
    kernel: { ...debian, path: good },
    initramfs: first,
    memory: 2048,
    cmdline: "crashkernel=256M",
    firmware,
    bootTimeout: 240,
  });
}

const own = "/esp/EFI/Linux/own.efi";
const needs = [...secureBootNeeds, "debian-6.12"] as const;

vmSuite("sources under Secure Boot", { needs, start, timeout: 600 }, (test) => {
  const loads = async (guest: Guest, words: string) => {
    const { exit, result: report } = await loadAsPredicted(guest, words);
    expect(exit).toBe(0);
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
    await guest.check("aegis-kexec unload");
    return report;
  };

  test("the command line in a UKI is the only one", async (guest) => {
    for (const [words, option] of [
      [`${own} --cmdline x`, "--cmdline"],
      [`${own} --reuse-cmdline`, "--reuse-cmdline"],
      [`${own} --append x`, "--append"],
      ["/esp --entry a", "the options line of /esp/loader/entries/a.conf"],
      ["/esp/EFI/Linux/boot.json", "the command line of /esp/EFI/Linux/boot.json"],
    ] as const) {
      const { exit, code, result } = await loadAsPredicted(guest, words);
      expect({ exit, code }).toEqual({ exit: 5, code: "policy-refused" });
      expect(memberOf(result, "error")["message"]).toBe(
        `cannot use ${option}: Secure Boot is on, and ${own} has a command line of its own`,
      );
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
    }
  });

  test("but for kexec-tools' options, which put another in its place: the kernel is signed", async (guest) => {
    await guest.check(`ln -sf aegis-kexec /sbin/kexec
kexec -s -l ${own} --initrd=/initrd --command-line=x && kexec -s -u
kexec -s -p ${own} --initrd=/initrd --command-line=x`);
    expect(await guest.check("cat /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_loaded")).toBe(
      "0\n1\n",
    );
    await guest.check("kexec -s -p -u");
    // What a manifest says is not what was given.
    const manifest = await guest.run("kexec -s -l /esp/EFI/Linux/boot.json");
    expect(manifest.exit).toBe(255);
    expect(manifest.stderr).toContain("Secure Boot is on");
  });

  test("it is without efivarfs as well", async (guest) => {
    await guest.check("umount /sys/firmware/efi/efivars");
    const { result } = await loadAsPredicted(guest, `${own} --cmdline x`);
    expect(memberOf(result, "error")["message"]).toStartWith(
      "cannot use --cmdline: Secure Boot is on, ",
    );
    // With nothing to tell it by, the stricter rule holds.
    await guest.check(
      "mount -t tmpfs none /sys/kernel/boot_params; mount -o bind /dev/null /dev/kmsg",
    );
    const { result: blind } = await loadAsPredicted(guest, `${own} --cmdline x`);
    await guest.check(
      "umount /dev/kmsg; umount /sys/kernel/boot_params; mount -t efivarfs none /sys/firmware/efi/efivars",
    );
    expect(memberOf(blind, "error")["code"]).toBe("policy-refused");
    expect(memberOf(blind, "error")["message"]).toStartWith(
      "cannot use --cmdline: Secure Boot may be on (",
    );
  });

  test("one without takes any", async (guest) => {
    expect(await loads(guest, "/esp/EFI/Linux/open.efi --cmdline x")).toMatchObject({
      cmdline: "x",
    });
  });

  test("the signature of an unpacked kernel is whole", async (guest) => {
    expect(await loads(guest, "/kernel.gz --cmdline x")).toMatchObject({
      kernel: { format: "bzImage (gzip)" },
    });
  });

  test("a UKI boots: its kernel by its own signature", async (guest) => {
    const up = await bootAsPredicted(guest, own, { timeout: 300 });
    expect(up).toMatchObject({ token, cmdline });
  });
});
