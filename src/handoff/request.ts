/** What a caller may ask for, parsed once: the shapes that the rest of the program relies on. */
import { cannot } from "../errors.ts";
import { parseLuks } from "../initramfs/luks/option.ts";
import { parseSecret } from "../initramfs/secret.ts";
import { isUrl } from "../source/place.ts";
import { lastLastingPcr } from "../trust/pcr.ts";
import { failureActions, parseQuiesceWord, parseRsdpWanted } from "./option-values.ts";
import {
  anyMembers,
  boolean,
  flag,
  type Given,
  listOf,
  longestWait,
  member,
  oneOf,
  optional,
  optionalOr,
  type Parsed,
  parse,
  path,
  text,
  textOf,
  wholeNumber,
} from "./request-members.ts";
import { requireServer, serverMembers } from "./server-request.ts";

const paths = member<string | string[]>((value, refuse) => {
  if (!Array.isArray(value)) return path.read(value, refuse);
  const all = value.map((one: unknown) => path.read(one, () => refuse("a path must be text")));
  return all.length > 1 ? all : (all[0] ?? refuse("a path must be text"));
});

export const loadMembers = {
  /**
   * SOURCE: the path of a kernel image, or of whatever else names one. Of several the first that
   * passes is taken.
   */
  kernel: paths,
  /**
   * Where SOURCE is a menu: the id of an entry, or a title that only one has, or a number from 0; left
   * out: its default.
   */
  entry: optional(
    textOf((given, refuse) => (given === "" ? refuse("it must not be empty") : given)),
  ),
  /** Seconds to wait for the disk or the server that SOURCE is on; default 30. */
  wait: optional(wholeNumber({ most: longestWait, seconds: true })),
  ...serverMembers,
  /** Where SOURCE is a UKI: the number of a profile of it; left out: its default, 0. */
  profile: optional(wholeNumber()),
  /** Initramfs archives, joined in this order. */
  initrd: listOf(path, "paths"),
  /**
   * What becomes of an archive that is cut short or has junk behind it: `refuse`, or `warn`, as who comes
   * from kexec-tools may rely on it. It is refused all the same where something that follows is lost.
   */
  damagedInitrd: optionalOr(oneOf(["refuse", "warn"], "it must be refuse or warn"), "refuse"),
  /** Archives and a command line that are given replace those of a UKI, under Secure Boot too: kexec-tools' way. */
  inPlaceOfUki: flag,
  /** The whole command line of the next kernel. */
  cmdline: optional(text),
  /** Start from the running kernel's command line, without `BOOT_IMAGE=` and `initrd=`. */
  reuseCmdline: flag,
  /** Words to add to the end of the command line. */
  append: optional(text),
  /** Files to put into the new initramfs, `SRC:DEST[:MODE]`; their values appear nowhere else. */
  secrets: listOf(textOf(parseSecret), "texts SRC:DEST"),
  /** Keys of LUKS volumes, `UUID=SRC[:FRAMEWORK]`, put where the next initramfs looks for them. */
  luks: listOf(textOf(parseLuks), "texts UUID=SRC"),
  /** Paths of public keys: accept only what one of them signed. */
  trust: listOf(path, "paths"),
  /**
   * Detached signatures; default SOURCE.minisig, then SOURCE.sig, and where several keys must have signed also
   * SOURCE.NAME.minisig and SOURCE.NAME.sig.
   */
  signature: listOf(path, "paths"),
  /** How many of the trusted keys must have signed; it can only raise the policy's number. */
  threshold: optional(wholeNumber({ least: 1, most: 64 })),
  /** Refuse a manifest with a lower generation. */
  minGeneration: optional(wholeNumber()),
  /** A policy beside the machine's own, which always applies. */
  policy: optional(path),
  /** Load the kernel that a panic jumps to, into the memory reserved by `crashkernel=`. */
  crash: flag,
  /** Once loaded, set `kernel.kexec_load_disabled`: nothing replaces the kernel until reboot. */
  lock: flag,
  /**
   * Compare the digest of a signed image with its signature, and warn where it differs: `boot` always does,
   * a dry run too. It reads and digests the whole image, some 10 MiB.
   */
  checkImage: optional(boolean),
  /** Do everything but the system calls that load and lock. */
  dryRun: flag,
  /** `auto`, or the address of the ACPI tables as `0x…`, for `acpi_rsdp=`; x86_64 only. */
  acpiRsdp: optional(
    textOf((given, refuse) =>
      parseRsdpWanted(given) === undefined ? refuse("it must be auto or an address 0x…") : given,
    ),
  ),
  /** Append a line of JSON on this attempt to this file. */
  log: optional(path),
  /** Extend this PCR of the TPM by what is loaded, before the jump. */
  measure: optional(wholeNumber({ most: lastLastingPcr, because: ": higher ones can be reset" })),
  /** Where in the next initramfs the measurements' log is put. */
  measureLog: optional(textOf((destination) => parseSecret(`log:${destination}`).destination)),
  /** Have the kernel log where it places what, where it can: Linux 6.7 and later. */
  debug: flag,
};

const execMembers = () => ({
  /** Flush file systems before the jump, and leave those on block devices read-only. */
  sync: optionalOr(boolean, true),
  /** Do not go through systemd, where it runs the machine. */
  force: flag,
  /** Detach drivers before the jump: `gpu`, `usb`, `net`, `storage`, or PCI addresses. */
  quiesce: listOf(
    textOf((word, refuse) => (parseQuiesceWord(word) === undefined ? refuse("") : word)),
    "gpu, usb, net, storage or PCI addresses",
  ),
  /** Arm the hardware watchdog with so many seconds. */
  watchdog: optional(wholeNumber({ least: 1, most: longestWait, seconds: true })),
  /** What to do when it fails. */
  onFailure: optionalOr(
    oneOf(failureActions, "it must be return, reboot, poweroff or shell"),
    "return",
  ),
  /** Append a line of JSON on this attempt to this file, flushed before the jump. */
  log: optional(path),
});

const unloadMembers = {
  /** Drop the crash kernel instead. */
  crash: flag,
};

const manifestMembers = () => ({
  kernel: path,
  entry: loadMembers.entry,
  wait: loadMembers.wait,
  initrd: loadMembers.initrd,
  cmdline: loadMembers.cmdline,
  reuseCmdline: loadMembers.reuseCmdline,
  append: loadMembers.append,
  /** Name each file's fs-verity digest, too. */
  verity: flag,
  /** Give each file a second name, `sha256-` and its digest, and list it by that. */
  contentNames: flag,
  /** The number to write. */
  generation: optionalOr(wholeNumber(), 0),
});

/** What `load` takes. Paths are text; one initramfs archive may stand without a list. */
export type LoadRequest = Given<typeof loadMembers>;
/** What `exec` takes. */
export type ExecRequest = Given<ReturnType<typeof execMembers>>;
/** What `unload` takes. */
export type UnloadRequest = Given<typeof unloadMembers>;

/** What `manifest` takes: what `load` takes to name a kernel, and the generation. */
export type ManifestRequest = Given<ReturnType<typeof manifestMembers>>;

/** What was asked for, with one SOURCE or several; the keys of volumes are the last of its secrets. */
export type AskedLoadRequest = Asked<Omit<Parsed<typeof loadMembers>, "luks">>;
/** The library calls it `kernel`, which it may be; in here it is what it is. */
type Asked<T extends { kernel: unknown }> = Omit<T, "kernel"> & { readonly source: T["kernel"] };
/** A request for one SOURCE. */
export type ParsedLoadRequest = AskedLoadRequest & {
  readonly source: string;
  /** Where that is on a server: the other SOURCEs that are not. */
  readonly others?: readonly string[];
};
export type ParsedExecRequest = Parsed<ReturnType<typeof execMembers>>;
export type ParsedUnloadRequest = Parsed<typeof unloadMembers>;
export type ParsedManifestRequest = Asked<Parsed<ReturnType<typeof manifestMembers>>>;

/** @throws KexecError `usage`, naming the first wrong member */
export function parseLoadRequest(request: unknown): AskedLoadRequest {
  const { luks, kernel: source, ...rest } = parse(loadMembers, request, "load");
  const given = { ...rest, source };
  const parsed = luks.length === 0 ? given : { ...given, secrets: [...given.secrets, ...luks] };
  requireOneCmdline(parsed);
  requireServer(source, parsed);
  if (parsed.crash && parsed.secrets.length > 0) {
    throw cannot("give a secret to a crash kernel", {
      code: "usage",
      why: "it would stay in the reserved memory, even unloaded",
      hint: `leave ${luks.length === 0 ? "--secret" : "--luks"} out: a crash kernel gets what it needs from its own initramfs`,
    });
  }
  return parsed;
}

/** Whether there is no other SOURCE to fall back to. */
export function hasOneSource(asked: AskedLoadRequest): asked is ParsedLoadRequest {
  return typeof asked.source === "string";
}

/** A request for each SOURCE, in their order. */
export function requestsOf(asked: AskedLoadRequest): readonly ParsedLoadRequest[] {
  const all = [asked.source].flat();
  const others = all.filter((source) => !isUrl(source));
  return all.map((source) =>
    isUrl(source) && others.length > 0 ? { ...asked, source, others } : { ...asked, source },
  );
}

/** @throws KexecError `usage` */
export function parseManifestRequest(request: unknown): ParsedManifestRequest {
  const { kernel: source, ...rest } = parse(manifestMembers(), request, "manifest");
  const parsed = { ...rest, source };
  requireOneCmdline(parsed);
  return parsed;
}

function requireOneCmdline(parsed: Pick<ParsedLoadRequest, "cmdline" | "reuseCmdline">): void {
  if (parsed.cmdline !== undefined && parsed.reuseCmdline) {
    throw cannot("build the command line", {
      code: "usage",
      why: "it is given, and it is also taken from the running kernel",
      hint: "give --cmdline for the whole line, or --reuse-cmdline with --append",
    });
  }
}

/** @throws KexecError `usage` */
export function parseExecRequest(request: unknown): ParsedExecRequest {
  return parse(execMembers(), request, "exec");
}

/** A request for both, taken apart. @throws KexecError `usage` */
export function parseBootRequest(request: unknown): {
  readonly load: AskedLoadRequest;
  readonly exec: ParsedExecRequest;
} {
  const both = anyMembers(request, "boot");
  const { sync, force, quiesce, watchdog, onFailure, ...load } = both;
  const { log } = load;
  return {
    exec: parseExecRequest({ sync, force, quiesce, watchdog, onFailure, log }),
    load: parseLoadRequest({ ...load, checkImage: load["checkImage"] ?? true }),
  };
}

/** @throws KexecError `usage` */
export function parseUnloadRequest(request: unknown): ParsedUnloadRequest {
  return parse(unloadMembers, request, "unload");
}
