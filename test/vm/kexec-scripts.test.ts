/** Scripts of others that call kexec, once with kexec-tools and once with this program. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { initrd, scene, unique, vmlinuz } from "./lib/aegis.ts";
import { findSource } from "./lib/built-kernels.ts";
import { consoleArguments, type Guest } from "./lib/guest.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { type PackageName, unpackedPackage } from "./lib/packages.ts";
import { kexecTools } from "./lib/programs.ts";
import { vmTest } from "./lib/suite.ts";

const tools = { "kexec-tools": "/theirs", "this program": "/ours" } as const;
const programs = () => [kexecTools("/theirs/kexec")];
const called: GuestEntry = { type: "symlink", path: "/ours/kexec", target: "/sbin/aegis-kexec" };

/** A need of a test, and the folder where the package was unpacked. */
function packageFolder(name: PackageName): { need: `file:${string}`; folder: string } {
  const folder = unpackedPackage(name);
  return { need: `file:${folder ?? name}`, folder: folder ?? "" };
}

const theirs = packageFolder("kexec-tools:amd64");
const source = packageFolder("linux-source-6.1:amd64");
const selftests = join(source.folder, "linux-source-6.1/tools/testing/selftests/kexec");

interface Selftest {
  readonly kernel: KernelName;
  readonly cmdline: string;
  /** Debian's kernel is signed, which pesign would see. */
  readonly signed: boolean;
  /** The last line. */
  readonly verdict: string;
}

const runs: readonly Selftest[] = [
  {
    kernel: "kho-x86_64",
    cmdline: "",
    signed: false,
    verdict: "kexec_file_load succeeded [PASS]",
  },
  {
    kernel: "debian-6.1",
    cmdline: "",
    signed: true,
    verdict: "kexec_file_load succeeded [PASS]",
  },
  {
    kernel: "debian-6.1",
    cmdline: "lockdown=integrity",
    signed: true,
    verdict: "kexec_file_load failed [PASS]",
  },
];

for (const { kernel: name, cmdline, signed, verdict } of runs) {
  vmTest(
    `the kernel's own test_kexec_file_load.sh on ${name} ${cmdline}`,
    { needs: [name, source.need, theirs.need] },
    async () => {
      const script = (file: string): GuestEntry => ({
        type: "host-file",
        path: `/selftests/${file}`,
        source: join(selftests, file),
        mode: 0o755,
      });
      const { release, path } = kernel(name);
      const config: GuestEntry[] =
        release === undefined
          ? []
          : [
              {
                type: "host-file",
                path: `/lib/modules/${release}/config`,
                source: path.replace("vmlinuz-", "config-"),
              },
            ];
      const given = scene({
        first: name,
        entries: [
          called,
          script("test_kexec_file_load.sh"),
          script("kexec_common_lib.sh"),
          ...config,
          // The script asks these two what signatures the image has, and skips without them.
          text(
            "/usr/bin/pesign",
            `#!/bin/sh\necho '${signed ? "The signer is in this image." : "No signatures found."}'\n`,
            0o755,
          ),
          text("/usr/bin/getfattr", "#!/bin/sh\nexit 1\n", 0o755),
        ],
        initramfs: { programs: programs() },
        guest: { cmdline },
      });
      await using guest = await given.start();
      await guest.check(`ln -s ${vmlinuz} /boot/vmlinuz-$(uname -r)`);
      const [expected, seen] = [await selftest(guest, "/theirs"), await selftest(guest, "/ours")];
      expect(expected).toEndWith(`exit 0\n${verdict}\nloaded 0`);
      expect(seen).toBe(expected);
    },
  );
}

/** What the script prints, its exit code, the verdict, and what it leaves loaded. */
async function selftest(guest: Guest, folder: string): Promise<string> {
  const { exit, stdout } = await guest.run(
    `cd /selftests; PATH=${folder}:$PATH ./test_kexec_file_load.sh`,
  );
  const verdict = stdout.trim().split("\n").at(-1);
  const loaded = await guest.check("cat /sys/kernel/kexec_loaded");
  return `${stdout}exit ${exit}\n${verdict}\nloaded ${loaded.trim()}`;
}

const kernelSource = join(findSource() ?? "", "tools/testing/selftests");
const doKexec = join(kernelSource, "liveupdate/do_kexec.sh");

vmTest(
  "the kernel's own do_kexec.sh hands over, with live update on",
  { needs: ["kho-x86_64", "kernel-source"] },
  async () => {
    const given = scene({
      first: "kho-x86_64",
      entries: [
        called,
        { type: "host-file", path: "/selftests/do_kexec.sh", source: doKexec, mode: 0o755 },
        { type: "symlink", path: "/boot/bzImage", target: vmlinuz },
        { type: "symlink", path: "/boot/initramfs", target: initrd },
      ],
      guest: { cmdline: "kho=on liveupdate=on kho_scratch=32M,32M,32M" },
    });
    await using guest = await given.start();
    const { cmdline } = guest.announcement;
    const up = await guest.handoff("PATH=/ours:$PATH /selftests/do_kexec.sh");
    expect(up).toMatchObject({ token: given.token, cmdline });
    expect(await guest.check("dmesg")).toContain("KHO: found kexec handover data");
  },
);

vmTest(
  "the kernel's own test_kexec_load.sh, and the script on files, of Linux 7.2",
  { needs: ["debian-6.1", "kernel-source"] },
  async () => {
    const script = (file: string): GuestEntry => ({
      type: "host-file",
      path: `/selftests/${file}`,
      source: join(kernelSource, "kexec", file),
      mode: 0o755,
    });
    const { release, path } = kernel("debian-6.1");
    const given = scene({
      first: "debian-6.1",
      entries: [
        called,
        ...["test_kexec_load.sh", "test_kexec_file_load.sh", "kexec_common_lib.sh"].map(script),
        {
          type: "host-file",
          path: `/lib/modules/${release}/config`,
          source: path.replace("vmlinuz-", "config-"),
        },
        text("/usr/bin/pesign", "#!/bin/sh\necho 'The signer is in this image.'\n", 0o755),
        text("/usr/bin/getfattr", "#!/bin/sh\nexit 1\n", 0o755),
      ],
    });
    await using guest = await given.start();
    await guest.check(`ln -s ${vmlinuz} /boot/vmlinuz-$(uname -r)`);
    for (const [file, verdict] of [
      ["test_kexec_load.sh", "kexec_load succeeded [PASS]"],
      ["test_kexec_file_load.sh", "kexec_file_load succeeded [PASS]"],
    ] as const) {
      const { exit, stdout } = await guest.run(`cd /selftests; PATH=/ours:$PATH ./${file}`);
      expect(`${exit} ${stdout.trim().split("\n").at(-1)}`).toBe(`0 ${verdict}`);
    }
  },
);

const kdump = packageFolder("kdump-tools:amd64");

/** A shell function of Debian's kdump-config as it stands there. */
function kdumpFunction(name: string): string {
  const config = readFileSync(join(kdump.folder, "usr/sbin/kdump-config"), "utf8");
  const found = new RegExp(`^${name}\\(\\)\\n\\{\\n[\\s\\S]*?^\\}\\n`, "m").exec(config)?.[0];
  if (found === undefined) throw new Error(`kdump-config has no ${name}`);
  return found;
}

/** kdump-config's own load and unload; what they need of the rest of the system is told to them. */
function kdumpConfig(folder: string, secure: boolean): string {
  return `${kdumpFunction("kdump_load")}${kdumpFunction("kdump_unload")}
log_success_msg() { echo "$@"; }
log_failure_msg() { echo "$@"; }
logger() { :; }
file() { echo "$1: Linux kernel x86 boot executable bzImage"; }
apply_panic_triggers() { :; }
check_secure_boot() { ${secure}; }
check_securelevel() { false; }
KEXEC=${folder}/kexec NAME=kdump-tools ARCH=x86_64 kexec_cmd_file=/tmp/kexec_cmd
KDUMP_KERNEL=${vmlinuz} KDUMP_INITRD=${initrd}
KDUMP_CMDLINE_APPEND="reset_devices nr_cpus=1 irqpoll usbcore.nousb"
`;
}

const crashScene = (mark: string) =>
  scene({
    first: "debian-6.1",
    next: "shared-x86_64",
    entries: [called],
    initramfs: { programs: programs() },
    guest: { memory: 1024, cmdline: `crashkernel=192M ${mark}` },
  });

const panic = "echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger";

/** The kernel that loads a crash kernel puts the place of its headers in front of the line. */
function withoutHeaders(cmdline: string): string {
  return cmdline.replace(/^elfcorehdr=0x[0-9a-f]+ /, "");
}

const crashNeeds = ["debian-6.1", "shared-x86_64", kdump.need, theirs.need] as const;

for (const [name, folder] of Object.entries(tools)) {
  vmTest(`kdump-tools loads and unloads with ${name}`, { needs: crashNeeds }, async () => {
    const mark = unique();
    const given = crashScene(mark);
    await using guest = await given.start();
    const crashLoaded = () => guest.check("cat /sys/kernel/kexec_crash_loaded");
    for (const secure of [false, true]) {
      const config = kdumpConfig(folder, secure);
      expect(await guest.check(`${config}kdump_load`)).toBe("loaded kdump kernel\n");
      expect(await crashLoaded()).toBe("1\n");
      expect(await guest.check(`${config}kdump_unload`)).toBe("unloaded kdump kernel\n");
      expect(await crashLoaded()).toBe("0\n");
    }
    await guest.check(`${kdumpConfig(folder, true)}kdump_load`);
    const up = await guest.handoff(panic);
    expect(up.token).toBe(given.token);
    expect(withoutHeaders(up.cmdline)).toBe(
      `${consoleArguments("x86_64")} ${mark} reset_devices nr_cpus=1 irqpoll usbcore.nousb`,
    );
  });

  vmTest(`a crash kernel with --reuse-cmdline by ${name}`, { needs: crashNeeds }, async () => {
    const mark = unique();
    const given = crashScene(mark);
    await using guest = await given.start();
    await guest.check(
      `${folder}/kexec -s -p ${vmlinuz} --initrd=${initrd} --reuse-cmdline --append=more`,
    );
    const up = await guest.handoff(panic);
    expect(up.token).toBe(given.token);
    expect(withoutHeaders(up.cmdline)).toBe(`${consoleArguments("x86_64")} ${mark} more`);
  });
}
