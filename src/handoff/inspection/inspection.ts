/** What `inspect` gives back. These shapes are its `--json` output. */

import type { KnownPlatform } from "../../diagnosis/platforms.ts";
import type { ScreenWord } from "../../diagnosis/screen.ts";
import type { KexecError } from "../../errors.ts";
import type { ArchiveLoaded, FileReport, SecretReport, TrustReport } from "../report.ts";

/** `null` stands for what is not there, or could not be told: then `unknown` says why. */
export interface Inspection {
  readonly source: SourceReport;
  /** Of a directory, in the order of a boot menu: see `--entry`. */
  readonly entries: readonly EntryReport[] | null;
  /** Of an ISO image. */
  readonly iso: IsoReport | null;
  /** The file to boot that SOURCE is or leads to. */
  readonly image: ImageReport | null;
  /** What of it goes to the kernel, where that is another one: unpacked, or taken out of a UKI. */
  readonly kernel: ImageReport | null;
  /** The archives, in the order in which they are joined. */
  readonly initrds: readonly ArchiveReport[];
  readonly cmdline: CmdlineReport | null;
  /** What the manifest says, and whether it is so. */
  readonly manifest: ManifestReport | null;
  readonly trust: TrustInspection;
  readonly verdict: Verdict;
  /** Path of a member above, to the reason why it is null. */
  readonly unknown: Readonly<Record<string, string>>;
  readonly next: NextReport;
  /** What `--secret` would put behind the archives; none is read. */
  readonly secrets: readonly SecretReport[];
}

/** What comes after the jump. */
export interface NextReport {
  /** What becomes of this machine's screen; null where it has none, or the load would not get as far. */
  readonly screen: ScreenReport | null;
  /** What is known of handovers on such a machine. */
  readonly platforms: readonly KnownPlatform[];
}

export interface ScreenReport {
  readonly verdict: ScreenWord;
  readonly why: string;
  /** What may help. */
  readonly hint: string | null;
}

export interface SourceReport extends FileReport {
  /** `image`, `manifest`, `boot entry`, `directory`, or another kind of source. */
  readonly kind: string;
}

/** An entry of a menu: of a directory of boot entries, of a boot loader's configuration. */
export interface EntryReport {
  /** What `--entry` takes. */
  readonly id: string;
  /** `entry`: a file in loader/entries; `uki`: an image in EFI/Linux. */
  readonly kind: "entry" | "uki";
  /** The file that it stands in, relative to the directory. */
  readonly path: string;
  /** It is the one that `load` takes: the default, or what `--entry` names. */
  readonly chosen: boolean;
  readonly title: string | null;
  readonly version: string | null;
  readonly sortKey: string | null;
  readonly machineId: string | null;
  /** Boots left to try, 0 for a bad entry; null where they are not counted. */
  readonly triesLeft: number | null;
  readonly triesDone: number | null;
  /** As the menu names it; null where it names none. */
  readonly kernel: string | null;
  readonly initrds: readonly string[];
  /** Null: the kernel's file brings its own. */
  readonly cmdline: string | null;
  /** Its boot loader would take it now. */
  readonly default: boolean;
  /** What makes it the default; null where it is not, or nothing is known of that. */
  readonly why: string | null;
  /** Why it is passed over when the default is chosen. */
  readonly problem: string | null;
  /** Where it stands in the menu: a file, with its line where the file has several entries. */
  readonly from: string;
}

/** What an ISO image is, and how the system of the chosen entry finds it again. */
export interface IsoReport {
  /** As blkid shows them. */
  readonly label: string;
  readonly uuid: string | null;
  readonly system: string | null;
  readonly application: string | null;
  /** `2026-03-01 12:00:00`, without a time zone. */
  readonly created: string | null;
  /** Whose names its files are found by. */
  readonly names: "rock-ridge" | "joliet" | "plain";
  /** The image's path on the file system that holds it, and that file system. */
  readonly heldAt: string;
  readonly heldBy: { readonly type: string | null; readonly uuid: string | null };
  /** Null where no way is known; `why` says by what it was told, or why not. */
  readonly liveSystem: string | null;
  readonly why: string | null;
  /** Words that its menu lacks. */
  readonly added: readonly string[];
  /** The archives have a module for that file system; null: it cannot be told, or every system has it. */
  readonly module: boolean | null;
}

/** Facts of an image, by its own headers. */
export interface ImageReport extends FileReport {
  /** `bzImage`, `arm64 Image`, `zboot`, `UKI`, `EFI program`, `ELF`, a compression, or `unknown`. */
  readonly format: string;
  /** The rule of its format that it breaks. */
  readonly broken: string | null;
  /** Facts of this format; texts, numbers (bytes) and truth values. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
  /** Sections of a UKI, bytes by name. */
  readonly sections: Readonly<Record<string, number>> | null;
  /** Profiles of a UKI, by number: see `--profile`. */
  readonly profiles:
    | readonly { readonly id: string | null; readonly title: string | null }[]
    | null;
  /** Its Authenticode signatures; the kernel looks at the first one alone. */
  readonly signatures: readonly SignatureReport[];
  /** What is wrong with the signature table. */
  readonly signatureProblem: string | null;
  /** Whether the file is no longer what was signed; null: unsigned, or not looked at. */
  readonly changedAfterSigning: boolean | null;
  /** The keyring that has a key of the first signature's chain; null: none, or not known. */
  readonly trustedBy: string | null;
}

export interface SignatureReport {
  readonly digestAlgorithm: string;
  /** Lower-case hex. */
  readonly digest: string;
  readonly signers: readonly {
    readonly subject: string | null;
    readonly issuer: string | null;
    readonly serial: string | null;
    /** SHA-256 of the certificate. */
    readonly fingerprint: string | null;
    /** Subject key identifier, as /proc/keys shows it. */
    readonly keyId: string | null;
  }[];
}

export interface ArchiveReport extends ArchiveLoaded {
  /** `newc`, a compression, or `unknown`. */
  readonly kind: string;
  /** Whether a kernel with the right options unpacks it. */
  readonly kernelReads: boolean;
  /** The option that the next kernel needs for it. */
  readonly needs: string | null;
  readonly bootconfig: boolean;
}

export interface CmdlineReport {
  readonly text: string;
  /** Bytes, without the NUL. */
  readonly length: number;
  /** The most that this kernel takes. */
  readonly longest: number;
}

export interface ManifestReport {
  readonly generation: number;
  readonly architecture: string;
  readonly cmdline: string;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly sha256: string;
    /** Null: it is what the manifest says; otherwise what is wrong with it. */
    readonly problem: string | null;
  }[];
}

export interface TrustInspection {
  /** A policy or an option demands a signature. */
  readonly required: boolean;
  /** Paths of the policies in force. */
  readonly policies: readonly string[];
  /** A manifest with a lower generation is refused. */
  readonly minGeneration: number | null;
  /** Who signed SOURCE, where a trusted key did. */
  readonly signed: TrustReport | null;
  /** Each key that may vouch for it, and why it does not. */
  readonly keys: readonly {
    readonly key: string;
    readonly fingerprint: string;
    readonly rejected: string | null;
  }[];
}

/** What `load` would come to on this machine, run as root outside of containers. */
export interface Verdict {
  readonly takes: boolean;
  /** The exit code that `load` would give. */
  readonly wouldExit: number;
  /** Every reason why it would be refused, the one that `load` would name first. */
  readonly reasons: readonly Reason[];
  /** What could not be seen and would change the verdict. Empty: the verdict is certain. */
  readonly doubts: readonly Reason[];
  /** What else the user should know. */
  readonly notes: readonly string[];
}

export interface Reason {
  readonly code: KexecError["code"];
  readonly exit: number;
  readonly message: string;
  readonly hint: string | null;
  /** What to do next, and what the message says as data: as in `KexecError`. */
  readonly action: KexecError["action"];
  readonly details: KexecError["details"];
}

export function reasonOf({ code, exit, message, hint, action, details }: KexecError): Reason {
  return { code, exit, message, hint, action, details };
}
