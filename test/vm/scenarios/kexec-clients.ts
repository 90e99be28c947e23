/**
 * Command lines of programs that call kexec, as their sources build them, with what each means: taken from the
 * repositories that `who` names. Values that they take from elsewhere are made up.
 */
import type { Row } from "./kexec-table.ts";

export interface Client extends Row {
  /** The program and the file of it that has the line. */
  readonly who: string;
  /** The plan, as the unit tests tell it: K the kernel, I its initramfs. */
  readonly plan: string;
  /** It would jump, or wait for a shutdown: only parsed. */
  readonly jumps?: true;
}

const kdump =
  "root=/dev/vda1 ro irqpoll nr_cpus=1 reset_devices novmcoredd kfence.sample_interval=0";
const nixos = "init=/nix/store/x-nixos-system/init console=ttyS0 loglevel=4";
const crashed = "init=/nix/store/x/init irqpoll maxcpus=1 reset_devices 1 boot.shell_on_fail";
const nothing = "Nothing has been loaded!";

export const clients: readonly Client[] = [
  // crash kernels
  {
    who: "rhkdump/kdump-utils: kdumpctl, load_kdump (x86_64's -s is of gen-kdump-sysconfig.sh)",
    line: `kexec -s -p --command-line="${kdump}" --initrd=$I $K`,
    plan: `load crash K initrd=I append=${kdump}`,
  },
  {
    who: "rhkdump/kdump-utils: dracut/99earlykdump/early-kdump.sh",
    line: `kexec  -s -p --command-line="${kdump}" --initrd=$I $K`,
    plan: `load crash K initrd=I append=${kdump}`,
  },
  {
    who: "rhkdump/kdump-utils: kdumpctl, stop_kdump under Secure Boot",
    line: "kexec -s -p -u",
    plan: "unload crash",
    before: "both",
  },
  {
    who: "rhkdump/kdump-utils: kdumpctl, stop_kdump",
    line: "kexec -p -u",
    plan: "unload crash",
    before: "crash",
  },
  {
    who: "Debian's kdump-tools: kdump-config, kdump_load",
    line: `kexec -p --command-line="${kdump} " --initrd=$I $K`,
    plan: `load crash K initrd=I append=${kdump} `,
  },
  {
    who: "Debian's kdump-tools: kdump-config, kdump_load under Secure Boot",
    line: `kexec -p -s --command-line="${kdump}" --initrd=$I $K`,
    plan: `load crash K initrd=I append=${kdump}`,
  },
  {
    who: "openSUSE/kdump: init/load.sh",
    line: `kexec -p $K --append="${kdump}  panic=1" --initrd=$I  -a`,
    plan: `load crash K initrd=I append=${kdump}  panic=1`,
  },
  {
    who: "openSUSE/kdump: init/unload.sh",
    line: "kexec -a -p -u",
    plan: "unload crash",
    before: "crash",
  },
  {
    who: "NixOS/nixpkgs: nixos/modules/misc/crashdump.nix",
    line: `kexec -p $K --initrd=$I --reset-vga --console-vga --command-line="${crashed}"`,
    plan: `load crash K initrd=I append=${crashed}, warns: --console-vga has no effect: the kernel brings its own purgatory, which drives no screen or serial line`,
  },
  // boot menus and firmware
  {
    who: "zbm-dev/zfsbootmenu: zfsbootmenu/lib/zfsbootmenu-core.sh, kexec_kernel",
    line: `kexec -a -l $K --initrd=$I --command-line="root=zfs:zroot/ROOT/void \\
          ro quiet loglevel=4"`,
    plan: "load K initrd=I append=root=zfs:zroot/ROOT/void           ro quiet loglevel=4",
  },
  {
    who: "zbm-dev/zfsbootmenu: the same, the jump",
    line: "kexec -e -i",
    plan: "exec",
    says: nothing,
  },
  {
    who: "linuxboot/heads: initrd/bin/kexec-boot.sh",
    line: 'kexec -l $K --initrd=$I --append="root=/dev/mapper/x ro intel_iommu=on "',
    plan: "load K initrd=I append=root=/dev/mapper/x ro intel_iommu=on ",
  },
  {
    who: "linuxboot/heads: the same with CONFIG_DEBUG_OUTPUT",
    line: 'kexec -d -l $K --initrd=$I --append="root=/dev/sda1"',
    plan: "load K initrd=I append=root=/dev/sda1, debug",
  },
  {
    who: "open-power/petitboot: discover/boot.c, kexec_load with no arguments of an option",
    line: "kexec -l --initrd=$I '--append=\"\"' $K",
    plan: 'load K initrd=I append=""',
  },
  {
    who: "open-power/petitboot: the same, its second try",
    line: "kexec -s --debug --initrd=$I --append=root=/dev/sda1 $K",
    plan: "load K initrd=I append=root=/dev/sda1, shutdown, debug",
    newest: {
      differs: {
        theirs: { exit: 253, loaded: false, shutdown: "" },
        ours: { exit: 0, loaded: true },
        because:
          "KEXEC_FILE_DEBUG is a flag that Linux before 6.7 refuses; here it is left out there",
      },
    },
  },
  {
    who: "osresearch/safeboot: initramfs/bootscript",
    line: 'kexec --load $K --initrd $I --command-line "console=ttyS0 root=LABEL=cloudimg-rootfs ro  "',
    plan: "load K initrd=I append=console=ttyS0 root=LABEL=cloudimg-rootfs ro  ",
  },
  {
    who: "kexecboot/kexecboot: kexecboot.c, start_kernel",
    line: 'kexec -l "--command-line= root=/dev/sda1 rootfstype=ext4 rootwait" $K',
    plan: "load K append= root=/dev/sda1 rootfstype=ext4 rootwait",
  },
  {
    who: "kexecboot/kexecboot: the same, the jump",
    line: "kexec -e -x",
    plan: "exec",
    says: nothing,
  },
  {
    who: "solemnwarning/kexec-loader: src/boot.c",
    line: "kexec -l $K --reset-vga --append=ro --initrd=$I",
    plan: "load K initrd=I append=ro",
  },
  // reboots
  {
    who: "systemd/systemd: src/systemctl/systemctl-start-special.c, load_kexec_kernel",
    line: 'kexec --load $K --append "root=UUID=1 rw" --initrd $I',
    plan: "load K initrd=I append=root=UUID=1 rw",
  },
  {
    who: "Debian's kexec-tools: /etc/init.d/kexec-load",
    line: 'kexec -l "$K" --initrd="$I" --append="root=/dev/sda1 ro quiet"',
    plan: "load K initrd=I append=root=/dev/sda1 ro quiet",
  },
  {
    who: "phantom-node/cryptreboot: lib/crypt_reboot/kexec/loader.rb",
    line: 'kexec -al $K --initrd $I --append "root=UUID=1 ro"',
    plan: "load K initrd=I append=root=UUID=1 ro",
  },
  {
    who: "phantom-node/cryptreboot: the same without a command line",
    line: "kexec -al $K --initrd $I --reuse-cmdline",
    plan: "load K initrd=I reuse",
  },
  {
    who: "sonic-net/sonic-utilities: scripts/fast-reboot, load_kernel",
    line: 'kexec -l "$K" --initrd="$I" --append="BOOT_IMAGE=/image/vmlinuz root=UUID=1 SONIC_BOOT_TYPE=warm" -a',
    plan: "load K initrd=I append=BOOT_IMAGE=/image/vmlinuz root=UUID=1 SONIC_BOOT_TYPE=warm",
  },
  {
    who: "sonic-net/sonic-utilities: the same, load_kernel_secure",
    line: 'kexec -l "$K" --initrd="$I" --append="root=UUID=1" -s',
    plan: "load K initrd=I append=root=UUID=1",
  },
  {
    who: "sonic-net/sonic-utilities: the same, unload_kernel",
    line: "kexec -u -a",
    plan: "unload",
    before: "reboot",
  },
  {
    who: "ArchWiki: kexec-load@.service",
    line: "kexec -l $K --initrd=$I --reuse-cmdline",
    plan: "load K initrd=I reuse",
  },
  {
    who: "yuju-huang/OmniVisor: host/util_script/kboot.sh without words",
    line: 'kexec -l -t bzImage $K --initrd=$I --reuse-cmdline --append=""',
    plan: "load K type=bzImage initrd=I reuse append=",
  },
  {
    who: "coreos/bootengine: kexec of another /usr",
    line: 'kexec --reuse-cmdline --append="root=/dev/sda3" --load $K',
    plan: "load K reuse append=root=/dev/sda3",
  },
  {
    who: "RROrg/rr: the boot script of a loader",
    line: "kexec -f -e",
    plan: "exec",
    says: nothing,
  },
  {
    who: "a script that hands /proc/cmdline on as it was read",
    line: `kexec -l $K --initrd=$I "--append=root=/dev/sda1
"`,
    plan: "load K initrd=I append=root=/dev/sda1",
  },
  // installers
  {
    who: "nix-community/nixos-images: nix/kexec-installer/kexec-run.sh",
    line: `kexec --load $K --kexec-syscall-auto --initrd=$I --no-checks --command-line '${nixos}'`,
    plan: `load K initrd=I append=${nixos}`,
  },
  {
    who: "NixOS/nixpkgs: nixos/modules/installer/netboot/kexec-boot.sh",
    line: `kexec --load --initrd="$I" --command-line="${nixos}" -- "$K"`,
    plan: `load K initrd=I append=${nixos}`,
  },
  {
    who: "mlyxshi/flake: kexec/README.md",
    line: 'kexec --initrd=$I --load $K --append="root=fstab systemd.set_credential_binary=x:AA=="',
    plan: "load K initrd=I append=root=fstab systemd.set_credential_binary=x:AA==",
  },
  {
    who: "theforeman/smart_proxy_discovery_image: power API, kexec",
    line: 'kexec --force --reset-vga --append="ks=http://x" --initrd=$I $K',
    plan: "load and exec K initrd=I append=ks=http://x",
    jumps: true,
  },
  // tests of the kernel
  {
    who: "torvalds/linux: tools/testing/selftests/liveupdate/do_kexec.sh",
    line: "kexec -l -s --reuse-cmdline $K --initrd=$I",
    plan: "load K initrd=I reuse",
  },
  {
    who: "torvalds/linux: tools/testing/selftests/kexec/test_kexec_file_load.sh",
    line: "kexec --load --kexec-file-syscall $K",
    plan: "load K",
  },
  {
    who: "torvalds/linux: the same, afterwards",
    line: "kexec --unload --kexec-file-syscall",
    plan: "unload",
    before: "reboot",
  },
  {
    who: "linux-test-project/ltp: ima_kexec.sh",
    line: "kexec -s -l $K --reuse-cmdline",
    plan: "load K reuse",
  },
  {
    who: "linux-test-project/ltp: the same, afterwards",
    line: "kexec -su",
    plan: "unload",
    before: "reboot",
  },
  {
    who: "avocado-framework-tests/avocado-misc-tests: kernel/kexec.py",
    line: 'kexec -f $K --initrd $I --append="root=/dev/sda1 ro"',
    plan: "load and exec K initrd=I append=root=/dev/sda1 ro",
    jumps: true,
  },
  {
    who: "a supervisor that hands open files over",
    line: 'kexec --kexec-file-syscall --load /proc/self/fd/3 --initrd=/proc/self/fd/4 --command-line="root=/dev/dm-0 ro" 3<$K 4<$I',
    plan: "load /proc/self/fd/3 initrd=/proc/self/fd/4 append=root=/dev/dm-0 ro",
  },
];
