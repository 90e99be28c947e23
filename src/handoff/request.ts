/** What a caller may ask for, parsed once: the shapes that the rest of the program relies on. */
import * as v from "valibot";
import { cannot } from "../errors.ts";
import { parseLuks } from "../initramfs/luks/option.ts";
import { parseSecret } from "../initramfs/secret.ts";
import { isUrl } from "../source/place.ts";
import { lastLastingPcr } from "../trust/pcr.ts";
import { failureActions, parseQuiesceWord, parseRsdpWanted } from "./option-values.ts";
import { flag, listOf, longestWait, parse, path, text, wholeNumber } from "./request-members.ts";
import { serverEntries } from "./server-request.ts";

const severalPaths = v.pipe(
  v.array(path),
  v.minLength(1),
  v.transform((paths) => (paths.length === 1 ? (paths[0] ?? "") : paths)),
);
const secret = v.pipe(v.string("a secret must be text: SRC:DEST"), v.transform(parseSecret));
const luks = v.pipe(v.string("a key must be text: UUID=SRC"), v.transform(parseLuks));

export const loadSchema = v.strictObject({
  /**
   * SOURCE: the path of a kernel image, or of whatever else names one. Of several the first that
   * passes is taken.
   */
  kernel: v.union([path, severalPaths], "a path must be text"),
  /**
   * Where SOURCE is a menu: the id of an entry, or a title that only one has, or a number from 0; left
   * out: its default.
   */
  entry: v.optional(v.pipe(text, v.nonEmpty("it must not be empty"))),
  /** Seconds to wait for the disk or the server that SOURCE is on; default 30. */
  wait: v.optional(
    v.pipe(
      v.number("it must be a number"),
      v.safeInteger("it must be a whole number of seconds"),
      v.minValue(0, "it must not be negative"),
      v.maxValue(longestWait, `it must be ${longestWait} seconds or less`),
    ),
  ),
  ...serverEntries,
  /** Where SOURCE is a UKI: the number of a profile of it; left out: its default, 0. */
  profile: v.optional(wholeNumber),
  /** Initramfs archives, joined in this order. */
  initrd: listOf(path, "paths"),
  /**
   * What becomes of an archive that is cut short or has junk behind it: `refuse`, or `warn`, as who comes
   * from kexec-tools may rely on it. It is refused all the same where something that follows is lost.
   */
  damagedInitrd: v.optional(v.picklist(["refuse", "warn"], "it must be refuse or warn"), "refuse"),
  /** Archives and a command line that are given replace those of a UKI, under Secure Boot too: kexec-tools' way. */
  inPlaceOfUki: flag,
  /** The whole command line of the next kernel. */
  cmdline: v.optional(text),
  /** Start from the running kernel's command line, without `BOOT_IMAGE=` and `initrd=`. */
  reuseCmdline: flag,
  /** Words to add to the end of the command line. */
  append: v.optional(text),
  /** Files to put into the new initramfs, `SRC:DEST[:MODE]`; their values appear nowhere else. */
  secrets: listOf(secret, "texts SRC:DEST"),
  /** Keys of LUKS volumes, `UUID=SRC[:FRAMEWORK]`, put where the next initramfs looks for them. */
  luks: listOf(luks, "texts UUID=SRC"),
  /** Paths of public keys: accept only what one of them signed. */
  trust: listOf(path, "paths"),
  /**
   * Detached signatures; default SOURCE.minisig, then SOURCE.sig, and where several keys must have signed also
   * SOURCE.NAME.minisig and SOURCE.NAME.sig.
   */
  signature: listOf(path, "paths"),
  /** How many of the trusted keys must have signed; it can only raise the policy's number. */
  threshold: v.optional(
    v.pipe(
      v.number("it must be a number"),
      v.safeInteger("it must be a whole number"),
      v.minValue(1, "it must be 1 or more"),
      v.maxValue(64, "it must be 64 or less"),
    ),
  ),
  /** Refuse a manifest with a lower generation. */
  minGeneration: v.optional(wholeNumber),
  /** A policy beside the machine's own, which always applies. */
  policy: v.optional(path),
  /** Load the kernel that a panic jumps to, into the memory reserved by `crashkernel=`. */
  crash: flag,
  /** Once loaded, set `kernel.kexec_load_disabled`: nothing replaces the kernel until reboot. */
  lock: flag,
  /**
   * Compare the digest of a signed image with its signature, and warn where it differs: `boot` always does,
   * a dry run too. It reads and digests the whole image, some 10 MiB.
   */
  checkImage: v.optional(v.boolean("it must be true or false")),
  /** Do everything but the system calls that load and lock. */
  dryRun: flag,
  /** `auto`, or the address of the ACPI tables as `0x…`, for `acpi_rsdp=`; x86_64 only. */
  acpiRsdp: v.optional(
    v.pipe(
      v.string("it must be text"),
      v.check((value) => parseRsdpWanted(value) !== undefined, "it must be auto or an address 0x…"),
    ),
  ),
  /** Append a line of JSON on this attempt to this file. */
  log: v.optional(path),
  /** Extend this PCR of the TPM by what is loaded, before the jump. */
  measure: v.optional(
    v.pipe(
      v.number("it must be a number"),
      v.safeInteger("it must be a whole number"),
      v.minValue(0, "it must not be negative"),
      v.maxValue(lastLastingPcr, `it must be ${lastLastingPcr} or less: higher ones can be reset`),
    ),
  ),
  /** Where in the next initramfs the measurements' log is put. */
  measureLog: v.optional(
    v.pipe(
      v.string("it must be text"),
      v.transform((destination) => parseSecret(`log:${destination}`).destination),
    ),
  ),
  /** Have the kernel log where it places what, where it can: Linux 6.7 and later. */
  debug: flag,
});

const execSchema = () =>
  v.strictObject({
    /** Flush file systems before the jump, and leave those on block devices read-only. */
    sync: v.optional(v.boolean("it must be true or false"), true),
    /** Do not go through systemd, where it runs the machine. */
    force: flag,
    /** Detach drivers before the jump: `gpu`, `usb`, `net`, `storage`, or PCI addresses. */
    quiesce: listOf(
      v.pipe(
        v.string("it must be text"),
        v.check(
          (word) => parseQuiesceWord(word) !== undefined,
          "it must be gpu, usb, net, storage or a PCI address",
        ),
      ),
      "gpu, usb, net, storage or PCI addresses",
    ),
    /** Arm the hardware watchdog with so many seconds. */
    watchdog: v.optional(
      v.pipe(
        v.number("it must be a number"),
        v.safeInteger("it must be a whole number of seconds"),
        v.minValue(1, "it must be 1 second or more"),
        v.maxValue(longestWait, `it must be ${longestWait} seconds or less`),
      ),
    ),
    /** What to do when it fails. */
    onFailure: v.optional(
      v.picklist(failureActions, "it must be return, reboot, poweroff or shell"),
      "return",
    ),
    /** Append a line of JSON on this attempt to this file, flushed before the jump. */
    log: v.optional(path),
  });

const unloadSchema = () =>
  v.strictObject({
    /** Drop the crash kernel instead. */
    crash: flag,
  });

const manifestSchema = () =>
  v.strictObject({
    kernel: path,
    entry: loadSchema.entries.entry,
    wait: loadSchema.entries.wait,
    initrd: loadSchema.entries.initrd,
    cmdline: loadSchema.entries.cmdline,
    reuseCmdline: loadSchema.entries.reuseCmdline,
    append: loadSchema.entries.append,
    /** Name each file's fs-verity digest, too. */
    verity: flag,
    /** Give each file a second name, `sha256-` and its digest, and list it by that. */
    contentNames: flag,
    /** The number to write. */
    generation: v.optional(wholeNumber, 0),
  });

/** What `load` takes. Paths are text; one initramfs archive may stand without a list. */
export type LoadRequest = v.InferInput<typeof loadSchema>;
/** What `exec` takes. */
export type ExecRequest = v.InferInput<ReturnType<typeof execSchema>>;
/** What `unload` takes. */
export type UnloadRequest = v.InferInput<ReturnType<typeof unloadSchema>>;

/** What `manifest` takes: what `load` takes to name a kernel, and the generation. */
export type ManifestRequest = v.InferInput<ReturnType<typeof manifestSchema>>;

/** What was asked for, with one SOURCE or several; the keys of volumes are the last of its secrets. */
export type AskedLoadRequest = Asked<Omit<v.InferOutput<typeof loadSchema>, "luks">>;
/** The library calls it `kernel`, which it may be; in here it is what it is. */
type Asked<T extends { kernel: unknown }> = Omit<T, "kernel"> & { readonly source: T["kernel"] };
/** A request for one SOURCE. */
export type ParsedLoadRequest = AskedLoadRequest & {
  readonly source: string;
  /** Where that is on a server: the other SOURCEs that are not. */
  readonly others?: readonly string[];
};
export type ParsedExecRequest = v.InferOutput<ReturnType<typeof execSchema>>;
export type ParsedUnloadRequest = v.InferOutput<ReturnType<typeof unloadSchema>>;
export type ParsedManifestRequest = Asked<v.InferOutput<ReturnType<typeof manifestSchema>>>;

/** @throws KexecError `usage`, naming the first wrong member */
export function parseLoadRequest(request: unknown): AskedLoadRequest {
  const { luks, kernel: source, ...rest } = parse(loadSchema, request, "load");
  const given = { ...rest, source };
  const parsed = luks.length === 0 ? given : { ...given, secrets: [...given.secrets, ...luks] };
  requireOneCmdline(parsed);
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
  const { kernel: source, ...rest } = parse(manifestSchema(), request, "manifest");
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
  return parse(execSchema(), request, "exec");
}

/** A request for both, taken apart. @throws KexecError `usage` */
export function parseBootRequest(request: unknown): {
  readonly load: AskedLoadRequest;
  readonly exec: ParsedExecRequest;
} {
  const both = parse(v.looseObject({}), request, "boot");
  const { sync, force, quiesce, watchdog, onFailure, ...load } = both;
  const { log } = load;
  return {
    exec: parseExecRequest({ sync, force, quiesce, watchdog, onFailure, log }),
    load: parseLoadRequest({ ...load, checkImage: load["checkImage"] ?? true }),
  };
}

/** @throws KexecError `usage` */
export function parseUnloadRequest(request: unknown): ParsedUnloadRequest {
  return parse(unloadSchema(), request, "unload");
}
