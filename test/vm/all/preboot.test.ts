/** The many ways from power-on to a generation: each file system, each bus, both architectures, Secure Boot. */
import { expect } from "bun:test";
import { copyFileSync } from "node:fs";
import { unique } from "../lib/aegis.ts";
import { temporaryPath } from "../lib/host.ts";
import { text } from "../lib/initramfs.ts";
import { type KernelName, kernel } from "../lib/kernels.ts";
import { diskModules } from "../lib/module-tree.ts";
import { enrolledKey, firmware, secureBootNeeds, signed } from "../lib/secureboot.ts";
import {
  type Bus,
  bareArchive,
  busyboxFile,
  consoleOfFailure,
  disk,
  emptyDisk,
  ext4Store,
  type FileSystem,
  fileSystems,
  fillDisks,
  generation,
  startPreboot,
  systems,
} from "../lib/stores.ts";
import { type Need, vmTest } from "../lib/suite.ts";

const tools: readonly Need[] = [
  "tool:depmod",
  ...fileSystems.map((type): Need => `tool:${systems[type].make[0]}`),
];
const full = "debian-6.12-full";

/** Images with generations 7 and 6, made once for each architecture. */
const filled = new Map<string, Promise<{ token: string; images: Map<FileSystem, string> }>>();

function stores(next: KernelName) {
  const known = filled.get(next) ?? fill(next);
  filled.set(next, known);
  return known;
}

async function fill(next: KernelName) {
  const token = unique();
  const images = new Map(fileSystems.map((type) => [type, emptyDisk(type)] as const));
  await fillDisks([...images], {
    "7+3": generation({ generation: 7, name: next, token }),
    "6": generation({ generation: 6, name: next, token: "older" }),
  });
  return { token, images };
}

for (const [first, next, ways] of [
  [
    full,
    "shared-x86_64",
    [
      ["ext4", "usb"],
      ["xfs", "virtio"],
      ["btrfs", "ahci"],
      ["vfat", "usb"],
      ["exfat", "nvme"],
    ],
  ],
  [
    "aarch64-full",
    "shared-aarch64",
    [
      ["ext4", "virtio"],
      ["xfs", "nvme"],
      ["btrfs", "usb"],
      ["vfat", "ahci"],
      ["exfat", "virtio"],
    ],
  ],
] as const satisfies readonly (readonly [
  KernelName,
  KernelName,
  readonly (readonly [FileSystem, Bus])[],
])[]) {
  for (const [type, bus] of ways) {
    vmTest(
      `${first} boots the newest generation from ${type} on ${bus}`,
      { needs: [first, next, full, ...tools], timeout: 900 },
      async () => {
        const { token, images } = await stores(next);
        const image = temporaryPath(`${type}.img`);
        copyFileSync(images.get(type) ?? "", image);
        const { arch } = kernel(first);
        await using guest = await startPreboot(first, {
          initramfs: await bareArchive(first),
          words: `LABEL=${type.toUpperCase()}:/generations`,
          disks: disk(bus, image),
        });
        expect({ arch, token: guest.announcement.token }).toEqual({ arch, token });
        expect(guest.announcement.cmdline).toContain(" gen=7 aegis_kexec.from=UUID=");
        expect(guest.serialLog()).not.toContain("warning:");
      },
    );
  }
}

vmTest(
  "modprobe loads them where it is there, and --no-modules leaves the disk unseen",
  { needs: [full, "shared-x86_64", ...tools], timeout: 900 },
  async () => {
    const token = unique();
    const image = ext4Store({ "7": generation({ generation: 7, name: "shared-x86_64", token }) });
    // Before the first process the kernel has none of its own, and this leaves a plain file at /dev/kmsg.
    const modprobe =
      '#!/bin/busybox sh\necho modprobe was here >/dev/kmsg\nexec /bin/busybox modprobe "$@"\n';
    const more = [busyboxFile("x86_64"), text("/sbin/modprobe", modprobe, 0o755)];
    const initramfs = await bareArchive(full, { more });
    const words = "LABEL=STORE:/generations";
    await using guest = await startPreboot(full, { initramfs, words, disks: disk("usb", image) });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.serialLog()).toContain("modprobe was here");
    expect(guest.serialLog()).toContain("usb-storage");
    await guest.stop();
    const without = await consoleOfFailure(
      startPreboot(full, {
        initramfs: await bareArchive(full),
        words: `${words} --no-modules --wait 2`,
        disks: disk("virtio", image),
      }),
    );
    expect(without).toContain("no disk was seen: is its driver loaded?");
  },
);

vmTest(
  "boots under UEFI Secure Boot with lockdown, and names a module that is refused",
  { needs: [...secureBootNeeds, full, "debian-6.12", ...tools], timeout: 1200 },
  async () => {
    const key = await enrolledKey();
    const token = unique();
    const image = await signed(kernel("debian-6.12").path, key);
    const store = ext4Store({
      "7+3": generation({ generation: 7, name: "debian-6.12", image, token }),
    });
    await using guest = await startPreboot(full, {
      image: await signed(kernel(full).path, key),
      initramfs: await bareArchive(full, {
        modules: [...diskModules, "i2c_i801"],
        unsigned: ["i2c_i801"],
      }),
      words: "LABEL=STORE:/generations",
      disks: disk("nvme", store),
      firmware,
      bootTimeout: 700,
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(await guest.check("cat /sys/kernel/security/lockdown")).toContain("[integrity]");
    expect(guest.serialLog()).toMatch(
      /the module i2c_i801 was not loaded: it is not signed, and this kernel takes only signed ones/,
    );
  },
);

vmTest(
  "a generation that hangs: the watchdog, the firmware, the preboot, and the one before",
  { needs: [full, "shared-x86_64", ...tools], timeout: 1200 },
  async () => {
    const token = unique();
    const name = "shared-x86_64";
    const hang = text("/init", "#!/bin/sh\nexec sleep 100000\n", 0o755);
    const store = ext4Store({
      "7+2": generation({ generation: 7, name, token: "hangs", initramfs: { entries: [hang] } }),
      "6": generation({ generation: 6, name, token }),
    });
    await using guest = await startPreboot(full, {
      initramfs: await bareArchive(full, { modules: [...diskModules, "i6300esb"] }),
      words: "LABEL=STORE:/generations --watchdog 20",
      cmdline: "watchdog.stop_on_reboot=0",
      disks: [...disk("virtio", store), "-device", "i6300esb", "-action", "watchdog=reset"],
      reboot: true,
      bootTimeout: 900,
    });
    expect(guest.announcement).toMatchObject({ token });
    const log = guest.serialLog();
    // Two tries of the newest, then it is passed over.
    expect(log.split("handing over to the new kernel")).toHaveLength(4);
    expect(log).toContain("generation 7 (7+0-2) is passed over: it has no tries left");
  },
);
