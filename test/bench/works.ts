/** What is measured: each work, and every program that does it. */

export const workNames = [
  "start-up",
  "take-in",
  "plain-1",
  "plain-60",
  "plain-200",
  "plain-1000",
  "joined",
  "verified-1",
  "verified",
  "verified-secret",
] as const;
export type WorkName = (typeof workNames)[number];

export const programNames = [
  "empty Bun program",
  "bare system call",
  "kexec-tools",
  "systemctl kexec",
  "cat + kexec-tools",
  "openssl dgst + bare system call",
  "minisign + kexec-tools",
  "minisign + cat + kexec-tools",
  "openssl + cat + kexec-tools",
  "aegis-kexec",
] as const;
export type ProgramName = (typeof programNames)[number];

export interface Contender {
  readonly program: ProgramName;
  /** A command, or a function of guest/today.sh with its arguments. */
  readonly command: string;
}

export interface Work {
  readonly name: WorkName;
  /** For the table. */
  readonly title: string;
  /** What aegis-kexec is compared with: the target of the work is a ratio to it. */
  readonly reference: ProgramName;
  /** A kernel must be loaded afterwards. */
  readonly loads: boolean;
  /** Quick, and tells of a loss as well as a larger one does: for every run of the tests. */
  readonly short?: true;
  readonly contenders: readonly Contender[];
}

/** In MiB; one part of the initramfs. The archives are so many parts, one behind the other. */
export const partSize = 20;

/** Ordinary for a machine that boots from a disk. */
export const cmdline = "root=LABEL=RESCUE ro quiet console=ttyS0";

/** Debian's kernel, and a small one for the short works. */
const debian = "/boot/vmlinuz";
const small = "/boot/small-vmlinuz";
const whole = "/boot/initrd.img";
const parts = ["/boot/part-1.img", "/boot/part-2.img", "/boot/part-3.img"];

function aegis(source: string, ...options: readonly string[]): Contender {
  return {
    program: "aegis-kexec",
    command: ["aegis-kexec load", source, ...options].join(" "),
  };
}

function floor(kernel: string, ...initrds: readonly string[]): Contender {
  return {
    program: "bare system call",
    command: `/bench/floor ${kernel} "$cmdline" ${initrds.join(" ")}`,
  };
}

function plain(kernel: string, initrd: string): Work["contenders"] {
  return [
    floor(kernel, initrd),
    { program: "kexec-tools", command: `kexec_tools ${kernel} ${initrd}` },
    aegis(kernel, `--initrd ${initrd}`, '--cmdline "$cmdline"'),
  ];
}

/** Its own loader, of the default boot entry. */
function systemd(kernel: string, initrd: string): Contender {
  return { program: "systemctl kexec", command: `systemctl_load ${kernel} ${initrd}` };
}

function verified(manifest: string, kernel: string, initrd: string): Work["contenders"] {
  return [
    {
      program: "openssl dgst + bare system call",
      command: `digest_then_load ${kernel} ${initrd}`,
    },
    { program: "minisign + kexec-tools", command: `minisign_then_load ${kernel} ${initrd}` },
    aegis(manifest, "--trust /etc/org.pub"),
  ];
}

export const works: readonly Work[] = [
  {
    name: "start-up",
    title: "start and say the version",
    reference: "empty Bun program",
    loads: false,
    short: true,
    contenders: [
      { program: "empty Bun program", command: "/bench/empty" },
      { program: "kexec-tools", command: "kexec --version" },
      { program: "aegis-kexec", command: "aegis-kexec --version" },
    ],
  },
  {
    name: "take-in",
    title: "take in the code of a load and say the version",
    reference: "empty Bun program",
    loads: false,
    short: true,
    contenders: [
      { program: "empty Bun program", command: "/bench/empty" },
      { program: "aegis-kexec", command: "aegis-kexec load --version" },
    ],
  },
  {
    name: "plain-1",
    title: "load a small kernel and an initramfs of 1 MiB",
    reference: "kexec-tools",
    loads: true,
    short: true,
    contenders: [...plain(small, "/boot/small.img"), systemd(small, "/boot/small.img")],
  },
  {
    name: "plain-60",
    title: "load a kernel and an initramfs of 60 MiB",
    reference: "kexec-tools",
    loads: true,
    contenders: [...plain(debian, whole), systemd(debian, whole)],
  },
  {
    name: "plain-200",
    title: "load a kernel and an initramfs of 200 MiB",
    reference: "kexec-tools",
    loads: true,
    contenders: plain(debian, "/boot/large.img"),
  },
  {
    name: "plain-1000",
    title: "load a kernel and an initramfs of 1000 MiB",
    reference: "kexec-tools",
    loads: true,
    contenders: plain(debian, "/boot/huge.img"),
  },
  {
    name: "joined",
    title: `load with three archives of ${partSize} MiB joined`,
    reference: "cat + kexec-tools",
    loads: true,
    contenders: [
      floor(debian, ...parts),
      { program: "cat + kexec-tools", command: `join_then_load ${debian} ${parts.join(" ")}` },
      aegis(debian, ...parts.map((part) => `--initrd ${part}`), '--cmdline "$cmdline"'),
    ],
  },
  {
    name: "verified-1",
    title: "verify a small kernel and an initramfs of 1 MiB, load",
    reference: "minisign + kexec-tools",
    loads: true,
    short: true,
    contenders: verified("/boot/small.json", small, "/boot/small.img"),
  },
  {
    name: "verified",
    title: "verify kernel and initramfs of 60 MiB, load",
    reference: "minisign + kexec-tools",
    loads: true,
    contenders: verified("/boot/boot.json", debian, whole),
  },
  {
    name: "verified-secret",
    title: "verify, append a secret, load",
    reference: "minisign + cat + kexec-tools",
    loads: true,
    contenders: [
      {
        program: "minisign + cat + kexec-tools",
        command: `minisign_join_load ${debian} ${whole} /root/key.cpio`,
      },
      {
        program: "openssl + cat + kexec-tools",
        command: `openssl_join_load ${debian} ${whole} /root/key.cpio`,
      },
      aegis("/boot/boot.json", "--trust /etc/org.pub", "--secret /root/key:/run/disk.key"),
    ],
  },
];

/** The work of that name. */
export function workNamed(name: WorkName): Work {
  const work = works.find((one) => one.name === name);
  if (work === undefined) throw new Error(`no work ${name}`);
  return work;
}
