/** What happens around the jump: file systems, the watchdog, drivers, failures, the log. */
import { expect } from "bun:test";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { errorOf, initrd, scene, unique, vmlinuz } from "./lib/aegis.ts";
import { temporaryPath } from "./lib/host.ts";
import { text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { moduleFiles } from "./lib/modules.ts";
import { bootAsPredicted, loadAsPredicted } from "./lib/prediction.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";
const kernelAndInitrd = `${vmlinuz} --initrd ${initrd}`;
const boot = `aegis-kexec boot ${kernelAndInitrd}`;

/** An ext4 disk of 64 MiB, and QEMU's arguments for it. */
function disk(id: string): { readonly path: string; readonly arguments: readonly string[] } {
  const path = temporaryPath(`${id}.img`);
  const file = openSync(path, "w");
  ftruncateSync(file, 64 << 20);
  closeSync(file);
  const made = Bun.spawnSync(["mke2fs", "-q", "-t", "ext4", path]);
  if (made.exitCode !== 0) throw new Error(`mke2fs: ${made.stderr}`);
  return {
    path,
    arguments: [
      ...["-drive", `file=${path},if=none,format=raw,id=${id}`],
      ...["-device", `virtio-blk-pci,drive=${id},serial=${id}`],
    ],
  };
}

/** What a guest needs to see virtio disks. */
const diskModules = ["virtio_pci", "virtio_blk"];

/** The file systems of the image, as the host's tools see them. */
function readDisk(path: string, file: string): { journal: string; content: string } {
  const features = Bun.spawnSync(["dumpe2fs", "-h", path]).stdout.toString();
  const content = Bun.spawnSync(["debugfs", "-R", `cat ${file}`, path]).stdout.toString();
  return { journal: /^Filesystem features:.*$/m.exec(features)?.[0] ?? "", content };
}

vmTest(
  "a file written just before the handover is there after it, and the journal is clean",
  { needs: [first, "tool:mke2fs", "tool:debugfs"] },
  async () => {
    const data = disk("data");
    const word = unique();
    const given = scene({
      first,
      initramfs: { modules: { kernel: kernel(first), names: diskModules } },
      nextEntries: moduleFiles(kernel(first), diskModules),
      guest: { extraQemuArgs: data.arguments },
    });
    await using guest = await given.start();
    await guest.check(
      "mkdir /mnt /mnt2; mount -t ext4 -o nosuid /dev/vda /mnt; mount --bind /mnt /mnt2",
    );
    await guest.check(`head -c 1000000 /dev/urandom >/mnt/big; echo ${word} >/mnt/file`);
    const next = await bootAsPredicted(
      guest,
      `${kernelAndInitrd} --cmdline "${given.console} ${word}"`,
      { more: `--log /mnt/attempts --verbose >/dev/ttyS0 2>&1` },
    );
    expect(next).toMatchObject({ token: given.token });
    expect(guest.serialLog()).toContain(
      "handing over to the new kernel: no signature was asked for",
    );
    // From outside, before anything else could have repaired it.
    const { journal, content } = readDisk(data.path, "/file");
    expect(content).toBe(`${word}\n`);
    expect(journal).not.toContain("needs_recovery");
    await guest.check(
      "for module in /lib/modules/*.ko; do insmod $module || true; done; mkdir /mnt; mount -t ext4 /dev/vda /mnt",
    );
    expect(await guest.check("cat /mnt/file")).toBe(`${word}\n`);
    expect(await guest.check("dmesg")).not.toContain("recovery complete");
    const logged: unknown = JSON.parse(await guest.check("cat /mnt/attempts"));
    expect(logged).toMatchObject({
      command: "boot",
      outcome: "handing-over",
      result: { kernel: { path: vmlinuz }, trust: null },
    });
  },
);

vmTest(
  "a disk that hangs holds neither the handover nor the other disk",
  { needs: [first, "tool:mke2fs", "tool:debugfs"], timeout: 480 },
  async () => {
    const disks = [disk("good"), disk("bad"), disk("open")] as const;
    const [good] = disks;
    const given = scene({
      first,
      initramfs: { modules: { kernel: kernel(first), names: diskModules } },
      guest: { extraQemuArgs: disks.flatMap((one) => one.arguments) },
    });
    await using guest = await given.start();
    await guest.check(
      "mkdir /a /b /c; for disk in a b c; do mount -t ext4 /dev/vd$disk /$disk; done; sync",
    );
    // From now on the disk takes a byte a second: a write of it never ends.
    await guest.monitor("block_set_io_throttle bad 0 0 1 0 0 0");
    await guest.check("echo kept >/a/file; echo lost >/b/file; printf key >/run/key");

    // Ended while it waits for the disk, it leaves neither a kernel with a secret nor a disk read-only.
    const ended = await guest.run(
      `${boot} --cmdline x --secret /run/key:/key --on-failure reboot --log /run/log --verbose 2>/run/said & me=$!
      until grep -q 'flushing /b' /run/said; do sleep 1; done; kill -TERM $me; wait $me; echo $?
      cat /sys/kernel/kexec_loaded; touch /a/file && echo writable; tail -n 1 /run/log`,
    );
    expect(ended.stdout).toStartWith("143\n0\nwritable\n");
    expect(ended.stdout).toContain("interrupted by SIGTERM");

    const begin = Date.now();
    const next = await guest.handoff(
      `exec 9>/c/file; ${boot} --cmdline "${given.console}" --log /b/log --verbose >/dev/ttyS0 2>&1`,
    );
    expect(next).toMatchObject({ token: given.token });
    expect(Date.now() - begin).toBeLessThan(120_000);
    expect(guest.serialLog()).toContain("writing the log /b/log makes no progress");
    expect(guest.serialLog()).toContain("flushing /b makes no progress");
    expect(guest.serialLog()).toContain("cannot remount /c read-only: device or resource busy");
    const { journal, content } = readDisk(good.path, "/file");
    expect(content).toBe("kept\n");
    expect(journal).not.toContain("needs_recovery");
  },
);

vmTest(
  "the watchdog resets a next kernel that hangs",
  { needs: [first], timeout: 480 },
  async () => {
    const given = scene({
      first,
      nextEntries: [text("/hang", "#!/bin/sh\necho hanging\nexec sleep 100000\n", 0o755)],
      initramfs: {
        modules: { kernel: kernel(first), names: [] },
        start: "insmod /wd/watchdog.ko stop_on_reboot=0; insmod /wd/i6300esb.ko",
      },
      entries: moduleFiles(kernel(first), ["watchdog", "i6300esb"]).map((file) => ({
        ...file,
        path: file.path.replace("/lib/modules", "/wd"),
      })),
      guest: {
        reboot: true,
        extraQemuArgs: ["-device", "i6300esb", "-action", "watchdog=reset"],
      },
    });
    await using guest = await given.start();
    const refused = await guest.run(`${boot} --cmdline x --watchdog 5000`);
    expect(refused).toMatchObject({ exit: 2 });
    expect(refused.stderr).toContain("cannot arm the watchdog: its driver does not take 5000 s");
    const next = await bootAsPredicted(
      guest,
      `${kernelAndInitrd} --cmdline "${given.console} rdinit=/hang"`,
      { more: `--watchdog 30 --verbose >/dev/ttyS0 2>&1` },
    );
    expect(guest.serialLog()).toContain("the watchdog is armed with 30 s (i6300ESB timer)");
    expect(guest.serialLog()).toContain("hanging");
    // The first kernel again, through firmware.
    expect(next.token).toBe("first");
  },
);

vmTest("a watchdog that stops at the handover is told", { needs: [first] }, async () => {
  const given = scene({
    first,
    initramfs: { modules: { kernel: kernel(first), names: ["i6300esb"] } },
    guest: { extraQemuArgs: ["-device", "i6300esb"] },
  });
  await using guest = await given.start();
  // A rehearsal says both, and starts nothing
  const dry = (seconds: number) => guest.run(`${boot} --cmdline x --dry-run --watchdog ${seconds}`);
  const rehearsed = await dry(30);
  expect(rehearsed.exit).toBe(0);
  expect(rehearsed.stderr).toContain("the watchdog will not guard the next kernel: its driver");
  const beyond = await dry(5000);
  expect(beyond.exit).toBe(2);
  expect(beyond.stderr).toMatch(/does not take 5000 s.*\nhint: it takes up to \d+ s/);
  // The lines of this program in the kernel log are for debugging, and so on no console
  await guest.check("dmesg -n 8; echo hunter2 >/run/hidden");
  const next = await bootAsPredicted(guest, `${kernelAndInitrd} --cmdline "${given.console}"`, {
    more: `--watchdog 30 --secret /run/hidden:/etc/key --log /run/log >/dev/ttyS0 2>&1`,
  });
  expect(next.token).toBe(given.token);
  const log = guest.serialLog();
  expect(log).toContain("the watchdog will not guard the next kernel: its driver");
  const traced = /\] aegis-kexec: (?:loaded|handing over to).*/g;
  const lines = log.match(traced) ?? [];
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/handing over to \/boot\/vmlinuz, release \S+, command line: /);
  expect(lines.join()).not.toMatch(/hunter2|hidden|etc\/key/);
});

vmTest(
  "without a watchdog --watchdog fails before the load",
  { needs: ["shared-x86_64"] },
  async () => {
    const given = scene({ first: "shared-x86_64" });
    await using guest = await given.start();
    const result = await guest.run(`${boot} --cmdline x --watchdog 30 --json`);
    expect(result.exit).toBe(12);
    expect(errorOf(result.stdout)).toMatchObject({
      message: expect.stringContaining("/dev/watchdog"),
    });
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
  },
);

const full: KernelName = "debian-6.12-full";
/** Drivers of what the guest below has: a display and a USB host with a keyboard. */
const deviceModules = ["bochs", "xhci_pci", "usbhid"];

vmTest(
  "a display and a USB host that were detached are found by the next kernel",
  { needs: [full], timeout: 480 },
  async () => {
    const given = scene({
      first: full,
      initramfs: { modules: { kernel: kernel(full), names: deviceModules } },
      nextEntries: moduleFiles(kernel(full), deviceModules),
      guest: {
        memory: 1536,
        cmdline: "console=tty0",
        extraQemuArgs: [
          ...["-device", "bochs-display,addr=0x8"],
          ...["-device", "qemu-xhci,addr=0x9,id=xhci", "-device", "usb-kbd,bus=xhci.0"],
        ],
      },
    });
    await using guest = await given.start();
    expect(await guest.check("ls /sys/bus/pci/devices/0000:00:08.0/drm")).toContain("card0");
    const suffering = (await guest.check("aegis-kexec status --verbose")).split(
      "Known to suffer",
    )[1];
    expect(suffering).toMatch(/0000:00:08\.0 +bochs-drm: [\s\S]*--quiesce gpu/);
    expect(suffering).toMatch(/0000:00:09\.0 +xhci_hcd: [\s\S]*--quiesce usb/);
    const next = await bootAsPredicted(guest, `${kernelAndInitrd} --cmdline "${given.console}"`, {
      more: `--quiesce usb,gpu >/dev/ttyS0 2>&1`,
    });
    expect(next.token).toBe(given.token);
    const log = guest.serialLog();
    const order = [
      "handing over to the new kernel",
      "detached 0000:00:09.0 (xhci_hcd)",
      "detached console vtcon",
      "detached 0000:00:08.0 (bochs-drm)",
    ].map((line) => log.indexOf(line));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((one, other) => one - other));
    // More than once, for the order of the files is not that of their needs.
    await guest.run(
      "for round in 1 2 3 4; do for module in /lib/modules/*.ko; do insmod $module; done; done; sleep 2",
    );
    expect(await guest.check("ls /sys/bus/pci/devices/0000:00:08.0/drm")).toContain("card0");
    expect(await guest.check("cat /sys/bus/usb/devices/*/product")).toContain("QEMU USB Keyboard");
  },
);

const failing = `aegis-kexec boot /boot/notes.txt --cmdline x`;
const notes = { first, entries: [text("/boot/notes.txt", "not a kernel\n".repeat(200))] };

for (const action of ["reboot", "poweroff"] as const) {
  vmTest(`--on-failure ${action} does it`, { needs: [first] }, async () => {
    await using guest = await scene(notes).start();
    await guest
      .run(`${failing} --on-failure ${action} --log /attempts >/dev/ttyS0 2>&1`, { timeout: 30 })
      .catch(() => undefined);
    // QEMU ends at a reset through firmware as it does at a power-off.
    expect(await guest.waitExit()).toBe(0);
    const log = guest.serialLog();
    expect(log).toContain("cannot start /boot/notes.txt");
    expect(log).toContain(action === "reboot" ? "reboot: Restarting system" : "reboot: Power down");
  });
}

vmSuite("a handover that fails", { needs: [first], start: () => scene(notes).start() }, (test) => {
  test("--on-failure return gives the exit code", async (guest) => {
    expect(await guest.run(`${failing} --on-failure return`)).toMatchObject({ exit: 8 });
    expect(await guest.run(`${failing}`)).toMatchObject({ exit: 8 });
  });

  test("--on-failure shell gives the console a shell, and the exit code after it", async (guest) => {
    const result = await guest.run(
      `${failing} --on-failure shell 2>/tmp/said & me=$!
      shell=
      for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        for dir in /proc/[0-9]*; do
          read -r pid name state parent rest <$dir/stat 2>/dev/null || continue
          [ "$parent" = "$me" ] && [ "$name" = "(sh)" ] && shell=$pid
        done
        [ "$shell" ] && break
        sleep 1
      done
      readlink /proc/$shell/fd/0
      kill -9 $shell
      wait $me
      echo $?; cat /tmp/said`,
    );
    expect(result.stdout).toStartWith("/dev/console\n8\n");
    // The error is told once, before the shell.
    expect(result.stdout.match(/aegis-kexec: cannot/g)).toHaveLength(1);
    expect(result.stdout).toContain("starting a shell");
  });

  test("a dry run that fails takes no action", async (guest) => {
    const result = await guest.run(`${failing} --dry-run --on-failure poweroff`);
    expect(result.exit).toBe(8);
  });

  test("what cannot be detached is refused before anything is done", async (guest) => {
    const missing = await guest.run(
      `aegis-kexec load ${vmlinuz} --cmdline x && aegis-kexec exec --quiesce 0000:7f:00.0`,
    );
    expect(missing.exit).toBe(2);
    expect(missing.stderr).toContain("this machine has no such PCI device");
    await guest.check("aegis-kexec unload");
    const before = await guest.run(`${boot} --cmdline x --quiesce 0000:7f:00.0`);
    expect(before.exit).toBe(2);
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
  });

  test("in a container it refuses before it loads, and as its first process mounts nothing", async (guest) => {
    const result = await guest.run(
      `unshare -m sh -c 'mount -t tmpfs none /dev; before=$(cat /proc/mounts)
      unshare -p -f ${boot} --cmdline x; echo $?
      [ "$before" = "$(cat /proc/mounts)" ] && echo unchanged'`,
    );
    expect(result.stdout).toBe("7\nunchanged\n");
    expect(result.stderr).toContain("this process is not in the initial pid namespace");
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
  });

  // What Linux 6.16 to 6.18 have there, as files: this kernel takes no notice.
  test("kexec handover is finalized for a load, and opened again when it fails", async (guest) => {
    await guest.check(
      "mount -t tmpfs none /sys/kernel/debug; mkdir -p /sys/kernel/debug/kho/out; echo 0 >/sys/kernel/debug/kho/out/finalize",
    );
    const finalize = "cat /sys/kernel/debug/kho/out/finalize";
    const busy = await guest.run(
      `cp ${initrd} /tmp/busy; exec 9>>/tmp/busy; aegis-kexec load ${vmlinuz} --initrd /tmp/busy --cmdline kho=on --verbose`,
    );
    expect(busy.exit).toBe(10);
    expect(busy.stderr).toContain("finalized the kexec handover");
    expect(await guest.check(`${finalize}; rm /tmp/busy`)).toBe("0\n");
    await guest.check(`aegis-kexec load ${vmlinuz} --cmdline kho=on --dry-run`);
    expect(await guest.check(finalize)).toBe("0\n");
    expect((await loadAsPredicted(guest, `${vmlinuz} --cmdline kho=on`)).exit).toBe(0);
    expect(await guest.check(finalize)).toBe("1\n");
    await guest.check("aegis-kexec unload; umount /sys/kernel/debug");
  });

  test("a load is in the kernel log by one line, without the secret; without /dev/kmsg it goes on", async (guest) => {
    const load = `aegis-kexec load ${vmlinuz} --cmdline 'quiet traced=1' --secret /run/hidden:/etc/key --quiet`;
    await guest.check(
      `dmesg -c >/dev/null; echo hunter2 >/run/hidden; aegis-kexec load ${vmlinuz} --cmdline x --dry-run --quiet; ${load}`,
    );
    const traced = "dmesg | grep -E 'aegis-kexec: (crash kernel )?loaded: '";
    const lines = (await guest.check(traced)).trimEnd().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/loaded: \/\S*vmlinuz, release \S+, command line: quiet traced=1$/);
    expect(lines[0]).not.toMatch(/hunter2|hidden|etc\/key/);
    await guest.check(`mount -o bind /dev/null /dev/kmsg; ${load}; umount /dev/kmsg`);
    expect((await guest.check(`${traced} | wc -l`)).trim()).toBe("1");
    await guest.check("aegis-kexec unload");
  });

  test("a log on a read-only file system is warned of, and the load goes on; its warnings are in one that can be written", async (guest) => {
    const load = (log: string) =>
      guest.run(
        `aegis-kexec load ${kernelAndInitrd} --cmdline quiet --secret /run/hidden:/run/root.key --log ${log} --json && aegis-kexec unload --quiet`,
      );
    await guest.check(
      "echo hunter2 >/run/hidden; mkdir -p /tmp/ro; mount -t tmpfs -o ro none /tmp/ro",
    );
    const without = await load("/tmp/ro/log");
    expect(without.exit).toBe(0);
    const said = "the log /tmp/ro/log is not written: its file system is read-only";
    expect(without.stderr.split(said)).toHaveLength(2);
    const missing = await guest.run(
      `aegis-kexec load ${vmlinuz} --cmdline x --log /nowhere/log --json`,
    );
    expect(missing.exit).toBe(12);
    expect(errorOf(missing.stdout)).toMatchObject({
      code: "io-error",
      details: { path: "/nowhere/log" },
    });
    const written = await load("/tmp/warned");
    const line: unknown = JSON.parse(await guest.check("cat /tmp/warned"));
    const warnings = [...written.stderr.matchAll(/^aegis-kexec: warning: (.*)$/gm)].map(
      ([, text]) => text,
    );
    expect(warnings.join()).toContain("the secret at /run/root.key may be gone");
    expect(line).toMatchObject({ outcome: "loaded", warnings });
    await guest.check("umount /tmp/ro");
  });

  test("--log has a line for each attempt, without the secret", async (guest) => {
    await guest.check("echo hunter2 >/run/hidden");
    await guest.run(
      `aegis-kexec load ${vmlinuz} --cmdline x --secret /run/hidden:/etc/key --dry-run --log /tmp/log; ${failing} --secret /run/hidden:/etc/key --log /tmp/log`,
    );
    const lines = (await guest.check("cat /tmp/log")).trimEnd().split("\n");
    const [dry, failed] = lines.map((line): unknown => JSON.parse(line));
    const secrets = [{ destination: "/etc/key" }];
    expect(dry).toMatchObject({ command: "load", outcome: "dry-run", request: { secrets } });
    expect(failed).toMatchObject({ command: "boot", outcome: "failed", error: { exit: 8 } });
    expect(failed).toMatchObject({ request: { secrets } });
    expect(lines.join()).not.toContain("hunter2");
    expect(lines.join()).not.toContain("hidden");
  });
});

vmTest(
  "kexec handover that is on by default is seen by its scratch areas",
  { needs: ["kho-x86_64"] },
  async () => {
    const given = scene({
      first: "kho-x86_64",
      guest: { cmdline: "kho=on kho_scratch=32M,32M,32M" },
    });
    await using guest = await given.start();
    // As if nobody had asked for it, and with nothing else to see it by
    await guest.check(
      "echo quiet >/tmp/cmdline; mount --bind /tmp/cmdline /proc/cmdline; [ ! -e /dev/liveupdate ]",
    );
    const load = (words: string) =>
      guest.run(`aegis-kexec load ${vmlinuz} --dry-run --cmdline '${words}'`);
    expect((await load("x")).stderr).toContain("the next command line lacks kho=on");
    expect((await load("kho=on")).stderr).not.toContain("preserved");
    expect((await load("kho=off")).stderr).toContain("says kho=off");
    // A next kernel that has it on by default loses nothing.
    await guest.check(
      "printf 'CONFIG_KEXEC_HANDOVER=y\\nCONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\\n' >/boot/config-$(uname -r)",
    );
    expect((await load("x")).stderr).not.toContain("preserved");
  },
);

const on = "kho=on liveupdate=on";

for (const name of ["kho-x86_64", "shared-aarch64"] as const) {
  vmTest(`kexec handover reaches the next kernel of ${name}`, { needs: [name] }, async () => {
    const given = scene({ first: name, guest: { cmdline: "kho=on kho_scratch=32M,32M,32M" } });
    await using guest = await given.start();
    const lacking = await guest.run(
      `aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline x --dry-run`,
    );
    expect(lacking.stderr).toContain("the next command line lacks kho=on");
    const next = await bootAsPredicted(
      guest,
      `${kernelAndInitrd} --cmdline "${given.console} kho=on"`,
    );
    expect(next.token).toBe(given.token);
    expect(await guest.check("dmesg")).toMatch(/KHO: exec from: \S+ \(count 1\)/);
  });
}

vmTest(
  "a session of live update is noticed, and reaches the next kernel",
  { needs: ["kho-x86_64", "tool:cc"] },
  async () => {
    const agent = temporaryPath("session");
    const source = join(import.meta.dir, "guest", "session.c");
    await Bun.$`cc -O2 -static -o ${agent} ${source}`.quiet();
    const entry = { type: "host-file", path: "/sbin/session", source: agent, mode: 0o755 } as const;
    const given = scene({
      first: "kho-x86_64",
      entries: [entry],
      nextEntries: [entry],
      guest: { cmdline: `${on} kho_scratch=32M,32M,32M` },
    });
    await using guest = await given.start();
    const next = await guest.handoff(
      `session create kept >/run/made & until grep -q done /run/made; do sleep 1; done
      ${boot} --cmdline "${given.console} ${on}" --verbose >/dev/ttyS0 2>&1`,
    );
    expect(next.token).toBe(given.token);
    expect(guest.serialLog()).toContain("live update is on (/dev/liveupdate): its agents are left");
    expect(await guest.check("session retrieve kept")).toBe("done\n");
    expect((await guest.run("session retrieve other")).exit).toBe(1);
  },
);
