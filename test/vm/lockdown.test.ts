/** Signatures where nothing enforces them: with lockdown on the command line, and without. */
import { expect } from "bun:test";
import { binaryFor } from "./lib/aegis.ts";
import { startGuest } from "./lib/guest.ts";
import { guestInitramfs, text } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { listOf, loadAsPredicted, memberOf } from "./lib/prediction.ts";
import { changed, foreignKey, signed, unsigned } from "./lib/secureboot.ts";
import { vmSuite } from "./lib/suite.ts";

const needs = ["tool:sbsign", "tool:openssl", "debian-6.12"] as const;

async function start(cmdline: string) {
  const debian = kernel("debian-6.12");
  const foreign = await signed(debian.path, await foreignKey("Nobody Knows"));
  const images = {
    debian: debian.path,
    unsigned: await unsigned(debian.path),
    foreign,
    damaged: changed(foreign, -100),
  };
  const binary = await binaryFor("x86_64");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    programs: [{ path: "/sbin/aegis-kexec", source: binary }],
    entries: [
      text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n"),
      ...Object.entries(images).map(
        ([name, source]) => ({ type: "host-file", path: `/images/${name}`, source }) as const,
      ),
    ],
  });
  return startGuest({ kernel: debian, initramfs, memory: 1536, cmdline });
}

vmSuite("lockdown", { needs, start: () => start("lockdown=integrity") }, (test) => {
  const refusals = [
    ["debian", '"CN=Debian Secure Boot Signer'],
    ["unsigned", "carries no signature"],
    ["foreign", '"CN=Nobody Knows"'],
    ["damaged", "damaged"],
  ] as const;
  for (const [name, says] of refusals) {
    test(`${name}: the errno hides the cause, and the message names it`, async (guest) => {
      const outcome = await loadAsPredicted(guest, `/images/${name} --cmdline x`);
      const error = memberOf(outcome.result, "error");
      expect(error).toMatchObject({ code: "lockdown", exit: 7, errno: "EPERM" });
      expect(String(error["message"])).toContain("locked down (integrity)");
      expect(String(error["message"])).toContain(says);
      // Nothing can be enrolled where no UEFI is.
      expect(String(error["hint"])).not.toContain("mokutil");
      expect(outcome.stderr).toContain("kernel: Lockdown: ");
      expect(listOf(memberOf(outcome.inspection, "verdict"), "reasons")).toHaveLength(1);
    });
  }

  test("an address of the ACPI tables is told to be useless", async (guest) => {
    const { exit, stderr } = await guest.run(
      "aegis-kexec load /images/debian --cmdline x --acpi-rsdp 0x7fe14014 --dry-run",
    );
    expect(exit).toBe(0);
    expect(stderr).toContain("acpi_rsdp=0x7fe14014 is useless if the next kernel is locked down");
  });
});

vmSuite("no lockdown", { needs, start: () => start("") }, (test) => {
  test("everything loads, as predicted", async (guest) => {
    for (const name of ["debian", "unsigned", "foreign", "damaged"]) {
      const { exit } = await loadAsPredicted(guest, `/images/${name} --cmdline x`);
      expect(`${name}: ${exit}`).toBe(`${name}: 0`);
    }
  });

  test("IMA appraisal: the file is at fault, joined or not, and no hint speaks of its signature", async (guest) => {
    await guest.check(
      "echo 'appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig' >/sys/kernel/security/ima/policy",
    );
    const status = JSON.parse(await guest.check("aegis-kexec status --json"));
    expect(status.signatures.imaAppraisal).toBeNull();
    expect(status.unknown["signatures.imaAppraisal"]).toContain("IMA policy");
    const { exit, code, result, inspection } = await loadAsPredicted(
      guest,
      "/images/foreign --cmdline x",
    );
    expect([exit, code]).toEqual([6, "ima-refused"]);
    expect(memberOf(result, "error")).toMatchObject({
      errno: "EACCES",
      hint: expect.stringContaining("evmctl"),
    });
    const { takes, doubts } = memberOf(inspection, "verdict");
    expect({ takes, doubts }).toMatchObject({
      takes: true,
      // Debian's guest has no configuration to read, so that enforcement is in doubt, too.
      doubts: expect.arrayContaining([expect.objectContaining({ code: "ima-refused" })]),
    });
  });

  test("the switch, the limit, no crash memory and a user without rights, as predicted", async (guest) => {
    const crash = await loadAsPredicted(guest, "/images/unsigned --cmdline x --crash");
    expect([crash.exit, crash.code]).toEqual([9, "no-crash-memory"]);
    expect(memberOf(crash.result, "error")["hint"]).toContain("crashkernel=");
    const asUser = await guest.run(
      "su nobody -s /bin/sh -c 'aegis-kexec inspect --json /images/unsigned'",
    );
    expect(asUser.exit).toBe(0);
    expect(asUser.stdout).toContain("this process could not load it (exit 7)");
    await guest.check("aegis-kexec unload; echo 0 >/proc/sys/kernel/kexec_load_limit_reboot");
    const limit = await loadAsPredicted(guest, "/images/unsigned --cmdline x");
    expect([limit.exit, limit.code]).toEqual([7, "load-limit-reached"]);
    await guest.check("echo 1 >/proc/sys/kernel/kexec_load_disabled");
    const off = await loadAsPredicted(guest, "/images/unsigned --cmdline x");
    expect([off.exit, off.code]).toEqual([7, "kexec-disabled"]);
  });
});
