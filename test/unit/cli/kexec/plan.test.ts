import { describe, expect, test } from "bun:test";
import { checkImageType } from "../../../../src/cli/kexec/image-type.ts";
import { planOf } from "../../../../src/cli/kexec/plan.ts";
import { KexecError } from "../../../../src/errors.ts";
import { told } from "./told.ts";

describe("kexec-tools' meanings", () => {
  const rows: [string, string][] = [
    ["K", "load K, shutdown"],
    ["", "load (none), shutdown"],
    ["-l K", "load K"],
    ["-s -l K", "load K"],
    ["-sl K", "load K"],
    ["-a --load K", "load K"],
    ["K -l --initrd=I --append=A", "load K initrd=I append=A"],
    ["-l K --ramdisk I --command-line A", "load K initrd=I append=A"],
    ["-l K --reuse-cmdline", "load K reuse"],
    ["-l K --reuse-cmdline --append=A", "load K reuse append=A"],
    [
      "-l K --app=A --com=B --ini=I",
      "load K initrd=I append=B, warns: --command-line: the last one given counts",
    ],
    ["-l K --initrd=I --ramdisk=J", "load K initrd=J, warns: --ramdisk: the last one given counts"],
    ["-l K --append=", "load K append="],
    [
      "-l K --console-vga",
      "load K, warns: --console-vga has no effect: the kernel brings its own purgatory, which drives no screen or serial line",
    ],
    ["-f K", "load and exec K"],
    ["-fy K", "load and exec K, no sync"],
    ["-l -f K", "load and exec K"],
    ["-f -l K", "load K"],
    ["-e -f K", "load and exec K"],
    ["-e", "exec"],
    ["-f -e", "exec"],
    ["-e --no-sync -x", "exec, no sync"],
    ["-l -e", "exec"],
    ["-e -l K", "load K"],
    ["-p K", "load crash K"],
    ["-p K --initrd=I --reset-vga --append=x", "load crash K initrd=I append=x"],
    [
      "-p K --hotplug",
      "load crash K, warns: --hotplug has no effect: with kexec_file_load(2) the kernel keeps a crash kernel up to date by itself",
    ],
    [
      "-l K --no-cma",
      "load K, warns: --no-cma has no effect: the kernel chooses where its copies of the files lie",
    ],
    [
      "-l K --force-dtb",
      "load K, warns: --force-dtb has no effect: the kernel passes a device tree on where it needs one",
    ],
    ["-s K", "load K, shutdown"],
    ["-l -p K", "load crash K"],
    ["-p -l K", "load crash K"],
    ["-f -p K", "load crash K"],
    ["-p -e", "exec"],
    ["-u", "unload"],
    ["-p -u", "unload crash"],
    ["-s -p -u", "unload crash"],
    ["-u -p", "unload crash, load crash (none)"],
    ["-u -l K", "unload, load K"],
    ["-l -u", "unload"],
    ["-u -e", "unload, exec"],
    ["-d -l K", "load K, debug"],
    ["-i -l K", "load K"],
    ["-x -l K", "load K"],
    ["--elf64-core-headers --args-linux -p K", "load crash K"],
    ["-t bzImage -l K", "load K type=bzImage"],
    ["--ty bzImage64 -l K", "load K type=bzImage64"],
    ["-c -s -l K", "load K"],
    ["-c -a -l K", "load K"],
    ["-c -e", "exec"],
    ["-S", "status of the crash kernel"],
    ["-l -S", "status"],
    ["-S -l K", "status"],
    ["-p -S", "status of the crash kernel"],
    ["-p -l -S", "status of the crash kernel"],
    ["-c -S", "status of the crash kernel"],
    ["-u -S", "status of the crash kernel"],
    ["--print-ckr-size", "print-crash-size"],
    ["-v", "version"],
    ["--ver", "version"],
    ["-l K -v", "version"],
    ["-v --foo", "version"],
    ["-c -l K -v", "version"],
    ["-h", "help"],
    ["-?", "help after a question"],
    ["-h -v", "help"],
    ["-l -- -K", "load -K"],
  ];
  for (const [line, plan] of rows) {
    test(line, () => {
      expect(told(planOf(line === "" ? [] : line.split(" "), "x86_64"))).toBe(plan);
    });
  }
});

function refusal(line: string, architecture: "x86_64" | "aarch64"): string {
  try {
    return `not refused: ${told(planOf(line.split(" "), architecture))}`;
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.code).toBe("usage");
    expect(error.hint).toBeString();
    return error.message;
  }
}

describe("refused by name and reason", () => {
  const rows: [string, RegExp][] = [
    ["-c -l K", /^--kexec-syscall \(-c\) is not supported: .*kexec_load/],
    ["-s -c -l K", /^--kexec-syscall \(-c\)/],
    ["-c -u", /^--kexec-syscall \(-c\)/],
    ["-c K", /^--kexec-syscall \(-c\)/],
    ["--dtb=D -l K", /^--dtb is not supported: .*device tree/],
    ["--mem-min=1 -l K", /^--mem-min is not supported: /],
    ["--mem-max 1 -l K", /^--mem-max is not supported: /],
    ["--entry=0 -l K", /^--entry is not supported: /],
    ["--real-mode -l K", /^--real-mode is not supported: .*64-bit/],
    ["--entry-32bit -l K", /^--entry-32bit is not supported: /],
    ["--serial=ttyS0 -l K", /^--serial is not supported: /],
    ["--elf32-core-headers -p K", /^--elf32-core-headers is not supported: /],
    ["--load-preserve-context K", /^--load-preserve-context is not supported: /],
    ["--load-j K", /^--load-jump-back-helper is not supported: /],
    ["--reuseinitrd -l K", /^--reuseinitrd is not supported: .*--initrd/],
    ["--reuse-initrd -l K", /^--reuse-initrd is not supported: .*--initrd/],
    ["--exec-live-update", /^--exec-live-update is not supported: .*Xen/],
    ["-l K --initrd= --append=x", /^--initrd= is empty$/],
    ["--noefi -l K", /^--noefi is not supported: /],
    ["--module=m -l K", /^--module is not supported: /],
    ["--foo -l K", /^unrecognized option '--foo'$/],
    ["-l K --re", /^option '--re' is ambiguous; possibilities: '--reuseinitrd' '--reset-vga'/],
    [
      "-l K --s",
      /^option '--s' is ambiguous; possibilities: '--status' '--serial' '--serial-baud'$/,
    ],
    ["-u --append=x", /^--append is given, and nothing is to be loaded$/],
    ["-e --initrd=x", /^--initrd is given, and nothing is to be loaded$/],
    ["-S --reuse-cmdline", /^--reuse-cmdline is given, and nothing is to be loaded$/],
    ["-l K quiet", /^unexpected argument quiet$/],
    ["-l K -e", /^unexpected argument K: nothing is to be loaded$/],
    ["-u K", /^unexpected argument K: nothing is to be loaded$/],
    ["-p K -f", /crash kernel/],
  ];
  for (const [line, message] of rows) {
    test(line, () => {
      expect(refusal(line, "x86_64")).toMatch(message);
    });
  }
});

test("a word that a quote made of an option is to blame itself", () => {
  for (const words of [
    ["-l", "K", " -s"],
    [" -s", "-l", "K"],
    ["-l", "K", "\t--initrd=I"],
  ]) {
    expect(() => planOf(words, "x86_64")).toThrow("it begins with a blank, and so it is no option");
  }
  expect(() => planOf(["-l", "K", ""], "x86_64")).toThrow("an argument is empty");
});

describe("aarch64 has other options", () => {
  const plans: [string, string][] = [
    ["-l K --c=A", "load K append=A"],
    ["-tImage -l K", "load K type=Image"],
    ["--deb -l K", "load K, debug"],
  ];
  for (const [line, plan] of plans) {
    test(line, () => {
      expect(told(planOf(line.split(" "), "aarch64"))).toBe(plan);
    });
  }
  const refusals: [string, RegExp][] = [
    ["--d -l K", /^option '--d' is ambiguous; possibilities: '--debug' '--dtb'$/],
    ["--dtb D -l K", /^--dtb is not supported: /],
    ["--console-serial -l K", /^--console-serial is not supported: /],
  ];
  for (const [line, message] of refusals) {
    test(line, () => {
      expect(refusal(line, "aarch64")).toMatch(message);
    });
  }
});

describe("image types", () => {
  for (const [type, architecture] of [
    [undefined, "x86_64"],
    ["bzImage", "x86_64"],
    ["bzImage64", "x86_64"],
    ["Image", "aarch64"],
  ] as const) {
    test(`${type} on ${architecture} is taken`, () => {
      expect(() => checkImageType(type, architecture)).not.toThrow();
    });
  }
  for (const [type, architecture, message] of [
    ["elf-x86_64", "x86_64", "--type=elf-x86_64 is not supported: kexec_file_load(2)"],
    ["vmlinux", "aarch64", "--type=vmlinux is not supported: kexec_file_load(2)"],
    ["bzImage", "aarch64", "unsupported kernel type bzImage"],
    ["Image", "x86_64", "unsupported kernel type Image"],
    ["bzimage", "x86_64", "unsupported kernel type bzimage"],
    ["", "x86_64", "unsupported kernel type "],
  ] as const) {
    test(`${type} on ${architecture} is refused`, () => {
      expect(() => checkImageType(type, architecture)).toThrow(message);
    });
  }
});
