/** What is measured: each work, and every program that does it. */

export const workNames = [
  "start-up",
  "plain-60",
  "plain-200",
  "plain-1000",
  "joined",
  "verified",
  "verified-secret",
] as const;
export type WorkName = (typeof workNames)[number];

export const programNames = [
  "empty Bun program",
  "bare system call",
  "kexec-tools",
  "cat + kexec-tools",
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
  readonly contenders: readonly Contender[];
}

/** In MiB; one part of the initramfs. The archives are so many parts, one behind the other. */
export const partSize = 20;

const vmlinuz = "/boot/vmlinuz";
/** Ordinary for a machine that boots from a disk. */
export const cmdline = "root=LABEL=RESCUE ro quiet console=ttyS0";
const parts = ["/boot/part-1.img", "/boot/part-2.img", "/boot/part-3.img"];

function aegis(source: string, ...options: readonly string[]): Contender {
  return {
    program: "aegis-kexec",
    command: ["aegis-kexec load", source, ...options].join(" "),
  };
}

function plain(megabytes: 60 | 200 | 1000, initrd: string): Work {
  return {
    name: `plain-${megabytes}`,
    title: `load a kernel and an initramfs of ${megabytes} MiB`,
    reference: "kexec-tools",
    loads: true,
    contenders: [
      { program: "bare system call", command: `/bench/floor ${vmlinuz} ${initrd} "$cmdline"` },
      { program: "kexec-tools", command: `kexec_tools ${initrd}` },
      aegis(vmlinuz, `--initrd ${initrd}`, '--cmdline "$cmdline"'),
    ],
  };
}

export const works: readonly Work[] = [
  {
    name: "start-up",
    title: "start and say the version",
    reference: "empty Bun program",
    loads: false,
    contenders: [
      { program: "empty Bun program", command: "/bench/empty" },
      { program: "kexec-tools", command: "kexec --version" },
      { program: "aegis-kexec", command: "aegis-kexec --version" },
    ],
  },
  plain(60, "/boot/initrd.img"),
  plain(200, "/boot/large.img"),
  plain(1000, "/boot/huge.img"),
  {
    name: "joined",
    title: `load with three archives of ${partSize} MiB joined`,
    reference: "cat + kexec-tools",
    loads: true,
    contenders: [
      { program: "cat + kexec-tools", command: `join_then_load ${parts.join(" ")}` },
      aegis(vmlinuz, ...parts.map((part) => `--initrd ${part}`), '--cmdline "$cmdline"'),
    ],
  },
  {
    name: "verified",
    title: "verify kernel and initramfs of 60 MiB, load",
    reference: "minisign + kexec-tools",
    loads: true,
    contenders: [
      { program: "minisign + kexec-tools", command: "minisign_then_load" },
      aegis("/boot/boot.json", "--trust /etc/org.pub"),
    ],
  },
  {
    name: "verified-secret",
    title: "verify, append a secret, load",
    reference: "minisign + cat + kexec-tools",
    loads: true,
    contenders: [
      { program: "minisign + cat + kexec-tools", command: "minisign_join_load" },
      { program: "openssl + cat + kexec-tools", command: "openssl_join_load" },
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
