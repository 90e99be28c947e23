/**
 * What an attacker tries from outside, on the built program: one case of each kind. The page
 * docs/threats.md names these tests.
 */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { unique } from "./lib/aegis.ts";
import { consoleWords, slowUki, startAttacked, strangersSignature } from "./lib/attacked.ts";
import { consoleArguments, type Guest, startGuest } from "./lib/guest.ts";
import { isAboutMusl } from "./lib/host.ts";
import { text } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { moduleFiles } from "./lib/modules.ts";
import { preboot } from "./lib/preboot.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";

const needs = ["shared-x86_64"] as const;
const policy = "/etc/aegis-kexec/policy.json";
const signed = "aegis-kexec load /mnt/42/boot.json";
const plain = `aegis-kexec load /mnt/42/vmlinuz --initrd /mnt/42/initrd.img --cmdline '${consoleWords}'`;

const writePolicy = (more = "") =>
  `echo '{ "trust": ["/etc/aegis-kexec/org.pub"], "minGeneration": 42${more} }' >${policy}`;

async function loaded(guest: Guest): Promise<string> {
  return (await guest.check("cat /sys/kernel/kexec_loaded")).trim();
}

{
  const token = randomUUID();
  const start = () => startAttacked("shared-x86_64", token);
  vmSuite("what is signed stays signed", { needs, start }, (test) => {
    test("a secret goes where the policy says, is no program, and is told", async (guest) => {
      await guest.check(`${writePolicy()}; printf '#!/bin/sh\n' >/evil`);
      for (const place of [
        "/init:0755",
        "/init",
        "/etc/passwd",
        "/etc/cryptsetup-keys.d/../passwd",
        "/etc/cryptsetup-keys.d/a:0500",
        "/.extra/credentials/a.cred",
        "/etc/cryptsetup-keys.d",
      ]) {
        const { exit, stderr } = await guest.run(`${signed} --secret /evil:${place}`);
        expect(`${place} ${exit} ${stderr}`).toMatch(/ [45] aegis-kexec: /);
        expect(await loaded(guest)).toBe("0");
      }
      const told = await guest.check(
        `${signed} --secret /evil:/etc/cryptsetup-keys.d/root.key --log /log --json; cat /log; aegis-kexec unload`,
      );
      expect(told.match(/\/etc\/cryptsetup-keys\.d\/root\.key/g)?.length).toBeGreaterThanOrEqual(3);
      expect(told).not.toContain("/evil");
    });

    test("words that mean trust are not ignored where no key is trusted", async (guest) => {
      await guest.check(`rm -f ${policy}`);
      for (const word of ["--signature /no/such.sig", "--min-generation 1"]) {
        for (const command of ["load", "inspect"]) {
          const { exit } = await guest.run(
            `aegis-kexec ${command} /mnt/42/vmlinuz --cmdline x ${word}`,
          );
          expect(`${command} ${word}: ${exit}`).toBe(`${command} ${word}: 2`);
        }
      }
      expect(await loaded(guest)).toBe("0");
    });

    test("a policy that demands nothing, or cannot be found, stops everything", async (guest) => {
      for (const content of [
        "{}",
        '{"minGeneration": 40}',
        '{"allowAppend": ["console="]}',
        '{"trust": []}',
        '{"trust": ["/etc/aegis-kexec/org.pub"], "threshold": 2}',
        '{"trust": ["/etc/aegis-kexec/org.pub", "/etc/aegis-kexec/other.pub"], "threshold": 2}',
      ]) {
        await guest.check(`echo '${content}' >${policy}`);
        const { exit } = await guest.run(`${signed} --trust /etc/aegis-kexec/org.pub`);
        expect(`${content} ${exit}`).toBe(`${content} 5`);
      }
      await guest.check(writePolicy());
      const other = await guest.run(`${signed} --trust /etc/aegis-kexec/other.pub`);
      expect(other.exit).toBe(5);
      for (const name of [policy, "/etc/aegis-kexec", "/etc"]) {
        const { exit } = await guest.run(
          `mv ${name} /away; ln -s /nowhere ${name}; ${plain}; code=$?; rm ${name}; mv /away ${name}; exit $code`,
        );
        expect(`${name} ${exit}`).toBe(`${name} 5`);
      }
      expect(await loaded(guest)).toBe("0");
    });

    test("with a reader that does not read, what fails is told by the exit code in time", async (guest) => {
      await guest.check(`rm -f ${policy}; mkfifo /full; printf key >/key`);
      const began = performance.now();
      // 64 KiB fill a pipe: pipe(7).
      const { exit } = await guest.run(
        `exec 8<>/full; dd if=/dev/zero of=/full bs=4096 count=16 2>/dev/null; ${plain} --secret /key:/etc/key >&8 2>&8`,
        { timeout: 120 },
      );
      expect(exit).toBe(12);
      expect(performance.now() - began).toBeLessThan(100_000);
      // Whoever is told of a failure finds no secret loaded.
      expect(await loaded(guest)).toBe("0");
    });

    test("signals do not end a load that holds a secret, and TERM leaves none", async (guest) => {
      await guest.check("mkfifo /wait; printf key >/key");
      // All but those that are caught, cannot be kept off, or are faults: see src/linux/signals.ts.
      const harmless = [10, 12, 13, 14, 16, 24, 25, 26, 27, 29, 32, 34, 35, 50, 64];
      const { exit, stdout } = await guest.run(
        `${plain} --secret /wait:/etc/key >/out 2>&1 & pid=$!; exec 9>/wait; sleep 3; ` +
          `for n in ${harmless.join(" ")}; do kill -$n $pid || echo no $n; done; sleep 1; kill -0 $pid && echo alive; ` +
          "printf key >&9; exec 9>&-; wait $pid; code=$?; cat /sys/kernel/kexec_loaded; aegis-kexec unload >/dev/null; exit $code",
        { timeout: 120 },
      );
      expect(`${exit} ${stdout}`).toBe("0 alive\n1\n");
      const term = await guest.run(
        `${plain} --secret /wait:/etc/key & pid=$!; exec 9>/wait; sleep 3; kill -TERM $pid; wait $pid`,
        { timeout: 120 },
      );
      expect(term.exit).toBe(143);
      expect(await loaded(guest)).toBe("0");
    });

    test("a crash kernel gets no secret", async (guest) => {
      const { exit, stderr } = await guest.run(`${plain} --crash --secret /key:/etc/key`);
      expect(exit).toBe(2);
      expect(stderr).toContain("cannot give a secret to a crash kernel");
    });

    test("files of impossible size are refused, and are no bug", async (guest) => {
      // 2^53 bytes, as far as a sparse file of tmpfs goes.
      const { exit, stderr } = await guest.run(
        `dd if=/dev/zero of=/sparse bs=1 count=1 seek=9007199254740991 2>/dev/null; ${plain} --initrd /sparse; code=$?; rm /sparse; exit $code`,
      );
      expect(exit).not.toBe(1);
      expect(exit).not.toBe(0);
      expect(stderr).not.toContain("internal error");
    });

    test("LD_TRACE_LOADED_OBJECTS keeps our code from running: env -i and a look help", async (guest) => {
      const { exit } = await guest.run(`LD_TRACE_LOADED_OBJECTS=1 ${plain} >/dev/null`);
      expect(exit).toBe(0);
      // The variable is glibc's: musl's loader lists libraries where it is called as ldd.
      expect(await loaded(guest)).toBe(isAboutMusl ? "1" : "0");
      await guest.check("aegis-kexec unload");
      await guest.check(
        `export LD_TRACE_LOADED_OBJECTS=1; /bin/busybox env -i ${plain} || env -i ${plain}`.replaceAll(
          "aegis-kexec load",
          "/sbin/aegis-kexec load",
        ),
      );
      expect(await loaded(guest)).toBe("1");
      await guest.check("aegis-kexec unload");
    });

    test("a full pipe does not hold up the handover of what is signed", async (guest) => {
      await guest.check(writePolicy());
      const up = await guest.handoff(
        "exec 8<>/full; dd if=/dev/zero of=/full bs=4096 count=16 2>/dev/null; aegis-kexec boot /mnt/42/boot.json >&8 2>&8",
      );
      expect(up).toMatchObject({ token, cmdline: consoleWords });
      await guest.stop();
    });
  });
}

vmTest(
  "what nobody signed costs little before it is refused, counted in instructions",
  { needs, timeout: 900 },
  async () => {
    const slow = slowUki();
    const guest = await startAttacked("shared-x86_64", "", {
      entries: [
        { type: "host-file", path: "/mnt/slow.efi", source: slow },
        text("/mnt/stranger.minisig", strangersSignature()),
      ],
      guest: { icount: "shift=0,sleep=off", memory: 2048 },
    });
    await guest.check(
      `echo '{ "trust": ["/etc/aegis-kexec/mini.pub"] }' >${policy}; mkdir -p /links/EFI/Linux /big; ` +
        "for n in $(seq 20); do ln /mnt/slow.efi /links/EFI/Linux/$n.efi; done; " +
        // As large as a file may be that nobody wants to read: sparse, so that it is there at once.
        "cp /mnt/slow.efi /big/big.efi; dd if=/dev/zero of=/big/big.efi bs=1 count=1 seek=3000000000 conv=notrunc 2>/dev/null; " +
        "cp /mnt/stranger.minisig /big/big.efi.minisig; mkdir /huge; " +
        "dd if=/dev/zero of=/huge/vmlinuz bs=1 count=1 seek=20000000000 2>/dev/null; " +
        `sed 's/"size": [0-9]*/"size": 20000000001/' /mnt/42/boot.json >/huge/boot.json; cp /mnt/42/boot.json.sig /huge/`,
      { timeout: 300 },
    );
    const costs: Record<string, number> = {};
    for (const what of [
      "load /mnt/slow.efi",
      "inspect /mnt/slow.efi",
      "load /big/big.efi",
      "inspect /big/big.efi",
      "load /huge/boot.json",
      "inspect /huge/boot.json",
      "inspect /links",
      "load /links",
    ]) {
      // Ticks of 10 ms, which under icount are 10 million instructions: the children's time, proc(5).
      const out = await guest.run(
        `t() { set -- $(cat /proc/$$/stat); shift 15; echo $(($1 + $2)); }; a=$(t); aegis-kexec ${what} >/out 2>&1; code=$?; b=$(t); echo $code $((b - a))`,
        { timeout: 300 },
      );
      const [code, ticks] = out.stdout.trim().split(" ").map(Number);
      costs[what] = ticks ?? Number.NaN;
      // None of the entries is a kernel: that is seen before who signed one.
      const wanted = what.endsWith("/links") ? 4 : 5;
      expect(`${what} ${code}`).toBe(`${what} ${wanted}`);
    }
    console.log(`ticks of 10 million instructions: ${JSON.stringify(costs)}`);
    // 2 s of a processor are more than 4,000 million instructions.
    for (const [what, ticks] of Object.entries(costs)) {
      expect(`${what} ${ticks < 400 ? "in time" : ticks}`).toBe(`${what} in time`);
    }
    await guest.stop();
  },
);

vmTest(
  "a boot entry that names a device does not open it",
  { needs: ["debian-6.12"] },
  async () => {
    const files = moduleFiles(kernel("debian-6.12"), ["watchdog", "i6300esb"]);
    const guest = await startAttacked("debian-6.12", "", {
      entries: files.map((file) => ({ ...file, path: file.path.replace("/lib/modules", "/wd") })),
      guest: { extraQemuArgs: ["-device", "i6300esb", "-action", "watchdog=reset"] },
    });
    await guest.check(
      "insmod /wd/watchdog.ko; insmod /wd/i6300esb.ko; mkdir -p /b/loader/entries; cp -a /dev/watchdog0 /b/wd || mknod /b/wd c $(cat /sys/class/watchdog/watchdog0/dev | tr : ' '); " +
        "printf 'linux /wd\\noptions x\\n' >/b/loader/entries/a.conf; printf 'efi /wd\\n' >/b/loader/entries/b.conf",
    );
    for (const command of [
      "load /b --dry-run",
      "inspect /b",
      "inspect /b/wd",
      "load /dev/watchdog0 --dry-run",
    ]) {
      await guest.run(`aegis-kexec ${command}`);
      expect(await guest.check("cat /sys/class/watchdog/watchdog0/state")).toBe("inactive\n");
    }
    await guest.stop();
  },
);

for (const name of ["shared-x86_64", "shared-aarch64"] as const) {
  vmTest(
    `the first process of ${name} boots whatever the environment says, behind a quoted "--"`,
    { needs: [name] },
    async () => {
      const token = unique();
      const { arch } = kernel(name);
      const line = `${consoleArguments(arch)} quiet`;
      // Words that the kernel does not know are the environment. A TZ that is a device is waited for.
      const environment =
        "TZ=:/dev/console TZDIR=/dev MIMALLOC_VERBOSE=9 BUN_BE_BUN=1 HOME=/nowhere";
      await using guest = await startGuest({
        kernel: kernel(name),
        initramfs: await preboot(name, token),
        cmdline: `${environment} stray rdinit=/sbin/aegis-kexec "--" boot /boot/vmlinuz --initrd /boot/initrd.img --cmdline="${line}"`,
      });
      expect(guest.announcement).toMatchObject({ token, cmdline: line });
    },
  );
}

for (const [what, line] of [
  ["given a word of the program's own", "rdinit=/sbin/aegis-kexec -- internal:append-line"],
  [
    "given no memory for a JIT",
    "sysctl.vm.overcommit_memory=2 rdinit=/sbin/aegis-kexec -- boot /boot/vmlinuz --cmdline=x",
  ],
] as const) {
  vmTest(`the first process reboots, ${what}`, { needs: ["debian-6.12"] }, async () => {
    const started = startGuest({
      kernel: kernel("debian-6.12"),
      initramfs: await preboot("debian-6.12", ""),
      cmdline: line,
    });
    const failure = String(await started.catch((error: unknown) => error));
    expect(failure).toContain("QEMU ended");
    expect(failure).not.toContain("Kernel panic");
  });
}
