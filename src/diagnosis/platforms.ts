/** Platforms on which a handover is known to go wrong, each with its source: facts, and no refusals. Pure. */
import type { Platform } from "../machine/platform.ts";

export interface KnownPlatform {
  /** A stable word. */
  readonly id: string;
  readonly name: string;
  /** What can happen, and on which kernels. */
  readonly why: string;
  /** What helps, where something does. */
  readonly hint: string | null;
  readonly source: string;
}

interface Row extends KnownPlatform {
  readonly matches: (platform: Platform) => boolean;
}

type Version = readonly [major: number, minor: number];

/** Whether a release is older; one that cannot be read is none. */
function before(release: string, [major, minor]: Version): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  if (first === undefined) return false;
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}

const rows: readonly Row[] = [
  {
    id: "hyper-v",
    name: "Hyper-V, Azure among it",
    matches: ({ vendor, product }) =>
      vendor === "Microsoft Corporation" && product === "Virtual Machine",
    why: "the hypervisor goes on writing to pages that it shared with this kernel, unless each is taken back; next kernels have hung, and hyperv_fb timed out",
    hint: "use a next kernel with hyperv_drm in the initramfs, and keep a serial line",
    source:
      "Documentation/virt/hyperv/overview.rst; github.com/systemd/systemd/issues/20072; github.com/nix-community/nixos-anywhere/issues/400",
  },
  {
    id: "tdx-host-erratum",
    name: "a TDX host whose processor has the erratum tdx_pw_mce",
    matches: ({ bugs, release }) => bugs.includes("tdx_pw_mce") && before(release, [7, 2]),
    why: "memory that TDX has used and not given back raises machine checks in the next kernel; Linux 7.2 gives it back, earlier ones may not",
    hint: "reboot through firmware where guests with TDX have run",
    source: "arch/x86/virt/vmx/tdx/tdx.c (tdx_sys_disable, tdx_quirk_reset_paddr)",
  },
  {
    id: "tdx-guest",
    name: "a TDX guest",
    matches: ({ flags, release }) => flags.includes("tdx_guest") && before(release, [6, 11]),
    why: "before Linux 6.11 memory that is shared with the host is not made private again, and the next kernel crashes on it",
    hint: "use Linux 6.11 or later on both sides",
    source: "arch/x86/coco/tdx/tdx.c (tdx_kexec_begin, tdx_kexec_finish)",
  },
  {
    id: "xen-pv",
    name: "a paravirtualised Xen guest, or Xen's first domain",
    matches: ({ xen }) => xen === "PV",
    why: "its kernel does not own the machine: kexec goes by hypercalls there",
    hint: "use kexec-tools with --load-live-update or Xen's own reboot",
    source: "kexec(8) of kexec-tools (--exec-live-update); kexec/kexec-xen.c",
  },
  {
    id: "arm64-spin-table",
    name: "an arm64 board whose firmware has no PSCI (spin-table)",
    matches: ({ enableMethods }) => enableMethods.includes("spin-table"),
    why: "processors cannot be switched off, and the kernel refuses a load while more than one runs (EBUSY: CPUs are stuck in the kernel)",
    hint: "boot the running kernel with maxcpus=1, or use firmware with PSCI",
    source: "arch/arm64/kernel/machine_kexec.c (machine_kexec_prepare)",
  },
  {
    id: "arm64-gic-lpi",
    name: "an arm64 board with GICv3 interrupts for messages, started without EFI",
    matches: ({ gicIts, efi }) => gicIts && !efi,
    why: "the interrupt controller goes on writing to tables that the next kernel knows nothing of: memory may be corrupted",
    hint: "start it by EFI, which hands the tables over",
    source:
      'drivers/irqchip/irq-gic-v3-its.c ("Booted with LPIs enabled, memory probably corrupted")',
  },
  {
    id: "megaraid-sas",
    name: "a MegaRAID SAS controller",
    matches: ({ drivers }) => drivers.includes("megaraid_sas"),
    why: "its firmware is not reset by a handover, and may take some forty seconds to come to its ready state; the next kernel resets the oldest series only with reset_devices",
    hint: "wait for it, or add reset_devices to the next command line",
    source:
      "drivers/scsi/megaraid/megaraid_sas_base.c (reset_devices); github.com/linuxboot/heads/issues/253",
  },
  {
    id: "gpu",
    name: "a graphics device that its driver has set up",
    matches: ({ drivers }) =>
      drivers.some((name) => /^(amdgpu|radeon|nouveau|i915|xe)$/.test(name)),
    why: "a handover does not reset it, and its driver in the next kernel finds it as it was left",
    hint: "--quiesce gpu, or nomodeset on the next command line",
    source: "Linux commit 310326bb7df4 (kexec reboot does not reset PCI devices)",
  },
];

/** Those that this machine is one of. */
export function knownPlatforms(platform: Platform): readonly KnownPlatform[] {
  return rows
    .filter(({ matches }) => matches(platform))
    .map(({ id, name, why, hint, source }) => ({ id, name, why, hint, source }));
}
