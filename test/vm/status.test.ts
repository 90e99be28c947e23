/** What `status` sees of kernels that differ in what they have. */
import { expect } from "bun:test";
import { errorOf, scene, vmlinuz } from "./lib/aegis.ts";
import { loadAsPredicted, memberOf } from "./lib/prediction.ts";
import { vmSuite } from "./lib/suite.ts";

const read = "aegis-kexec status --json";
const guestWith = (cmdline: string) => () =>
  scene({ first: "kho-x86_64", guest: { cmdline } }).start();
const needs = ["kho-x86_64"] as const;

const off = { enabled: false, finalized: null, scratch: null, liveUpdate: false, sessions: null };
const on = "kho=on liveupdate=on kho_scratch=16M,160M,16M";
vmSuite("handover on", { needs, start: guestWith(on) }, (test) => {
  test("kexec handover and live update are seen, and no device is opened", async (guest) => {
    const status = JSON.parse(await guest.check(read));
    expect(status.handover).toMatchObject({
      enabled: true,
      // Sizes are rounded up to what CMA takes.
      scratch: 160 << 20,
      liveUpdate: true,
      sessions: "agents",
    });
    expect(status.kexec).toMatchObject({ fileLoad: true, loaded: false, disabled: false });
    // Opening the device is exclusive: it must still be free.
    await guest.check("exec 9<>/dev/liveupdate");
  });

  test("a load is as predicted, with a note on the scratch area", async (guest) => {
    const outcome = await loadAsPredicted(guest, `${vmlinuz} --cmdline x`);
    expect(outcome.exit).toBe(0);
    expect(JSON.stringify(memberOf(outcome.inspection, "verdict")["notes"])).toContain("scratch");
    await guest.check("aegis-kexec unload");
  });

  test("an initramfs that its scratch area does not hold is named so, as predicted", async (guest) => {
    await guest.check("head -c 178257920 /dev/zero >/tmp/large");
    const outcome = await loadAsPredicted(guest, `${vmlinuz} --initrd /tmp/large --cmdline x`);
    expect([outcome.exit, outcome.code]).toEqual([9, "no-room"]);
    const { errno, message, hint } = memberOf(outcome.result, "error");
    expect(errno).toBe("EADDRNOTAVAIL");
    expect(message).toContain(
      "do not fit the scratch area of kexec handover, whose largest part has 160.0 MiB",
    );
    expect(hint).toContain("kho_scratch=");
    await guest.check("rm /tmp/large");
  });
});

// The default, twice what the kernel has taken, fits or not by where the kernel came to lie (KASLR).
const failing = guestWith("kho=on kho_scratch=16M,64G,16M");
vmSuite("handover that failed", { needs, start: failing }, (test) => {
  test("is off, though it was asked for", async (guest) => {
    expect(guest.serialLog()).toContain("disabling kexec handover");
    const status = JSON.parse(await guest.check(read));
    expect(status.handover).toEqual(off);
  });
});

vmSuite("handover off", { needs, start: guestWith("") }, (test) => {
  test("is seen as off, not as unknown", async (guest) => {
    const status = JSON.parse(await guest.check(read));
    expect(status.handover).toEqual(off);
    expect(status).toMatchObject({
      lockdown: "none",
      signatures: { checked: false, enforced: false },
      privilege: { capSysBoot: true, container: "none" },
    });
  });

  test("a broken policy shows, does not fail the status, and refuses as predicted", async (guest) => {
    await guest.check("mkdir -p /etc/aegis-kexec; echo '{' >/etc/aegis-kexec/policy.json");
    const status = JSON.parse(await guest.check(read));
    expect(status.policy).toMatchObject({ path: "/etc/aegis-kexec/policy.json", broken: true });
    const outcome = await loadAsPredicted(guest, `${vmlinuz} --cmdline x`);
    expect([outcome.exit, outcome.code]).toEqual([5, "policy-broken"]);
  });

  test("exec on a kernel that has no kexec is refused before anything is done", async (guest) => {
    const result = await guest.run(
      "mount -t tmpfs none /sys/kernel; aegis-kexec exec --json; said=$?; umount /sys/kernel; exit $said",
    );
    expect(result.exit).toBe(3);
    expect(errorOf(result.stdout)).toMatchObject({ code: "no-kexec-file" });
    expect(result.stderr).not.toContain("handing over");
  });

  test("without /sys what cannot be read is unknown", async (guest) => {
    const status = JSON.parse(
      await guest.check(`umount /sys/kernel/security /sys; ${read}; mount -t sysfs s /sys`),
    );
    expect(status.kexec.loaded).toBeNull();
    expect(status.lockdown).toBeNull();
    expect(status.unknown.lockdown).toContain("securityfs");
  });
});
