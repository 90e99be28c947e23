/** What a label of syslinux starts: a kernel, or one of syslinux' own programs. Pure. */
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
  const [file = "", ...behind] = label.command.split(/\s+/);
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
  const words = [...behind, append].join(" ").trim();
  switch (name) {
    case "menu.c32":
    case "vesamenu.c32": {
      const [config] = words.split(/\s+/).filter((word) => !/^(~|--)/.test(word));
      return config === undefined || config === ""
        ? other("it shows its own menu")
        : { kind: "config", file: resolve(config) };
    }
    case "linux.c32":
      return linux(label, words, resolve);
    case "ifcpu64.c32":
    case "ifcpu.c32": {
      // The first of the labels is the one for 64 bits.
      const [first] = words.split(/\s+--\s+/);
      return { kind: "alias", label: (first ?? "").trim().split(/\s+/).at(-1) ?? "" };
    }
    case "whichsys.c32": {
      // -pxe- A -sys- B -iso- C: the loader is not running, and the first two name the same menu.
      const [, found = ""] =
        /-(?:sys|iso)-\s+(\S+)/.exec(words) ?? /-pxe-\s+(\S+)/.exec(words) ?? [];
      return { kind: "alias", label: found };
    }
    default:
  }
  if (name === "mboot.c32") return multiboot(label, words, resolve);
  const known = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (known !== undefined) return other(`it starts ${known} (${name})`);
  if (/\.(c32|com|cbt)$/.test(name)) return other(`it starts a program of syslinux (${name})`);
  if (/\.(0|bs|bss|img|bin)$/.test(name) && label.type === "kernel") {
    return other(`it starts a boot sector or a program of the BIOS (${name})`);
  }
  return linux(label, `${file} ${words}`.trim(), resolve);
}

/** The first word is the kernel. */
function linux(label: Label, command: string, resolve: (name: string) => MenuPlace): Started {
  const [kernel = "", ...words] = command.split(/\s+/);
  if (kernel === "") return other("it names no kernel");
  // The last initrd= counts: com32/lib/syslinux/load_linux.c; a line INITRD stands behind all others.
  const inLine = words.filter((word) => word.startsWith("initrd=")).at(-1);
  const names = (label.initrd ?? inLine?.slice("initrd=".length) ?? "").split(/[,\s]+/);
  return {
    kind: "linux",
    kernel: resolve(kernel),
    initrds: names.filter((name) => name !== "").map(resolve),
    cmdline: words.join(" "),
    problem: undefined,
  };
}

/** mboot.c32: KERNEL WORDS --- MODULE WORDS --- MODULE. */
function multiboot(label: Label, words: string, resolve: (name: string) => MenuPlace): Started {
  const [kernel = ""] = words.split(/\s+---(?:\s+|$)/);
  const started = linux({ ...label, initrd: "" }, kernel.replace(/^-\S+\s+/, ""), resolve);
  const problem = "it starts a Multiboot kernel (mboot.c32)";
  return started.kind === "linux" ? { ...started, initrds: [], problem } : other(problem);
}

function other(problem: string): Started {
  return { kind: "other", problem };
}
