/** What a label of syslinux starts: a kernel, or one of syslinux' own programs. Pure. */
import { parted, trimmed, wordsOf } from "../blanks.ts";
import type { MenuPlace } from "../host.ts";
import type { Label } from "./tree.ts";

export type Started =
  | {
      readonly kind: "linux";
      readonly kernel: MenuPlace;
      readonly initrds: readonly MenuPlace[];
      readonly cmdline: string;
      /** Why it is nothing for kexec. */
      readonly problem: string | undefined;
    }
  | { readonly kind: "config"; readonly file: MenuPlace }
  /** Another label is what it comes to on this machine. */
  | { readonly kind: "alias"; readonly label: string }
  | { readonly kind: "other"; readonly problem: string };

/** Programs that switch the machine off or look at it. */
const programs: Readonly<Record<string, string>> = {
  "chain.c32": "another boot loader",
  "xen.c32": "the Xen hypervisor",
  "poweroff.c32": "nothing: it switches the machine off",
  "reboot.c32": "nothing: it restarts the machine",
  memdisk: "an image as if it were a disk of the BIOS",
};

export function programOf(label: Label, resolve: (name: string) => MenuPlace): Started {
  const [file, behind] = parted(label.command);
  const append = label.append ?? "";
  switch (label.type) {
    case "localboot":
      return other("it boots from a disk of the machine (LOCALBOOT)");
    case "config":
      return { kind: "config", file: resolve(file) };
    case "boot":
    case "bss":
    case "pxe":
    case "fdimage":
      return other(`it starts a boot sector or a program of the BIOS (${label.type} ${file})`);
    case "fit":
      return other(`it starts an image of U-Boot (fit ${file})`);
    default:
  }
  const name = file.slice(file.lastIndexOf("/") + 1).toLowerCase();
  const line = trimmed(`${behind} ${append}`);
  switch (name) {
    case "menu.c32":
    case "vesamenu.c32": {
      const config = wordsOf(line).find((word) => !/^(~|--)/.test(word));
      return config === undefined
        ? other("it shows its own menu")
        : { kind: "config", file: resolve(config) };
    }
    case "linux.c32":
      return linux(label, line, resolve);
    case "ifcpu64.c32":
    case "ifcpu.c32": {
      // The first of the labels is the one for 64 bits.
      return { kind: "alias", label: before(wordsOf(line), "--").at(-1) ?? "" };
    }
    case "whichsys.c32": {
      // -pxe- A -sys- B -iso- C: the loader is not running, and the first two name the same menu.
      const words = wordsOf(line);
      const behindOf = (mark: string) => words[words.indexOf(mark) + 1 || words.length];
      const found = behindOf("-sys-") ?? behindOf("-iso-") ?? behindOf("-pxe-");
      return { kind: "alias", label: found ?? "" };
    }
    default:
  }
  if (name === "mboot.c32") return multiboot(label, line, resolve);
  const known = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (known !== undefined) return other(`it starts ${known} (${name})`);
  if (/\.(c32|com|cbt)$/.test(name)) return other(`it starts a program of syslinux (${name})`);
  if (/\.(0|bs|bss|img|bin)$/.test(name) && label.type === "kernel") {
    return other(`it starts a boot sector or a program of the BIOS (${name})`);
  }
  return linux(label, trimmed(`${file} ${line}`), resolve);
}

/** The first word is the kernel; what is behind it is the command line as it stands, blanks and quotes too. */
function linux(label: Label, command: string, resolve: (name: string) => MenuPlace): Started {
  const [kernel, cmdline] = parted(command);
  if (kernel === "") return other("it names no kernel");
  // The last initrd= counts: com32/lib/syslinux/load_linux.c; a line INITRD stands behind all others.
  const words = cmdline.includes("initrd=") ? wordsOf(cmdline) : [];
  const inLine = words.findLast((word) => word.startsWith("initrd="));
  const names = wordsOf(label.initrd ?? inLine?.slice("initrd=".length) ?? "");
  return {
    kind: "linux",
    kernel: resolve(kernel),
    initrds: names
      .flatMap((name) => name.split(","))
      .filter((name) => name !== "")
      .map(resolve),
    // A command line has no tab, quoted or not: a blank stands for it
    cmdline: cmdline.replaceAll("\t", " "),
    problem: undefined,
  };
}

/** mboot.c32: KERNEL WORDS --- MODULE WORDS --- MODULE. */
function multiboot(label: Label, line: string, resolve: (name: string) => MenuPlace): Started {
  const words = before(wordsOf(line), "---");
  const kernel = words[0]?.startsWith("-") === true ? words.slice(1) : words;
  const started = linux({ ...label, initrd: "" }, kernel.join(" "), resolve);
  const problem = "it starts a Multiboot kernel (mboot.c32)";
  return started.kind === "linux" ? { ...started, initrds: [], problem } : other(problem);
}

/** The words in front of the first one that is `mark`. */
function before(words: readonly string[], mark: string): readonly string[] {
  const at = words.indexOf(mark);
  return at < 0 ? words : words.slice(0, at);
}

function other(problem: string): Started {
  return { kind: "other", problem };
}

/** U-Boot puts variables of its own into APPEND, which nobody knows here: the words that have one are left out. */
export function withoutVariables(cmdline: string, leaveOut: (word: string) => void): string {
  if (!cmdline.includes("${")) return cmdline;
  // Each word, and the blanks behind it.
  const pieces = cmdline.split(/([ \t\v\f\r]+)/);
  const kept = pieces.filter((piece, at) => {
    const isUnknown = /\$\{\w+\}/.test(pieces[at - (at % 2)] ?? "");
    if (isUnknown && at % 2 === 0) leaveOut(piece);
    return !isUnknown;
  });
  return trimmed(kept.join(""));
}
