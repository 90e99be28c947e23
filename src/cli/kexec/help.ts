/** What `kexec --help` and `kexec --version` print. */

import { version } from "../../version.ts";
import { spelling } from "../arguments/options.ts";
import { WIDTH, wrap } from "../output/layout.ts";
import { kexecOptions } from "./options.ts";

/** Told to whoever looks for kexec-tools' own line, without pretending to be it. */
export function versionLines(): string[] {
  return [`aegis-kexec ${version} (takes the options of kexec-tools 2.0.25 to 2.0.32)`];
}

export function helpLines(): string[] {
  const lines = text.trim().split("\n");
  return [
    ...versionLines(),
    ...lines.flatMap((line) => (line === WITHOUT_EFFECT ? idle() : [line])),
  ];
}

/** Every option that is taken and does nothing. */
function idle(): string[] {
  const names = kexecOptions("x86_64").flatMap(({ name, id }) =>
    "harmless" in id ? [spelling(name)] : [],
  );
  return wrap(`Accepted, without effect: ${names.join(", ")}.`, WIDTH);
}

const WITHOUT_EFFECT = "(without effect)";

const text = `
Usage: kexec [OPTION]... [KERNEL]
Load another kernel by kexec_file_load(2), and hand this machine over to it.

Without -l, -p, -e, -f or -u, KERNEL is loaded and the system is shut down by
"shutdown -r now", which ends in the loaded kernel where the init system knows
of it.

What to do:
  -l, --load              load KERNEL, and stop there
  -p, --load-panic        load KERNEL as the kernel that a panic starts
  -f, --force             load KERNEL and hand over at once, without a shutdown
  -e, --exec              hand over to the loaded kernel, without a shutdown
  -u, --unload            drop the loaded kernel; with -p in front of it, the
                          crash kernel
  -S, --status            exit with 1 if the crash kernel is loaded, with 0 if
                          not; with -l, the same of the other kernel
      --print-ckr-size    print the size of the memory for the crash kernel
  -h, --help              print this help
  -v, --version           print the version

What to load:
      --append=TEXT       the command line; with --reuse-cmdline, its end
      --command-line=TEXT the same
      --reuse-cmdline     the running kernel's command line, without what its
                          boot loader added; with -p, without crashkernel=
      --initrd=FILE       the initramfs
      --ramdisk=FILE      the same
  -t, --type=TYPE         the image's type: on x86_64 bzImage64 or bzImage,
                          on aarch64 Image or zImage; others are refused

How:
  -y, --no-sync           do not flush file systems before the handover
  -d, --debug             say what is done
  -s, --kexec-file-syscall, -a, --kexec-syscall-auto
                          accepted: there is no other way here

${WITHOUT_EFFECT}

The options of kexec-tools that need kexec_load(2), such as -c, --mem-min, --dtb
and --serial, are refused. /etc/aegis-kexec/policy.json applies.

Exit codes: 0 done (of -S: not loaded), 1 wrong use or nothing to hand over to,
253 the kernel does not take it, 255 failed.
`;
