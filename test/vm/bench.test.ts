/** The bench itself: what every test in a guest relies on. */
import { expect } from "bun:test";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { startGuest } from "./lib/guest.ts";
import { guestInitramfs } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { kexecTools } from "./lib/programs.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";

const token = randomUUID();

for (const name of ["shared-x86_64", "shared-aarch64", "debian-6.1"] as const) {
  const start = () => {
    const { arch } = kernel(name);
    return startGuest({
      kernel: kernel(name),
      initramfs: guestInitramfs({ arch, token }),
      cmdline: "aegis.test=a,b  c",
    });
  };
  vmSuite(`the bench with ${name}`, { needs: [name], start }, (test) => {
    test("announces the kernel that came up", async (guest) => {
      const { cmdline, release, token: announced } = guest.announcement;
      expect(announced).toBe(token);
      expect(cmdline).toEndWith(" panic=-1 aegis.test=a,b  c");
      expect(await guest.check("uname -r")).toBe(`${release}\n`);
    });

    test("returns exit code, standard output and standard error", async (guest) => {
      const result = await guest.run("echo out\n# $x \\n\nprintf 'err' >&2\nexit 7");
      expect(result).toMatchObject({ exit: 7, stdout: "out\n", stderr: "err", timedOut: false });
      expect(await guest.run("kill -9 $$")).toMatchObject({ exit: 137, timedOut: false });
    });

    test("brings 200 KB of random bytes unchanged", async (guest) => {
      const result = await guest.run(
        "head -c 204800 /dev/urandom | tee /tmp/random; sha256sum /tmp/random >&2",
      );
      expect(result.bytes.length).toBe(204800);
      const digest = new Bun.CryptoHasher("sha256").update(result.bytes).digest("hex");
      expect(result.stderr).toStartWith(digest);
    });

    test("takes a script of 100 KB unchanged", async (guest) => {
      const text = randomBytes(50_000).toString("hex");
      const digest = new Bun.CryptoHasher("sha256").update(`${text}\n`).digest("hex");
      expect(await guest.check(`sha256sum <<'end'\n${text}\nend`)).toStartWith(digest);
    });

    test("runs 100 small commands", async (guest) => {
      for (let index = 0; index < 100; index += 1) {
        expect(await guest.check(`echo ${index}`)).toBe(`${index}\n`);
      }
    });

    test("kills everything that runs over its time", async (guest) => {
      const result = await guest.run("echo begun; sleep 1000 & sleep 1000", { timeout: 1 });
      expect(result).toMatchObject({ exit: 137, stdout: "begun\n", timedOut: true });
      expect(await guest.check("ps -o comm | grep -c sleep || true")).toBe("0\n");
    });
  });
}

vmTest("repeats what kernel messages damaged", { needs: ["shared-aarch64"] }, async () => {
  await using guest = await startGuest({
    kernel: kernel("shared-aarch64"),
    initramfs: guestInitramfs({ arch: "aarch64" }),
  });
  // The kernel and the agent share this machine's one serial port.
  const script = [
    "echo 8 >/proc/sys/kernel/printk",
    "(i=0; while [ $i -lt 300 ]; do echo message $i >/dev/kmsg; i=$((i + 1)); done) &",
    "head -c 60000 /dev/urandom | tee /tmp/random; sha256sum /tmp/random >&2",
  ];
  const result = await guest.run(script.join("\n"));
  const digest = new Bun.CryptoHasher("sha256").update(result.bytes).digest("hex");
  expect(result.stderr).toBe(`${digest}  /tmp/random\n`);
  expect(await guest.check("dmesg | grep -c 'message 299'")).toBe("1\n");
});

const handovers: [KernelName, KernelName][] = [
  ["shared-x86_64", "shared-x86_64"],
  ["debian-6.1", "debian-6.12"],
];

for (const [first, second] of handovers) {
  vmTest(`follows a guest from ${first} to ${second}`, { needs: [first, second] }, async () => {
    const { arch } = kernel(first);
    const secondToken = randomUUID();
    const secondInitramfs = guestInitramfs({ arch, token: secondToken });
    const initramfs = guestInitramfs({
      arch,
      token,
      programs: [kexecTools()],
      entries: [
        { type: "host-file", path: "/next/kernel", source: kernel(second).path },
        { type: "host-file", path: "/next/initramfs", source: secondInitramfs },
      ],
    });
    await using guest = await startGuest({ kernel: kernel(first), initramfs });
    expect(guest.announcement.token).toBe(token);

    const cmdline = `no_timer_check console=ttyS0 panic=-1 test=${randomUUID()}`;
    await guest.check(
      `kexec -s -l /next/kernel --initrd=/next/initramfs --command-line='${cmdline}'`,
    );
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
    const next = await guest.handoff("kexec -e");
    expect(next).toMatchObject({ token: secondToken, cmdline });
    expect(await guest.check("cat /token")).toBe(`${secondToken}\n`);
    expect(await guest.check("cat /proc/cmdline")).toBe(`${cmdline}\n`);
  });
}

vmTest("says why there was no handover", { needs: ["shared-x86_64"] }, async () => {
  await using guest = await startGuest({
    kernel: kernel("shared-x86_64"),
    initramfs: guestInitramfs({ arch: "x86_64" }),
  });
  const failed = await guest.handoff("echo not today; exit 9").catch((error: unknown) => error);
  expect(String(failed)).toContain("the command returned 9:\nnot today");
  const log = /all of it is in (\S+)/.exec(String(failed))?.[1] ?? "";
  expect(existsSync(log)).toBe(true);
  rmSync(log);
});

vmTest("sees memory and the end from outside", { needs: ["shared-x86_64"] }, async () => {
  await using guest = await startGuest({
    kernel: kernel("shared-x86_64"),
    initramfs: guestInitramfs({ arch: "x86_64" }),
  });
  expect(await guest.monitor("info status")).toContain("running");
  expect(guest.serialLog()).toContain("Linux version");
  await guest.run("reboot -f", { timeout: 5 }).catch(() => undefined);
  expect(await guest.waitExit()).toBe(0);
  expect(guest.alive).toBe(false);
  expect(guest.run("true")).rejects.toThrow("QEMU had ended");
});
