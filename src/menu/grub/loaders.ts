/** Commands of GRUB that load, start or end something. Pure: what they would load is kept. */
import type { GrubCommand, Run } from "./run.ts";
import { GrubLeave, type Loaded } from "./state.ts";

/** What is loaded by them is no kernel that kexec_file_load(2) takes. */
const others: Readonly<Record<string, string>> = {
  multiboot: "a Multiboot kernel",
  multiboot2: "a Multiboot kernel",
  kernel: "a Multiboot kernel",
  xen_hypervisor: "the Xen hypervisor",
  ntldr: "Windows",
  freedos: "FreeDOS",
  plan9: "Plan 9",
  truecrypt: "TrueCrypt's loader",
  pxechainloader: "a PXE program",
  xnu_kernel: "macOS",
  xnu_kernel64: "macOS",
  xnu_resume: "macOS",
  knetbsd: "NetBSD",
  kopenbsd: "OpenBSD",
  kfreebsd: "FreeBSD",
  appleloader: "another boot loader",
};

/** What they have with them. */
const companions = [
  ...["module", "module2", "xen_module", "xen_linux", "xen_initrd", "xen_xsm"],
  ...["knetbsd_module", "knetbsd_module_elf", "kfreebsd_module", "kfreebsd_loadenv"],
  ...["kfreebsd_module_elf", "kopenbsd_ramdisk", "xnu_mkext", "xnu_kext", "xnu_kextdir"],
  ...["xnu_ramdisk", "xnu_splash", "xnu_devprop_load", "xnu_uuid"],
];

/** What ends GRUB, and what that comes to. */
const endings: Readonly<Record<string, string>> = {
  halt: "it switches the machine off",
  reboot: "it restarts the machine",
  exit: "it goes back to the firmware",
  fwsetup: "it opens the firmware's setup",
  normal_exit: "it leaves the menu",
  fwexit: "it goes back to the firmware",
};

export const loadCommands: Readonly<Record<string, GrubCommand>> = {
  ...Object.fromEntries(["linux", "linux16", "linuxefi"].map((name) => [name, loadLinux] as const)),
  ...Object.fromEntries(
    ["initrd", "initrd16", "initrdefi"].map((name) => [name, loadInitrds] as const),
  ),
  ...Object.fromEntries(Object.keys(others).map((name) => [name, loadOther] as const)),
  ...Object.fromEntries(companions.map((name) => [name, () => 0] as const)),
  ...Object.fromEntries(Object.keys(endings).map((name) => [name, end] as const)),
  chainloader: chainload,
  devicetree: loadDeviceTree,
  boot() {
    throw new GrubLeave("it boots before it has loaded anything");
  },
};

/** The first argument is a file; undefined after saying what is wrong. */
function fileOf(run: Run, args: readonly string[], line: number, name: string) {
  const [file] = args.filter((argument) => !/^--(no-mem-option|type=|force|bpb)/.test(argument));
  if (file === undefined || file === "") {
    run.fail(line, `${name} names no file`);
    return undefined;
  }
  const place = run.place(file);
  const why = run.devices.status(place)?.kind === "file" ? undefined : absenceOf(run, place.device);
  return { place: run.devices.resolve(place), why };
}

function absenceOf(run: Run, device: string): string {
  return run.devices.absence(device) ?? "it is not there";
}

function load(run: Run, loaded: Pick<Loaded, "kind" | "kernel" | "args" | "problem">): void {
  run.loaded = { ...loaded, initrds: [], initrdProblem: undefined, deviceTree: undefined };
}

function loadLinux(
  run: Run,
  args: readonly string[],
  { line }: { line: number },
  name: string,
): number {
  const file = fileOf(run, args, line, name);
  if (file === undefined) return 1;
  const { place, why } = file;
  const problem = why === undefined ? undefined : `its kernel ${place.path} cannot be used: ${why}`;
  load(run, { kind: "linux", kernel: place, args: args.slice(1), problem });
  return why === undefined ? 0 : 1;
}

function chainload(
  run: Run,
  args: readonly string[],
  { line }: { line: number },
  name: string,
): number {
  const file = fileOf(run, args, line, name);
  if (file === undefined) return 1;
  const { place, why } = file;
  // A sector of the disk: +1.
  const sector = /^\+?[0-9+,]*$/.test(place.path);
  const problem = sector
    ? "it starts the boot sector of a disk"
    : why === undefined
      ? undefined
      : `the program ${place.path} cannot be used: ${why}`;
  const behind = args.slice(args.findIndex((argument) => !argument.startsWith("--")) + 1);
  load(run, { kind: "chained", kernel: place, args: behind, problem });
  return 0;
}

function loadOther(
  run: Run,
  args: readonly string[],
  { line }: { line: number },
  name: string,
): number {
  const file = fileOf(run, args, line, name);
  if (file === undefined) return 1;
  const problem = `it starts ${others[name] ?? "something else"} (${name}), and kexec starts Linux only`;
  load(run, { kind: "other", kernel: file.place, args: args.slice(1), problem });
  return 0;
}

function loadInitrds(
  run: Run,
  args: readonly string[],
  { line }: { line: number },
  name: string,
): number {
  const { loaded } = run;
  if (loaded === undefined) return run.fail(line, `${name} stands before the kernel`);
  if (args.length === 0) return run.fail(line, `${name} names no file`);
  const made = args.find((argument) => argument.startsWith("newc:"));
  const places = args.map((argument) => {
    const path = argument.replace(/^newc:[^:]*:/, "");
    const place = run.place(path);
    const there = run.devices.status(place)?.kind === "file";
    const resolved = run.devices.resolve(place);
    return { resolved, why: there ? undefined : absenceOf(run, resolved.device) };
  });
  const missing = places.find(({ why }) => why !== undefined);
  // The last command counts: each puts its archives in the place of those before.
  loaded.initrds = places.map(({ resolved }) => resolved);
  loaded.initrdProblem =
    missing !== undefined
      ? `its initramfs ${missing.resolved.path} cannot be used: ${missing.why}`
      : made !== undefined
        ? `GRUB packs a file into its initramfs (${made}), which is not done here`
        : undefined;
  return missing === undefined ? 0 : 1;
}

function loadDeviceTree(run: Run, args: readonly string[], { line }: { line: number }): number {
  // Only GRUB for such machines has the command; elsewhere its error is shown, and the entry boots.
  if (run.start.cpu !== "arm64") return run.fail(line, "devicetree is no command of this platform");
  const file = fileOf(run, args, line, "devicetree");
  if (file === undefined) return 1;
  if (run.loaded !== undefined) run.loaded.deviceTree = file.place;
  return 0;
}

function end(_run: Run, _args: readonly string[], _command: unknown, name: string): never {
  throw new GrubLeave(endings[name] ?? name);
}
