// Made by "bun build/declarations.ts" from src: do not edit.
/// <reference lib="esnext.disposable" />
interface AbortSignal {}
declare module "aegis-kexec:architecture" {
/** The architectures that the program runs on, by the kernel's own names (`uname -m`). */
export type Architecture = "x86_64" | "aarch64";
}
declare module "aegis-kexec:diagnosis/graphics" {
/** Built in, a module, or not there. */
export type Presence = "y" | "m" | "n";
export interface FirmwareDriver {
    /** As its module is called. */
    readonly name: string;
    readonly presence: Presence;
}
export interface Graphics {
    /** It writes to VGA's text mode. */
    readonly vgaConsole: boolean;
    /** It has a console on frame buffers. */
    readonly console: boolean;
    /** Drivers for what firmware set up: by EFI, by VESA, in a device tree. */
    readonly firmware: Readonly<Record<"efi" | "vesa" | "tree", readonly FirmwareDriver[]>>;
    /** A driver of a graphics device, by the name of its module. */
    native(module: string): Presence;
}
export function graphicsOfConfig(config: string): Graphics;
export const graphicsTexts: readonly string[];
/** By texts of the unpacked kernel: what is not built in is taken for a module, which the initramfs may have. */
export function graphicsOfTexts(found: ReadonlySet<string>): Graphics;
}
declare module "aegis-kexec:diagnosis/platforms" {
/** Platforms on which a handover is known to go wrong, each with its source: facts, and no refusals. Pure. */
import type { Platform } from "aegis-kexec:machine/platform";
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
/** Those that this machine is one of. */
export function knownPlatforms(platform: Platform): readonly KnownPlatform[];
}
declare module "aegis-kexec:diagnosis/screen" {
import type { Displays } from "aegis-kexec:machine/displays";
import type { Graphics } from "aegis-kexec:diagnosis/graphics";
/** The words are those of `--json`. */
export type ScreenWord = "continues" | "blank-until-driver" | "blank" | "unknown";
export interface ScreenVerdict {
    readonly verdict: ScreenWord;
    /** Lower case, no full stop. */
    readonly why: string;
    /** What may help; undefined where it goes on. */
    readonly hint?: string | undefined;
}
export function hasScreen({ given, owner, native }: Displays): boolean;
/**
 * @param graphics What the next kernel has; undefined: not known.
 * @param archived Whether a module of this name is in the initramfs; undefined: not known.
 * @returns undefined where there is no screen
 */
export function judgeScreen(displays: Displays, graphics: Graphics | undefined, cmdline: string, archived: (module: string) => boolean | undefined): ScreenVerdict | undefined;
}
declare module "aegis-kexec:errors" {
/**
 * Every way in which this program can fail: a stable code, the exit code that
 * goes with it, what happened, and what to do about it.
 */
import { type Details, type DetailsOf } from "aegis-kexec:remedies/remedies";
import type { Action } from "aegis-kexec:remedies/table";
export type { Details, DetailsOf } from "aegis-kexec:remedies/remedies";
export type { Action } from "aegis-kexec:remedies/table";
/** Exit codes of the command line. Scripts rely on them; they never change their meaning. */
export const ExitCode: {
    readonly done: 0;
    readonly bug: 1;
    readonly usage: 2;
    readonly unsupportedSystem: 3;
    readonly badInput: 4;
    readonly untrusted: 5;
    readonly kernelSignature: 6;
    readonly notPermitted: 7;
    readonly notBootable: 8;
    readonly noMemory: 9;
    readonly busy: 10;
    readonly nothingLoaded: 11;
    readonly io: 12;
};
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
const exits: {
    readonly "internal-error": 1;
    readonly usage: 2;
    readonly "unsupported-platform": 3;
    readonly "unsupported-architecture": 3;
    readonly "no-kexec-file": 3;
    readonly "no-jit": 3;
    readonly "no-libc": 3;
    readonly "unsupported-flag": 3;
    readonly "file-not-found": 4;
    readonly "file-unreadable": 4;
    readonly "not-a-regular-file": 4;
    readonly "file-empty": 4;
    readonly "file-too-large": 4;
    readonly "file-changed": 4;
    readonly "not-below": 4;
    readonly "malformed-input": 4;
    readonly "malformed-cmdline": 4;
    readonly "cmdline-too-long": 4;
    readonly untrusted: 5;
    readonly "no-signature": 5;
    readonly "bad-signature": 5;
    readonly "bad-key": 5;
    readonly "bad-manifest": 5;
    readonly "digest-mismatch": 5;
    readonly "outside-folder": 5;
    readonly "generation-too-low": 5;
    readonly "policy-broken": 5;
    readonly "policy-refused": 5;
    readonly "kernel-unsigned": 6;
    readonly "kernel-signer-unknown": 6;
    readonly "kernel-signature-bad": 6;
    readonly "kernel-signature-revoked": 6;
    readonly "kernel-changed-after-signing": 6;
    readonly "kernel-signature-malformed": 6;
    readonly "kernel-signature-algorithm": 6;
    readonly "kernel-signature-refused": 6;
    readonly "ima-refused": 6;
    readonly "no-capability": 7;
    readonly "kexec-disabled": 7;
    readonly "load-limit-reached": 7;
    readonly lockdown: 7;
    readonly "loadpin-refused": 7;
    readonly "pid-namespace": 7;
    readonly "not-permitted": 7;
    readonly "not-a-kernel": 8;
    readonly "kernel-truncated": 8;
    readonly "wrong-architecture": 8;
    readonly "kernel-unsuitable": 8;
    readonly "system-not-found": 8;
    readonly "out-of-memory": 9;
    readonly "no-room": 9;
    readonly "no-crash-memory": 9;
    readonly busy: 10;
    readonly "file-busy": 10;
    readonly "nothing-loaded": 11;
    readonly "io-error": 12;
    readonly "no-interface": 12;
    readonly "no-link": 12;
    readonly "no-address": 12;
    readonly "name-not-found": 12;
    readonly "no-route": 12;
    readonly "connection-refused": 12;
    readonly "tls-unknown-authority": 12;
    readonly "tls-wrong-name": 12;
    readonly "tls-expired": 12;
    readonly "clock-wrong": 12;
    readonly "tls-failed": 12;
    readonly "http-status": 12;
    readonly "redirect-refused": 12;
    readonly "bad-answer": 12;
    readonly "transfer-cut": 12;
    readonly "too-long": 12;
    readonly stalled: 12;
    readonly aborted: 12;
};
/** A stable kebab-case word for one cause of failure; part of the `--json` contract. */
export type ErrorCode = keyof typeof exits;
/** Every error code with its exit code, in the order of the exit codes. */
export const errorCodes: Readonly<Record<ErrorCode, ExitCode>>;
export function isErrorCode(word: string): word is ErrorCode;
/** Why something cannot be done: one shape from the readers of formats up to the error. */
export interface Cause<C extends ErrorCode = ErrorCode> {
    readonly code: C;
    /** What stands behind "cannot DOING: ": one line, lower case, no full stop. */
    readonly why: string;
    /**
     * What to do; where the evidence does not decide, the candidates and how to tell them apart. Two
     * lines: the first for somebody at a console, the second for whoever builds or signs.
     */
    readonly hint?: string | null | undefined;
    /** What to do, where that is not what the code's remedy says. */
    readonly action?: Action | undefined;
    /** What `why` says, as data: the names are those of the code's remedy. */
    readonly details?: DetailsOf<C> | undefined;
}
export interface KexecErrorDetail {
    /** One line, lower case, no full stop: what failed, a colon, why. */
    readonly message: string;
    /** What the reader can do about it. Left out where there is nothing true to say. */
    readonly hint?: string | null | undefined;
    /** Left out: the action of the code. */
    readonly action?: Action | undefined;
    readonly details?: Details | undefined;
    /** Symbolic name of the errno that the kernel gave, for example `ENODATA`. */
    readonly errno?: string | undefined;
    /** Lines that the kernel logged while the failed call ran, without their prefix. */
    readonly kernelLog?: readonly string[];
    readonly cause?: unknown;
}
/**
 * The only error that the library throws on purpose. Anything else that
 * escapes is a bug.
 */
export class KexecError extends Error {
    readonly name = "KexecError";
    readonly code: ErrorCode;
    /** Exit code of the command line for this error: 1 to 12. */
    readonly exit: ExitCode;
    readonly errno: string | undefined;
    /** Its first line, of at most 100 characters, is for whoever is there; a second for who builds. */
    readonly hint: string | null;
    /** What to do next: a stable word. */
    readonly action: Action;
    /** What the message says, as data: see `DetailsOf`, and `hasCode` for its type by code. */
    readonly details: Details;
    readonly kernelLog: readonly string[];
    constructor(code: ErrorCode, detail: KexecErrorDetail);
    /** The same error in other words, or under another code: then with the action of that. */
    with(words: Partial<KexecErrorDetail>, code?: ErrorCode): KexecError;
    /** The `error` member of the `--json` output. */
    toJSON(): {
        code: ErrorCode;
        exit: ExitCode;
        errno: string | null;
        message: string;
        hint: string | null;
        action: Action;
        details: Details;
        kernelLog: readonly string[];
    };
}
/** An error of this code, whose data have their own names and types. */
export type KexecErrorOf<C extends ErrorCode> = Omit<KexecError, "code" | "details"> & {
    readonly code: C;
    readonly details: DetailsOf<C>;
};
/** Whether an error has this code; its details have the type of that code then. */
export function hasCode<C extends ErrorCode>(error: unknown, code: C): error is KexecErrorOf<C>;
/**
 * The error `cannot DOING: WHY`.
 * @param doing What was asked for: a verb and its object.
 */
export function cannot<C extends ErrorCode>(doing: string, { code, why, hint, action, details }: Cause<C>, detail?: Omit<KexecErrorDetail, "message" | "hint" | "action">): KexecError;
}
declare module "aegis-kexec:handoff/exec" {
/** The handover: reboot(LINUX_REBOOT_CMD_KEXEC), and only into what is loaded. */
import type { LoadReport, Observer } from "aegis-kexec:handoff/report";
import { type ExecRequest, type LoadRequest } from "aegis-kexec:handoff/request";
/**
 * Hands over to the loaded kernel. It does not return; it throws when the jump was refused.
 * @throws KexecError `nothing-loaded`, `no-capability`, `pid-namespace`, `busy`, `not-permitted`,
 *   `no-kexec-file`, `io-error`, `usage`
 */
export function exec(request?: ExecRequest, observer?: Observer): Promise<never>;
/**
 * Loads and hands over. A dry run returns what would have been loaded; anything else does not
 * return. The jump is made only after this very load succeeded.
 * @throws KexecError with any code
 */
export function loadAndExec(request: LoadRequest & ExecRequest, observer?: Observer): Promise<LoadReport>;
}
declare module "aegis-kexec:handoff/fetch" {
import type { FetchReport, Observer } from "aegis-kexec:handoff/report";
import { type FetchRequest } from "aegis-kexec:handoff/storing/request";
/**
 * Verifies the generation that SOURCE is, or has, and stores it whole or not at all. One that was begun is gone
 * on with. What the store has is left as it is when this fails.
 * @throws KexecError with a code of exits 2, 4, 5, 8, 10 or 12
 */
export function fetch(request: FetchRequest, observer?: Observer): Promise<FetchReport>;
}
declare module "aegis-kexec:handoff/inspect" {
/** What SOURCE is, and whether this machine would take it. Loads nothing and needs no rights. */
import type { Inspection } from "aegis-kexec:handoff/inspection/inspection";
import type { Observer } from "aegis-kexec:handoff/report";
import { type LoadRequest } from "aegis-kexec:handoff/request";
/**
 * Takes the stages of `load`, by the same code and in the same order, up to the system call; what
 * stops one is a reason, and the rest is looked at all the same. What the call would answer is
 * predicted by the machine's facts. Of several SOURCEs the one that `load` would take is shown.
 * @throws KexecError where SOURCE itself cannot be opened, and for a request of the wrong form
 */
export function inspect({ policyRoot, ...request }: InspectRequest, observer?: Pick<Observer, "progress">): Promise<Inspection>;
/** As `LoadRequest`; nothing is loaded. */
export type InspectRequest = LoadRequest & {
    /** The root folder of another system: its policy and its keys count instead of this machine's. */
    readonly policyRoot?: string | undefined;
};
}
declare module "aegis-kexec:handoff/inspection/inspection" {
/** What `inspect` gives back. These shapes are its `--json` output. */
import type { KnownPlatform } from "aegis-kexec:diagnosis/platforms";
import type { ScreenWord } from "aegis-kexec:diagnosis/screen";
import type { KexecError } from "aegis-kexec:errors";
import type { ArchiveLoaded, FileReport, SecretReport, TrustReport } from "aegis-kexec:handoff/report";
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
    readonly heldBy: {
        readonly type: string | null;
        readonly uuid: string | null;
    };
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
    readonly profiles: readonly {
        readonly id: string | null;
        readonly title: string | null;
    }[] | null;
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
export function reasonOf({ code, exit, message, hint, action, details }: KexecError): Reason;
}
declare module "aegis-kexec:handoff/leave/live-update" {
import { type Reading } from "aegis-kexec:machine/reading";
import type { Observer } from "aegis-kexec:handoff/report";
/** Who holds sessions open: the first process, and others by name. */
export interface SessionHolders {
    readonly first: boolean;
    readonly others: readonly string[];
}
/**
 * What becomes of the sessions; they live as long as somebody holds their descriptors.
 * @param systemd Version of the one that hands over; undefined: none does; null: not known.
 */
export function liveUpdateWords(systemd: number | null | undefined, { first, others }: SessionHolders): {
    readonly lost: boolean;
    readonly text: string;
};
export function liveUpdateReport(throughSystemd: boolean, observer: Observer): void;
/**
 * Who keeps sessions over a handover of the whole system. `systemd`: from 261 on, those in the stores of units;
 * `nobody`: an older one, which stops the agents; `agents`: nobody stops them.
 */
export type SessionKeeper = "systemd" | "nobody" | "agents";
/** @param systemd As `liveUpdateWords` has it. */
export function sessionKeeper(systemd: number | undefined): SessionKeeper;
/** Of this machine; null without live update. */
export function readSessionKeeper(orchestrator: Reading<boolean>): Reading<SessionKeeper | null>;
/** By its own library: `libsystemd-core-261.so`, and with a distribution's suffix `-261.3-1.fc44.so`. */
export function systemdIn(maps: string): number | undefined;
}
declare module "aegis-kexec:handoff/load" {
/** Loads a kernel: request → source → verified → assembled → loaded. */
import type { LoadReport, Observer } from "aegis-kexec:handoff/report";
import { type AskedLoadRequest, type LoadRequest } from "aegis-kexec:handoff/request";
import type { Interruption } from "aegis-kexec:handoff/stages/interruption";
/**
 * Verifies, assembles and loads a kernel with its initramfs and command line; it does not jump.
 * What was loaded before stays loaded when this fails, but for a crash kernel.
 * @throws KexecError with any code of exits 2 to 10 and 12
 */
export function load(request: LoadRequest, observer?: Observer): Promise<LoadReport>;
/**
 * As `load`. What carries a secret stays loaded only if the report could be delivered: whoever is told
 * of a failure must not find a secret in what is loaded.
 */
export function loadAndReport(request: LoadRequest, observer: Observer, deliver: (report: LoadReport) => void): Promise<LoadReport>;
/**
 * Proof that the kernel accepted this load. `loadAndExec` jumps only with one in hand. Disposing of it
 * unloads what carries a secret, unless that was to be kept.
 */
export class Loaded implements Disposable {
    readonly report: LoadReport;
    private readonly carried;
    private constructor();
    /** From here on it stays loaded. */
    keep(): LoadReport;
    /** @throws KexecError where what carries a secret could not be unloaded */
    [Symbol.dispose](): void;
    /** @param interruption holds signals back for as long as the caller needs; to be had where there are secrets */
    static from(given: AskedLoadRequest, observer: Observer, interruption: Interruption | undefined): Promise<Loaded>;
}
}
declare module "aegis-kexec:handoff/manifest" {
/** Writes the manifest of exactly what `load` would load: the same source, the same command line. */
import { type Manifest } from "aegis-kexec:trust/manifest";
import type { Observer } from "aegis-kexec:handoff/report";
import { type ManifestRequest } from "aegis-kexec:handoff/request";
/**
 * The manifest of what `load` would load with these options, with paths relative to the folder of
 * SOURCE. Nothing is loaded, and it takes no privilege. The kernel may be for the other
 * architecture: manifests are written on the machines of those who sign them.
 * @throws KexecError `not-below`, and the codes of `load` for its input
 */
export function manifest(request: ManifestRequest, observer?: Observer): Promise<Manifest>;
}
declare module "aegis-kexec:handoff/report" {
/** What the commands give back. These shapes are the `--json` output. */
import type { KexecError } from "aegis-kexec:errors";
import type { Framework } from "aegis-kexec:initramfs/luks/volume";
import type { Listener } from "aegis-kexec:listener";
import type { LogEntry } from "aegis-kexec:trust/tpm/measurements";
/** Hears of a load and of the handover behind it. */
export interface Observer extends Listener {
    /** A device or console that `quiesce` took from its driver; it comes after `handover`. */
    detached?(what: string): void;
    /** The last words, before consoles go and the jump is made. */
    handover?(report: LoadReport | undefined): void;
    /** It failed, and this action is taken now: `reboot`, `poweroff` or `shell`. */
    failure?(error: KexecError, action: string): void;
}
export interface FileReport {
    /** Canonical path; for a section of a UKI, the UKI's path and `#.initrd`. */
    readonly path: string;
    /** Bytes. */
    readonly size: number;
}
/** An archive of the initramfs. */
export interface ArchiveLoaded extends FileReport {
    /**
     * The compression that hid whether it is whole, because it shows only when it is unpacked; null where
     * its framing was followed to its end.
     */
    readonly unchecked: string | null;
}
/** Where a secret was put. Its value appears nowhere. */
export interface SecretReport {
    /** Its place in the next initramfs. */
    readonly destination: string;
    /** Bytes; null where it was not read. */
    readonly size: number | null;
    /** Permission bits, in octal: `0400`. */
    readonly mode: string;
}
/** Where the key of a LUKS volume was put, for whom. */
export interface LuksReport extends SecretReport {
    readonly uuid: string;
    /** Who opens the volume in the next initramfs. */
    readonly framework: Framework;
}
export interface KernelReport extends FileReport {
    /** The image format in the field's own name, with what it was in: `arm64 Image (zboot, gzip)`. */
    readonly format: string;
    /** Release and build text of the image, where it carries one. */
    readonly version: string | null;
    /** Of that the release alone, as `uname -r` shows it. */
    readonly release: string | null;
}
/** A key that signed. */
export interface SignerReport {
    /** Path of the public key. */
    readonly key: string;
    readonly fingerprint: string;
    /** Path of the detached signature. */
    readonly signature: string;
    readonly trustedComment: string | null;
}
/** Who vouches for what was loaded. */
export interface TrustReport {
    readonly signer: {
        /** Path of the public key. */
        readonly key: string;
        /** `minisign:` and the key id, or `sha256:` and 16 digits of the key's SHA-256. */
        readonly fingerprint: string;
    };
    /** Path of the detached signature. */
    readonly signature: string;
    /** minisign's trusted comment, which the signature covers. */
    readonly trustedComment: string | null;
    /** Every key that was counted, the one above first. */
    readonly signers: readonly SignerReport[];
    /** Signatures that were looked at and do not count, each with the reason. */
    readonly passedOver: readonly string[];
}
export interface LoadReport {
    /** `reboot`: for the handover; `crash`: for a panic. */
    readonly target: "reboot" | "crash";
    /** False after a dry run: nothing was given to the kernel. */
    readonly loaded: boolean;
    readonly kernel: KernelReport;
    /** The archives, in the order in which they were joined. */
    readonly initrds: readonly ArchiveLoaded[];
    /** The command line exactly as the next kernel gets it. */
    readonly cmdline: string;
    /** Generation of the manifest that SOURCE is. */
    readonly generation: number | null;
    /** Who signed it; null where nothing had to be signed. */
    readonly trust: TrustReport | null;
    /** Whether `kernel.kexec_load_disabled` was set. */
    readonly locked: boolean;
    /** Milliseconds that the system call took; 0 for a dry run. */
    readonly milliseconds: number;
    /** By what each PCR of the TPM was extended, in this order. */
    readonly measured: readonly LogEntry[];
    /** Where the measurements' log was put; null where none was. */
    readonly measureLog: SecretReport | null;
    /** The secrets that were put behind the archives. */
    readonly secrets: readonly SecretReport[];
    /** The keys of LUKS volumes that were put there. */
    readonly luks: readonly LuksReport[];
    readonly warnings: readonly string[];
}
export interface UnloadReport {
    readonly target: "reboot" | "crash";
    /** Whether a kernel was loaded before; null where the machine does not say. */
    readonly wasLoaded: boolean | null;
}
export interface FetchReport {
    /** The folder that the generation has in the store. */
    readonly path: string;
    readonly generation: number;
    /** False where it was there already, whole. */
    readonly stored: boolean;
    /** Bytes that were written now, and those that an earlier attempt had left. */
    readonly written: number;
    readonly resumed: number;
    /** Who signed it; null where nothing had to be signed. */
    readonly trust: TrustReport | null;
    /** The folders of generations that were removed for it. */
    readonly removed: readonly string[];
}
export interface BlessReport {
    /** What it is called now; null where this system was started from nothing that is counted. */
    readonly path: string | null;
    /** The name that it had, with its counter; null where it had none. */
    readonly was: string | null;
}
}
declare module "aegis-kexec:handoff/request" {
import { type Given, type Parsed } from "aegis-kexec:handoff/request-members";
export const loadMembers: {
    ca: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    clientCert: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    clientKey: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    signal: import("aegis-kexec:handoff/request-members").Optional<AbortSignal | undefined, AbortSignal>;
    /**
     * SOURCE: the path of a kernel image, or of whatever else names one. Of several the first that
     * passes is taken.
     */
    kernel: import("aegis-kexec:handoff/request-members").Member<string | string[], string | string[]>;
    /**
     * Where SOURCE is a menu: the id of an entry, or a title that only one has, or a number from 0; left
     * out: its default.
     */
    entry: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Seconds to wait for the disk or the server that SOURCE is on; default 30. */
    wait: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    /** Where SOURCE is a UKI: the number of a profile of it; left out: its default, 0. */
    profile: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    /** Initramfs archives, joined in this order. */
    initrd: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    /**
     * What becomes of an archive that is cut short or has junk behind it: `refuse`, or `warn`, as who comes
     * from kexec-tools may rely on it. It is refused all the same where something that follows is lost.
     */
    damagedInitrd: import("aegis-kexec:handoff/request-members").Optional<"refuse" | "warn", "refuse" | "warn">;
    /** Archives and a command line that are given replace those of a UKI, under Secure Boot too: kexec-tools' way. */
    inPlaceOfUki: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** The whole command line of the next kernel. */
    cmdline: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Start from the running kernel's command line, without `BOOT_IMAGE=` and `initrd=`. */
    reuseCmdline: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** Words to add to the end of the command line. */
    append: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Files to put into the new initramfs, `SRC:DEST[:MODE]`; their values appear nowhere else. */
    secrets: import("aegis-kexec:handoff/request-members").Optional<import("aegis-kexec:initramfs/secret").SecretSpec[], string | string[]>;
    /** Keys of LUKS volumes, `UUID=SRC[:FRAMEWORK]`, put where the next initramfs looks for them. */
    luks: import("aegis-kexec:handoff/request-members").Optional<import("aegis-kexec:initramfs/secret").SecretSpec[], string | string[]>;
    /** Paths of public keys: accept only what one of them signed. */
    trust: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    /**
     * Detached signatures; default SOURCE.minisig, then SOURCE.sig, and where several keys must have signed also
     * SOURCE.NAME.minisig and SOURCE.NAME.sig.
     */
    signature: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    /** How many of the trusted keys must have signed; it can only raise the policy's number. */
    threshold: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    /** Refuse a manifest with a lower generation. */
    minGeneration: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    /** A policy beside the machine's own, which always applies. */
    policy: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Load the kernel that a panic jumps to, into the memory reserved by `crashkernel=`. */
    crash: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** Once loaded, set `kernel.kexec_load_disabled`: nothing replaces the kernel until reboot. */
    lock: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /**
     * Compare the digest of a signed image with its signature, and warn where it differs: `boot` always does,
     * a dry run too. It reads and digests the whole image, some 10 MiB.
     */
    checkImage: import("aegis-kexec:handoff/request-members").Optional<boolean | undefined, boolean>;
    /** Do everything but the system calls that load and lock. */
    dryRun: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** `auto`, or the address of the ACPI tables as `0x…`, for `acpi_rsdp=`; x86_64 only. */
    acpiRsdp: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Append a line of JSON on this attempt to this file. */
    log: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Extend this PCR of the TPM by what is loaded, before the jump. */
    measure: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    /** Where in the next initramfs the measurements' log is put. */
    measureLog: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Have the kernel log where it places what, where it can: Linux 6.7 and later. */
    debug: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
};
const execMembers: () => {
    /** Flush file systems before the jump, and leave those on block devices read-only. */
    sync: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** Do not go through systemd, where it runs the machine. */
    force: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** Detach drivers before the jump: `gpu`, `usb`, `net`, `storage`, or PCI addresses. */
    quiesce: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    /** Arm the hardware watchdog with so many seconds. */
    watchdog: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    /** What to do when it fails. */
    onFailure: import("aegis-kexec:handoff/request-members").Optional<"poweroff" | "reboot" | "return" | "shell", "poweroff" | "reboot" | "return" | "shell">;
    /** Append a line of JSON on this attempt to this file, flushed before the jump. */
    log: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
};
const unloadMembers: {
    /** Drop the crash kernel instead. */
    crash: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
};
const manifestMembers: () => {
    kernel: import("aegis-kexec:handoff/request-members").Member<string, string>;
    entry: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    wait: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    initrd: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    cmdline: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    reuseCmdline: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    append: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** Name each file's fs-verity digest, too. */
    verity: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** Give each file a second name, `sha256-` and its digest, and list it by that. */
    contentNames: import("aegis-kexec:handoff/request-members").Optional<boolean, boolean>;
    /** The number to write. */
    generation: import("aegis-kexec:handoff/request-members").Optional<number, number>;
};
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
type Asked<T extends {
    kernel: unknown;
}> = Omit<T, "kernel"> & {
    readonly source: T["kernel"];
};
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
export function parseLoadRequest(request: unknown): AskedLoadRequest;
/** Whether there is no other SOURCE to fall back to. */
export function hasOneSource(asked: AskedLoadRequest): asked is ParsedLoadRequest;
/** A request for each SOURCE, in their order. */
export function requestsOf(asked: AskedLoadRequest): readonly ParsedLoadRequest[];
/** @throws KexecError `usage` */
export function parseManifestRequest(request: unknown): ParsedManifestRequest;
/** @throws KexecError `usage` */
export function parseExecRequest(request: unknown): ParsedExecRequest;
/** A request for both, taken apart. @throws KexecError `usage` */
export function parseBootRequest(request: unknown): {
    readonly load: AskedLoadRequest;
    readonly exec: ParsedExecRequest;
};
/** @throws KexecError `usage` */
export function parseUnloadRequest(request: unknown): ParsedUnloadRequest;
}
declare module "aegis-kexec:handoff/request-members" {
/** Ends the reading of a member with the reason why. */
export type Refuse = (why: string) => never;
/** What may stand in a request under a name: `Out` is made of the `In` that a caller gives. */
export interface Member<Out, In = Out> {
    readonly read: (value: unknown, refuse: Refuse) => Out;
    /** Of the type alone; no member has it. */
    readonly given?: In;
    readonly required: boolean;
    /** Where it is left out. */
    readonly otherwise?: Out;
}
/** One that may be left out. */
export interface Optional<Out, In = Out> extends Member<Out, In> {
    readonly required: false;
}
export type Members = Readonly<Record<string, Member<unknown>>>;
type OutOf<M> = M extends Member<infer Out, unknown> ? Out : never;
type InOf<M> = M extends Member<unknown, infer In> ? In : never;
type Shown<T> = {
    [K in keyof T]: T[K];
};
/** What a caller may give. */
export type Given<M extends Members> = Shown<{
    [K in keyof M as M[K] extends Optional<unknown> ? never : K]: InOf<M[K]>;
} & {
    [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: InOf<M[K]> | undefined;
}>;
/** What becomes of it. */
export type Parsed<M extends Members> = Shown<{
    [K in keyof M as undefined extends OutOf<M[K]> ? never : K]: OutOf<M[K]>;
} & {
    [K in keyof M as undefined extends OutOf<M[K]> ? K : never]?: OutOf<M[K]>;
}>;
export function member<Out, In = Out>(read: Member<Out, In>["read"]): Member<Out, In>;
export function optional<Out, In>({ read }: Member<Out, In>): Optional<Out | undefined, In>;
export function optionalOr<Out, In>({ read }: Member<Out, In>, otherwise: Out): Optional<Out, In>;
/** Text, of which something may be made. */
export function textOf<Out>(make: (text: string, refuse: Refuse) => Out, wrong?: string): Member<Out, string>;
export const text: Member<string, string>;
export const path: Member<string, string>;
export const boolean: Member<boolean, boolean>;
export const flag: Optional<boolean, boolean>;
interface Limits {
    readonly least?: number;
    readonly most?: number;
    /** Why there is no more. */
    readonly because?: string;
    readonly seconds?: true;
}
export function wholeNumber(limits?: Limits): Member<number>;
export function oneOf<const Word extends string>(words: readonly Word[], wrong: string): Member<Word>;
/** A list, or one of its elements alone; `wanted` names what it is a list of. */
export function listOf<Out, In>(element: Member<Out, In>, wanted: string): Optional<Out[], In | In[]>;
/** A day: hardware counts no further, and nothing else is waited for so long. */
export const longestWait = 86400;
/** A request with any members. @throws KexecError `usage` */
export function anyMembers(request: unknown, name: string): Readonly<Record<string, unknown>>;
/** @throws KexecError `usage`, naming the first wrong member */
export function parse<M extends Members>(members: M, request: unknown, name: string): Parsed<M>;
}
declare module "aegis-kexec:handoff/stages/interruption" {
/**
 * Holds the signals back from `start` to disposal, and then raises the one that came. Others that
 * would end the process, and that nobody sends to ask it to stop, are ignored meanwhile.
 */
export class Interruption implements Disposable {
    private signal;
    private readonly others;
    private constructor();
    private readonly listener;
    private waiting;
    static start(): Interruption;
    readonly came: () => boolean;
    /** What calls off a wait, where a signal comes or the caller says so: nothing else is held up by a server. */
    or(other: AbortSignal | undefined): AbortSignal;
    /** Lets a signal that arrived during a system call be seen, and throws if there was one. */
    check(): Promise<void>;
    [Symbol.dispose](): void;
}
}
declare module "aegis-kexec:handoff/status" {
/** What is loaded, and what this machine allows. */
import type { Architecture } from "aegis-kexec:architecture";
import { type KnownPlatform } from "aegis-kexec:diagnosis/platforms";
import { type Displays } from "aegis-kexec:machine/displays";
import { type MachineFacts } from "aegis-kexec:machine/facts";
import type { Lockdown } from "aegis-kexec:machine/kernel";
import type { RevokedHash, TrustedKey } from "aegis-kexec:machine/proc-keys";
import type { BankValues, TpmFacts } from "aegis-kexec:machine/tpm-facts";
import { type SessionKeeper } from "aegis-kexec:handoff/leave/live-update";
/** `null` stands for what could not be read; `unknown` says why. */
export interface Status {
    readonly architecture: Architecture;
    /** Release of the running kernel. */
    readonly release: string;
    readonly kexec: {
        /** The kernel has kexec_file_load(2). */
        readonly fileLoad: boolean | null;
        readonly loaded: boolean | null;
        readonly crashLoaded: boolean | null;
        /** Bytes that `crashkernel=` reserves. */
        readonly crashSize: number | null;
        /** `kernel.kexec_load_disabled`. */
        readonly disabled: boolean | null;
        /** Loads that are left; -1: unlimited. */
        readonly loadLimitReboot: number | null;
        readonly loadLimitPanic: number | null;
    };
    /** What the kernel does about the signatures of kernel images. */
    readonly signatures: {
        /** It looks at them. */
        readonly checked: boolean | null;
        /** It refuses an image that has no good one. */
        readonly enforced: boolean | null;
        /** IMA appraises kernels by their `security.ima`. */
        readonly imaAppraisal: boolean | null;
    };
    readonly lockdown: Lockdown | null;
    readonly secureBoot: boolean | null;
    /** No platform key is enrolled in firmware. */
    readonly setupMode: boolean | null;
    /** By whom an image may be signed, and what is revoked. */
    readonly keyrings: {
        readonly builtin: readonly TrustedKey[] | null;
        readonly secondary: readonly TrustedKey[] | null;
        readonly machine: readonly TrustedKey[] | null;
        readonly platform: readonly TrustedKey[] | null;
        readonly blacklist: {
            readonly certificates: readonly TrustedKey[];
            /** How many hashes of certificates (`tbs`) and files (`bin`) it has. */
            readonly hashes: Readonly<Record<RevokedHash["of"], number>>;
        } | null;
    };
    /** The TPM that `--measure` extends; null where the kernel has none, which is no unknown. */
    readonly tpm: {
        readonly device: string;
        readonly version: "1.2" | "2.0" | null;
        /** Manufacturer and vendor text. */
        readonly vendor: string | null;
        /** The values of PCR 0 to 15, as lower-case hex. */
        readonly banks: readonly BankValues[] | null;
    } | null;
    /** The machine's own policy; null where there is none, which is no unknown. */
    readonly policy: PolicyStatus | null;
    readonly privilege: {
        readonly capSysBoot: boolean | null;
        readonly initialUserNamespace: boolean | null;
        readonly initialPidNamespace: boolean | null;
        /** `none`, or the name of the container manager; `unnamed` where it has none. */
        readonly container: string | null;
    };
    /** Bytes. */
    readonly memory: {
        readonly total: number | null;
        readonly available: number | null;
    };
    /** The running kernel uses 5-level paging, which the next one must be able to start under. */
    readonly fiveLevelPaging: boolean | null;
    readonly handover: {
        /** Kexec handover (KHO) is on. */
        readonly enabled: boolean | null;
        /**
         * Whether its state was finalized, which Linux 6.16 to 6.18 want before the load; null where
         * the kernel has no such step, which is no unknown.
         */
        readonly finalized: boolean | null;
        /** Bytes of the largest scratch area, one of which every file of a load must fit in; null where handover is off. */
        readonly scratch: number | null;
        /** The live update orchestrator (LUO) has its device. */
        readonly liveUpdate: boolean | null;
        /**
         * Who keeps its sessions over a handover of the whole system. `systemd`: from 261 on, those that units put into
         * their stores; `nobody`: an older one, which stops the agents; `agents`: nobody stops them. Null without LUO.
         */
        readonly sessions: SessionKeeper | null;
    };
    /** What the kernel does for a crash kernel. */
    readonly crash: {
        /** It tells a loaded one of processors, and of memory, that come and go; if not, load it again. */
        readonly updatesProcessors: boolean | null;
        readonly updatesMemory: boolean | null;
        /** Keys of encrypted disks that it gives the next one that is loaded. */
        readonly keys: number | null;
        /** They are those of the last load, and need not be in a keyring. */
        readonly keysReused: boolean | null;
    };
    /** The screen of this machine, and the consoles in use. */
    readonly screen: {
        readonly given: Displays["given"];
        /** Who draws on it; null: nobody, or the text console. */
        readonly owner: string | null;
        /** Whether that is a driver of the device itself. */
        readonly native: boolean;
        /** The module that drives the device; null where none is known. */
        readonly driver: string | null;
        readonly consoles: readonly string[];
    };
    /** What is known of handovers on such a machine, each with its source. */
    readonly platforms: readonly KnownPlatform[];
    /** Path of a member above, to the reason why it is null. */
    readonly unknown: Readonly<Record<string, string>>;
}
/** A policy in force, or why there is none that can be kept: then nothing is loaded. */
export type PolicyStatus = {
    readonly path: string;
    readonly broken: false;
    /** Paths of the public keys. */
    readonly trust: readonly string[];
    /** How many of them must have signed. */
    readonly threshold: number;
    readonly minGeneration: number | null;
    readonly allowAppend: readonly string[];
    /** Places where secrets may be put, and below which. */
    readonly allowSecret: readonly string[];
    /** Types that may be mounted to read a source; null where it names none. */
    readonly fileSystems: readonly string[] | null;
    /** What is measured before the jump; null where it asks for nothing. */
    readonly measure: {
        readonly pcr: number;
        readonly required: boolean;
    } | null;
} | {
    readonly path: string;
    readonly broken: true;
    readonly why: string;
};
/** @throws KexecError `unsupported-platform`, `unsupported-architecture`, `no-jit`, `no-libc` */
export function status(): Promise<Status>;
/** What bears on what comes after a handover. */
interface Seen {
    readonly displays: Displays;
    readonly platforms: readonly KnownPlatform[];
}
/** The facts in the form that is shown. */
export function statusOf(facts: MachineFacts, policy: PolicyStatus | null, tpm?: TpmFacts | undefined, { displays, platforms }?: Seen): Status;
}
declare module "aegis-kexec:handoff/storing/request" {
import { type Given, type Parsed } from "aegis-kexec:handoff/request-members";
const fetchMembers: {
    ca: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    clientCert: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    clientKey: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    signal: import("aegis-kexec:handoff/request-members").Optional<AbortSignal | undefined, AbortSignal>;
    /** SOURCE: a manifest, or a folder of generations. */
    source: import("aegis-kexec:handoff/request-members").Member<string, string>;
    /** The folder of generations that it is stored in: a path, or a place on a disk. */
    store: import("aegis-kexec:handoff/request-members").Member<string, string>;
    entry: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    wait: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    trust: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    signature: import("aegis-kexec:handoff/request-members").Optional<string[], string | string[]>;
    threshold: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    minGeneration: import("aegis-kexec:handoff/request-members").Optional<number | undefined, number>;
    policy: import("aegis-kexec:handoff/request-members").Optional<string | undefined, string>;
    /** How many generations stay in the store. */
    keep: import("aegis-kexec:handoff/request-members").Optional<number, number>;
};
/** What `fetch` takes. */
export type FetchRequest = Given<typeof fetchMembers>;
export type ParsedFetchRequest = Parsed<typeof fetchMembers>;
/** @throws KexecError `usage` */
export function parseFetchRequest(request: unknown): ParsedFetchRequest;
}
declare module "aegis-kexec:handoff/unload" {
/** Drops the loaded kernel. */
import type { UnloadReport } from "aegis-kexec:handoff/report";
import { type UnloadRequest } from "aegis-kexec:handoff/request";
/**
 * Drops the loaded kernel, or the crash kernel. Nothing loaded is not an error: the report says so.
 * @throws KexecError `no-capability`, `kexec-disabled`, `load-limit-reached`, `busy`,
 *   `no-kexec-file`, `not-permitted`, `io-error`, `usage`
 */
export function unload(request?: UnloadRequest): Promise<UnloadReport>;
}
declare module "aegis-kexec:index" {
/**
 * aegis-kexec as a library: hand a Linux machine over from one kernel to the next.
 *
 * Every function that asks something of the machine returns a promise and throws `KexecError` and
 * nothing else on purpose. On anything but Linux the package imports, and each of them throws
 * `unsupported-platform`.
 */
export { type Action, type Details, type DetailsOf, type ErrorCode, ExitCode, errorCodes, hasCode, KexecError, type KexecErrorDetail, type KexecErrorOf, } from "aegis-kexec:errors";
export { exec, loadAndExec } from "aegis-kexec:handoff/exec";
export { fetch } from "aegis-kexec:handoff/fetch";
export { type InspectRequest, inspect } from "aegis-kexec:handoff/inspect";
export type { ArchiveReport, CmdlineReport, EntryReport, ImageReport, Inspection, ManifestReport, Reason, SignatureReport, SourceReport, TrustInspection, Verdict, } from "aegis-kexec:handoff/inspection/inspection";
export { load } from "aegis-kexec:handoff/load";
export { manifest } from "aegis-kexec:handoff/manifest";
export type { FetchReport, FileReport, KernelReport, LoadReport, Observer, TrustReport, UnloadReport, } from "aegis-kexec:handoff/report";
export type { ExecRequest, LoadRequest, ManifestRequest, UnloadRequest, } from "aegis-kexec:handoff/request";
export { type PolicyStatus, type Status, status } from "aegis-kexec:handoff/status";
export type { FetchRequest } from "aegis-kexec:handoff/storing/request";
export { unload } from "aegis-kexec:handoff/unload";
export type { Phase } from "aegis-kexec:listener";
}
declare module "aegis-kexec:initramfs/luks/volume" {
/** A LUKS volume, who opens it in an initramfs, and where its key is looked for. */
/** What opens volumes in an initramfs: systemd-cryptsetup, cryptsetup-initramfs, mkinitcpio's hook `encrypt`. */
export const frameworks: readonly ["systemd", "initramfs-tools", "encrypt"];
export type Framework = (typeof frameworks)[number];
export interface LuksVolume {
    /** As udev writes it: lower case. */
    readonly uuid: string;
    /** Undefined: told from the archives. */
    readonly framework: Framework | undefined;
}
/** The folder where systemd-cryptsetup looks for keys: crypttab(5). The others are told to look there. */
export const keyFolder = "/etc/cryptsetup-keys.d";
/** Where the key of a volume lies whose name nothing says. */
export function usualPlace(uuid: string): string;
}
declare module "aegis-kexec:initramfs/secret" {
/**
 * What `--secret SRC:DEST[:MODE]` says. Only where a secret comes from and goes
 * to; its bytes never pass through here.
 */
import { KexecError } from "aegis-kexec:errors";
import type { LuksVolume } from "aegis-kexec:initramfs/luks/volume";
export type SecretSource = {
    readonly kind: "standard-input";
} | {
    readonly kind: "descriptor";
    readonly descriptor: number;
} | {
    readonly kind: "file";
    readonly path: string;
};
export interface SecretSpec {
    readonly source: SecretSource;
    /** Absolute and normalised path in the new initramfs. */
    readonly destination: string;
    /** Permission bits, 0 to 0o777. */
    readonly mode: number;
    /** It is the key of this volume: its place is the usual one until the archives were looked at. */
    readonly luks?: LuksVolume;
}
/** Most bytes of one secret. */
export const secretSizeLimit: number;
/**
 * Parses one SRC:DEST[:MODE]. SRC is a path, `-` or `fd:N`; files of such names
 * are written `./-`. DEST begins at the last `:/`, so SRC may contain colons
 * and DEST may not.
 * @throws KexecError `usage`: it cannot be taken apart. `malformed-input`: DEST
 * breaks a rule of `checkDestination`.
 */
export function parseSecret(text: string): SecretSpec;
/** Takes SRC: a path, `-` or `fd:N`. */
export function parseSource(text: string, refuse: (why: string, hint: string) => KexecError): SecretSource;
/**
 * The rules of a place for a secret: absolute, normalised, no trailing slash,
 * nothing that a terminal or an archive cannot show.
 * @throws KexecError `malformed-input`
 */
export function checkDestination(destination: string): void;
/**
 * The rules between secrets; those of each were checked when it was parsed.
 * @throws KexecError `malformed-input`: a destination is given twice or is a
 * directory of another one; a source that can be read once is given twice.
 */
export function checkSecrets(secrets: readonly SecretSpec[]): void;
/**
 * Places that are covered before anybody reads them: `init` of initramfs-tools and systemd (mount_table in
 * src/shared/mount-setup.c, tmp.mount) mount a new file system over each. dracut without systemd keeps /run.
 */
export const covered: string[];
/** What to say of a place where a secret is likely to be gone before it is read; undefined where it stays. */
export function placeWarning(destination: string): string | undefined;
}
declare module "aegis-kexec:listener" {
/** The parts of long work, by words that programs go by. Words are added, never renamed. */
export type Phase = 
/** SOURCE is looked for, opened, and its menu read. */
"open" | "download" | "verify" | "copy" | "unpack" | "join" | "measure"
/** kexec_file_load(2): the kernel reads, checks and places the files. */
 | "call" | "store"
/** File systems are flushed, services stopped. */
 | "flush" | "handover";
/** Hears of what goes on. Every member is optional; none is called with a secret. */
export interface Listener {
    /** A step that was taken, for `--verbose`. */
    note?(line: string): void;
    /** Something that the user should know, though it does not stop the work. */
    warn?(line: string): void;
    /**
     * Work that can be long. `done` and `total` are bytes; both are 0 where a phase begins whose size is
     * not known, which ends when the next begins.
     */
    progress?(step: string, done: number, total: number, phase: Phase): void;
}
}
declare module "aegis-kexec:machine/build-facts" {
import { type Reading } from "aegis-kexec:machine/reading";
/** Options that were asked for; each is unknown where neither configuration nor symbols tell. */
export interface BuildFacts {
    /** CONFIG_KEXEC_FILE. */
    readonly kexecFile: Reading<boolean>;
    /** CONFIG_KEXEC_SIG: signatures of images are looked at. */
    readonly kexecSig: Reading<boolean>;
    /** A verifier for this architecture's images; without one every check fails. */
    readonly kexecVerifier: Reading<boolean>;
    /** CONFIG_KEXEC_SIG_FORCE. */
    readonly kexecSigForce: Reading<boolean>;
    /** CONFIG_IMA_ARCH_POLICY: under Secure Boot it makes the signature check compulsory. */
    readonly imaArchPolicy: Reading<boolean>;
    /** CONFIG_IMA_APPRAISE. */
    readonly imaAppraise: Reading<boolean>;
    /** CONFIG_IMA_WRITE_POLICY: a policy may have been loaded without a trace. */
    readonly imaWritePolicy: Reading<boolean>;
    /** CONFIG_KEXEC_HANDOVER. */
    readonly kexecHandover: Reading<boolean>;
    /** CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT: on without `kho=on`. */
    readonly kexecHandoverDefault: Reading<boolean>;
}
/** @param release `uname -r` */
export function readBuildFacts(release: string): BuildFacts;
/** The facts in a kernel's configuration, the text of a `.config`. */
export function factsOfConfig(config: string): BuildFacts;
/** A function that is there only where the option is: kernel/kexec_file.c and others. */
const tellingSymbols: {
    readonly kexecFile: "kimage_file_post_load_cleanup";
    readonly kexecSig: "set_kexec_sig_enforced";
    readonly kexecVerifier: "verify_pefile_signature";
    readonly imaArchPolicy: "arch_get_ima_policy";
    readonly imaAppraise: "ima_appraise_measurement";
    readonly kexecHandover: "kho_fill_kimage";
};
type TellingSymbol = keyof typeof tellingSymbols;
/** @param symbols names found in /proc/kallsyms; undefined where that could not be read */
export function factsOfSymbols(symbols: ReadonlySet<TellingSymbol> | undefined): BuildFacts;
/**
 * Lines are `address type name`, a module's name behind it (kernel/kallsyms.c, s_show), in the order
 * of the addresses (scripts/kallsyms.c). The functions asked for are no init functions, so they stand
 * before the end of the kernel's text (include/asm-generic/vmlinux.lds.h); data, what was init text,
 * and modules come behind it.
 * @param read fills a buffer from its start on; how many bytes, 0 at the end, or -errno
 * @returns undefined where nothing can be read
 */
export function findSymbols(read: (buffer: Uint8Array) => number): ReadonlySet<TellingSymbol> | undefined;
}
declare module "aegis-kexec:machine/crash" {
/** What the running kernel does for a crash kernel, beside reserving memory for it. */
import type { CmdlineLimit } from "aegis-kexec:source/cmdline";
import { type Reading } from "aegis-kexec:machine/reading";
export interface CrashFacts {
    /**
     * The kernel itself tells the loaded crash kernel of processors, and of memory, that come and go
     * (CONFIG_CRASH_HOTPLUG); otherwise it must be loaded again.
     */
    readonly updatesProcessors: Reading<boolean>;
    readonly updatesMemory: Reading<boolean>;
    /** Keys of encrypted disks that it gives a crash kernel (CONFIG_CRASH_DM_CRYPT). */
    readonly keys: Reading<number>;
    /** A later load takes the keys of the one before, which then need not be in a keyring. */
    readonly keysReused: Reading<boolean>;
}
export function readCrashFacts(release: string, crashLoaded: Reading<boolean>): CrashFacts;
/** Undefined where the kernel has no such keys, or configfs is not mounted. */
export function readKeyCount(): Reading<number> | undefined;
/** What bounds the command line of a crash kernel, which may get a word on keys. */
export function withKeyRoom<L extends CmdlineLimit>(limit: L): L;
/** Bytes of reserved memory that keys take: struct keys_header, whole pages (kernel/crash_dump_dm_crypt.c). */
export function keyMemory(keys: number): number;
}
declare module "aegis-kexec:machine/displays" {
/** The screens of this machine: what firmware set up, who draws on it now, and which consoles are in use. */
export interface Owner {
    /** As /proc/fb or its device's driver calls it. */
    readonly name: string;
    /** A driver of the device itself, which sets modes; not one of what firmware set up. */
    readonly native: boolean;
    /** It leaves the screen as firmware had set it up. */
    readonly restores?: boolean;
}
export interface Displays {
    /**
     * What this kernel was told of a screen, which it tells the next one: VGA's text mode, a frame buffer of EFI or
     * of VESA, one in the device tree.
     */
    readonly given: "none" | "text" | "efi" | "vesa" | "tree" | "other";
    /** Who draws on the screen; undefined: nobody, or the text console. */
    readonly owner: Owner | undefined;
    /** The module that drives the graphics device, bound to it or not; undefined where none is known. */
    readonly native: string | undefined;
    /** Names of the consoles that the kernel writes to, the preferred one first. */
    readonly consoles: readonly string[];
}
export function readDisplays(): Displays;
/**
 * Whether what a descriptor is open on is shown on a screen: a virtual terminal, or /dev/console where that is one.
 */
export function isOnScreen(fd: number): boolean;
}
declare module "aegis-kexec:machine/facts" {
/** Everything about this machine that `status` shows and `inspect` predicts by. */
import { type BuildFacts } from "aegis-kexec:machine/build-facts";
import { type CrashFacts } from "aegis-kexec:machine/crash";
import { type Firmware } from "aegis-kexec:machine/firmware";
import { type KernelIdentity, type KexecState, type Lockdown, type Memory, type Privilege } from "aegis-kexec:machine/kernel";
import { type LiveUpdate } from "aegis-kexec:machine/live-update";
import type { Keyrings } from "aegis-kexec:machine/proc-keys";
import { type Reading } from "aegis-kexec:machine/reading";
export interface MachineFacts {
    readonly identity: KernelIdentity;
    readonly kexec: KexecState;
    readonly build: BuildFacts;
    readonly lockdown: Reading<Lockdown>;
    readonly firmware: Firmware;
    readonly signatures: SignatureRules;
    /** IMA appraises kernels. */
    readonly appraisal: Reading<boolean>;
    readonly keyrings: Keyrings;
    readonly privilege: Privilege;
    /** `none`, or the container manager's name. */
    readonly container: Reading<string>;
    readonly memory: Memory;
    readonly fiveLevelPaging: Reading<boolean>;
    readonly liveUpdate: LiveUpdate;
    readonly crash: CrashFacts;
}
/** What the kernel does about the signatures of images: kimage_validate_signature. */
export interface SignatureRules {
    /** It looks at them. Lockdown has an effect on kexec_file_load(2) only where it does. */
    readonly checked: Reading<boolean>;
    /** It refuses an image without a good one. */
    readonly enforced: Reading<boolean>;
}
/**
 * Some of it takes megabytes of /proc/kallsyms to find out, so a load reads none of it.
 * @throws KexecError `unsupported-platform`, `unsupported-architecture`, `no-jit`, `no-libc`
 */
export function readMachineFacts(): MachineFacts;
/**
 * The check is compulsory with CONFIG_KEXEC_SIG_FORCE, and under Secure Boot with
 * CONFIG_IMA_ARCH_POLICY (security/integrity/ima/ima_efi.c, arch_get_ima_policy).
 */
export function signatureRules(build: BuildFacts, firmware: Firmware): SignatureRules;
/**
 * Whether IMA appraises kernels: by its policy, or under Secure Boot in place of the signature check
 * that the kernel was built without (security/integrity/ima/ima_efi.c, sb_arch_rules).
 */
export function readKernelAppraisal(build: BuildFacts, firmware: Firmware): Reading<boolean>;
}
declare module "aegis-kexec:machine/firmware" {
/** What UEFI firmware says of itself: efivarfs, /sys/firmware/efi and the kernel's boot log. */
import { type Reading } from "aegis-kexec:machine/reading";
export interface Firmware {
    /** The running kernel was started by UEFI and knows it. */
    readonly uefi: Reading<boolean>;
    /** Firmware starts only what is signed. */
    readonly secureBoot: Reading<boolean>;
    /** No platform key is enrolled, so that anyone may enrol keys. */
    readonly setupMode: Reading<boolean>;
    /** EFI runtime services are those of 32-bit firmware. */
    readonly efi32Runtime: Reading<boolean>;
}
export function readFirmware(): Firmware;
/**
 * `secure_boot` of boot_params (Documentation/arch/x86/zero-page.rst): enum efi_secureboot_mode of
 * include/linux/efi.h, where 2 is disabled, 3 enabled, and the others say nothing.
 */
export function bootParamsSecureBoot(bytes: Uint8Array): boolean | undefined;
/** The value of a variable of one byte, with its attributes in front. */
export function flagOf(bytes: Uint8Array): boolean | undefined;
}
declare module "aegis-kexec:machine/kernel" {
/** The facts about this machine that decide whether a kernel can be loaded and handed over to. */
import type { Architecture } from "aegis-kexec:architecture";
import { type Reading } from "aegis-kexec:machine/reading";
export type Lockdown = "none" | "integrity" | "confidentiality";
/** Who this process is to the kernel. */
export interface Privilege {
    /** CAP_SYS_BOOT is in the effective set. */
    readonly capSysBoot: Reading<boolean>;
    /** The kernel asks for the capability in the initial user namespace, so in a container it is not enough. */
    readonly initialUserNamespace: Reading<boolean>;
    /** In another pid namespace reboot(2) acts on that namespace and refuses KEXEC. */
    readonly initialPidNamespace: Reading<boolean>;
}
/** What the kernel says about kexec: Documentation/ABI/testing/sysfs-kernel-kexec-kdump, sysctl/kernel.rst. */
export interface KexecState {
    readonly loaded: Reading<boolean>;
    readonly crashLoaded: Reading<boolean>;
    /** Bytes reserved by `crashkernel=`; 0 when none are. */
    readonly crashSize: Reading<number>;
    readonly disabled: Reading<boolean>;
    /** Loads that are left; -1 means unlimited. */
    readonly loadLimitReboot: Reading<number>;
    readonly loadLimitPanic: Reading<number>;
}
/** Bytes, from /proc/meminfo. */
export interface Memory {
    readonly total: Reading<number>;
    readonly available: Reading<number>;
    /** Swap that is free, and the pages of programs that could go there. */
    readonly swapFree: Reading<number>;
    readonly swappable: Reading<number>;
}
const kexecReaders: {
    loaded: () => Reading<boolean>;
    crashLoaded: () => Reading<boolean>;
    crashSize: () => Reading<number>;
    disabled: () => Reading<boolean>;
    loadLimitReboot: () => Reading<number>;
    loadLimitPanic: () => Reading<number>;
};
/** One of the facts, for who needs no other. */
export function readKexecFact<Fact extends keyof KexecState>(fact: Fact): ReturnType<(typeof kexecReaders)[Fact]>;
export function readKexecState(): KexecState;
/** Lockdown of the running kernel: `none [integrity] confidentiality` (security/lockdown/lockdown.c). */
export function readLockdown(): Reading<Lockdown>;
export function parseLockdown(text: string): Lockdown | undefined;
export function readPrivilege(): Privilege;
/** The rights that a load takes. */
export function readLoadPrivilege(): Omit<Privilege, "initialPidNamespace">;
export function readMemory(): Memory;
export function meminfoField(meminfo: string, field: string): Reading<number>;
export interface KernelIdentity {
    readonly architecture: Architecture;
    /** `uname -r`. */
    readonly release: string;
}
/** struct new_utsname: six fields of 65 bytes, include/uapi/linux/utsname.h. */
export function readIdentity(): KernelIdentity;
/** The running kernel's command line, one line without its newline. */
export function readRunningCmdline(): Reading<string>;
/**
 * Whether the running kernel uses 5-level paging: it takes `la57` out of the flags where it does
 * not (Documentation/arch/x86/cpuinfo.rst). The first processor speaks for all.
 */
export function readFiveLevelPaging(): Reading<boolean>;
export function fiveLevelPagingIn(cpuinfo: string): boolean | undefined;
}
declare module "aegis-kexec:machine/live-update" {
/**
 * Kexec handover and the live update orchestrator: kernel/liveupdate/, and before Linux 6.19
 * kernel/kexec_handover.c. /dev/liveupdate is never opened: that alone would change its state.
 */
import type { BuildFacts } from "aegis-kexec:machine/build-facts";
import { type Reading } from "aegis-kexec:machine/reading";
export interface LiveUpdate {
    /** The running kernel hands preserved memory over to the next one. */
    readonly handover: Reading<boolean>;
    /**
     * Linux 6.16 to 6.18 hand over only once `finalize` holds 1, before the load; null where the
     * kernel has no such step.
     */
    readonly finalized: Reading<boolean | null>;
    /** /dev/liveupdate is there: agents can keep sessions over the handover. */
    readonly orchestrator: Reading<boolean>;
    /** Bytes of the largest scratch area, one of which every file of a load must fit in; null where handover is off. */
    readonly scratch: Reading<number | null>;
}
export function readLiveUpdate(build: BuildFacts): LiveUpdate;
/** The largest of a list of sizes, a line each: scratch_len_show, kernel/liveupdate/kexec_handover_debugfs.c. */
export function scratchList(text: string): number | undefined;
export interface HandoverEvidence {
    /** debugfs has a `kho` folder, which is there only while handover is on. */
    readonly debugEntry: boolean;
    /** /dev/liveupdate exists, which takes handover. */
    readonly orchestrator: boolean;
    readonly built: Reading<boolean>;
    readonly byDefault: Reading<boolean>;
    readonly cmdline: Reading<string>;
    /** What the boot log says: that it failed, or, all of it being there, that it did not. */
    readonly log: "failed" | "silent" | undefined;
}
/**
 * Whether handover is on. That it was asked for is not enough: the kernel switches it off where it
 * finds no memory for its scratch area.
 */
export function judgeHandover(evidence: HandoverEvidence): Reading<boolean>;
/**
 * The largest of the sizes in `kho_scratch=low,global,node`; undefined for a percentage, and where
 * it is not there (kho_parse_scratch_size; numbers by the rules of memparse, lib/cmdline.c).
 */
export function scratchParameter(cmdline: string): number | undefined;
}
declare module "aegis-kexec:machine/platform" {
/** What this machine is, as far as it bears on what comes after a handover. */
export interface Platform {
    /** `uname -r`. */
    readonly release: string;
    /** As firmware calls itself (DMI); empty where it does not. */
    readonly vendor: string;
    readonly product: string;
    /** Of the first processor: Documentation/arch/x86/cpuinfo.rst. */
    readonly flags: readonly string[];
    readonly bugs: readonly string[];
    /** `PV`, `PVH`, `HVM`: Documentation/ABI/stable/sysfs-hypervisor-xen; undefined: not on Xen. */
    readonly xen: string | undefined;
    /** How processors are started: Documentation/devicetree/bindings/arm/cpus.yaml. */
    readonly enableMethods: readonly string[];
    /** A GICv3 with message-signalled interrupts. */
    readonly gicIts: boolean;
    readonly efi: boolean;
    /** Drivers that are bound to PCI devices. */
    readonly drivers: readonly string[];
}
export function readPlatform(release: string): Platform;
}
declare module "aegis-kexec:machine/proc-keys" {
/** Lines of /proc/keys: proc_keys_show in security/keys/proc.c. Pure. */
import type { Reading } from "aegis-kexec:machine/reading";
/** A key as the kernel lists it; its text is whoever's certificate it came from. */
export interface ListedKey {
    readonly serial: number;
    /** `keyring`, `asymmetric`, `blacklist` ... */
    readonly type: string;
    /** Without what the type adds to it; control characters are left out. */
    readonly description: string;
    /** What the type adds behind the description, such as `X509.rsa 2d7afc45 []`. */
    readonly detail: string;
    /** Revoked, dead, invalidated or negative: no use to anyone. */
    readonly usable: boolean;
}
/** A certificate in a keyring. */
export interface TrustedKey {
    /** As the kernel composes it from the certificate: organisation and common name. */
    readonly subject: string;
    /** Subject key identifier, or the serial number where the certificate has none; lower-case hex. */
    readonly id: string;
}
/** An entry of `.blacklist` that is no certificate: certs/blacklist.c. */
export interface RevokedHash {
    /** `tbs`: of a certificate's signed part; `bin`: of a file. */
    readonly of: "tbs" | "bin";
    /** Lower-case hex. */
    readonly hash: string;
}
/** The names of the keyrings, by what they are called here. */
export const keyringNames: {
    readonly builtin: ".builtin_trusted_keys";
    readonly secondary: ".secondary_trusted_keys";
    readonly machine: ".machine";
    readonly platform: ".platform";
    readonly blacklist: ".blacklist";
};
export type TrustedKeyringName = Exclude<keyof typeof keyringNames, "blacklist">;
/** What `.blacklist` revokes. */
export interface Revocations {
    readonly certificates: readonly TrustedKey[];
    readonly hashes: readonly RevokedHash[];
}
/** A keyring that the kernel does not have is empty: nobody is trusted, or revoked, by it. */
export interface Keyrings {
    readonly trusted: Readonly<Record<TrustedKeyringName, Reading<readonly TrustedKey[]>>>;
    readonly blacklist: Reading<Revocations>;
}
/** The keys that the text lists; a line of another form is left out. */
export function parseKeys(text: string): readonly ListedKey[];
/** The certificate that a key is; undefined for other keys. x509_key_preparse: "subject: id". */
export function trustedKeyOf(key: ListedKey): TrustedKey | undefined;
/** The hash that a key of `.blacklist` stands for; undefined for other keys. */
export function revokedHashOf(key: ListedKey): RevokedHash | undefined;
}
declare module "aegis-kexec:machine/reading" {
/** What was read of the machine. What could not be read says why; it is never taken for "no". Pure. */
export type Reading<T> = {
    readonly known: true;
    readonly value: T;
} | {
    readonly known: false;
    readonly why: string;
};
export function known<T>(value: T): Reading<T>;
export function unknown(why: string): {
    readonly known: false;
    readonly why: string;
};
/** The value, or undefined where it is unknown. */
export function valueIn<T>(reading: Reading<T>): T | undefined;
export function parseBoolean(text: string): boolean | undefined;
/** A decimal integer that is safe in a JavaScript number. */
export function parseInteger(text: string): number | undefined;
}
declare module "aegis-kexec:machine/tpm-facts" {
import { type TpmHash } from "aegis-kexec:trust/tpm/commands";
import { type Reading } from "aegis-kexec:machine/reading";
/** The PCRs of one bank that last until a reboot: 0 to 15, as lower-case hex. */
export interface BankValues {
    readonly bank: TpmHash;
    readonly pcrs: Readonly<Record<string, string>>;
}
export interface TpmFacts {
    /** The device that `--measure` uses: with the resource manager, where the kernel has one. */
    readonly device: string;
    readonly version: Reading<"1.2" | "2.0">;
    /** Manufacturer and vendor text. */
    readonly vendor: Reading<string>;
    readonly banks: Reading<readonly BankValues[]>;
}
/** Undefined where the kernel has none. */
export function readTpmFacts(): Promise<TpmFacts | undefined>;
}
declare module "aegis-kexec:remedies/remedies" {
/** What to do about an error: its remedy, the hint as it is told, and its data. */
import { type Kinds, makeRemedies } from "aegis-kexec:remedies/table";
type Table = ReturnType<typeof makeRemedies>;
/** The codes that have a remedy: all of them. */
export type RemediedCode = keyof Table;
/** The data of an error with this code. What a case does not know is left out. */
export type DetailsOf<C extends RemediedCode> = C extends RemediedCode ? DataOf<Table[C]["details"]> : never;
type DataOf<D> = {
    readonly [Name in keyof D]?: D[Name] extends keyof Kinds ? Kinds[D[Name]] | undefined : never;
};
/** The data of any error. */
export type Details = Readonly<Record<string, string | number | readonly string[] | undefined>>;
export function remedies(): Table;
/** Of what is known, the data that an error with this code has a name for. */
export function detailsOf(code: RemediedCode, known: Details | undefined): Details;
/**
 * The hint as it is told: its first line is for somebody at a console, a second one for whoever
 * builds or signs. Without a hint of its own a case has none.
 */
export function hintOf(code: RemediedCode, own: string | null | undefined): string | null;
}
declare module "aegis-kexec:remedies/table" {
/**
 * What to do about each error code: a stable word for programs, a first hint that somebody at a
 * console can follow without a build machine, and the names of the data that such an error carries.
 */
/** What to do next, for programs. Words are added, never renamed. */
export type Action = "ask-operator" | "change-request" | "check-device" | "choose-another" | "copy-again" | "enrol-key" | "free-memory" | "load-first" | "reboot-first" | "report-bug" | "run-as-root" | "try-again" | "use-another-system";
/** The kinds of data: sizes and limits are bytes, but for `generation` and `minimum`. */
export interface Kinds {
    readonly text: string;
    readonly number: number;
    readonly texts: readonly string[];
}
type Names = Readonly<Record<string, keyof Kinds>>;
export interface Remedy {
    readonly action: Action;
    /** At most 100 characters. */
    readonly hint: string;
    /** What a case says itself is for whoever builds or signs: it comes second. */
    readonly ownSecond: boolean;
    readonly details: Names;
}
export const makeRemedies: () => {
    readonly "internal-error": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly usage: {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly option: "text";
            readonly found: "text";
            readonly expected: "text";
            readonly path: "text";
        };
    };
    readonly "unsupported-platform": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly found: "text";
        };
    };
    readonly "unsupported-architecture": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly found: "text";
        };
    };
    readonly "no-kexec-file": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly option: "text";
        };
    };
    readonly "no-jit": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {};
    };
    readonly "no-libc": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {};
    };
    readonly "unsupported-flag": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly option: "text";
        };
    };
    readonly "file-not-found": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly found: "texts";
        };
    };
    readonly "file-unreadable": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "not-a-regular-file": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly expected: "text";
            readonly found: "text";
        };
    };
    readonly "file-empty": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "file-too-large": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly size: "number";
            readonly limit: "number";
        };
    };
    readonly "file-changed": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "not-below": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "malformed-input": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly rule: "text";
        };
    };
    readonly "malformed-cmdline": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly "cmdline-too-long": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly size: "number";
            readonly limit: "number";
        };
    };
    readonly untrusted: {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keys: "texts";
        };
    };
    readonly "no-signature": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keys: "texts";
        };
    };
    readonly "bad-signature": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keys: "texts";
        };
    };
    readonly "bad-key": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "bad-manifest": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly rule: "text";
        };
    };
    readonly "digest-mismatch": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly expected: "text";
            readonly found: "text";
            readonly size: "number";
        };
    };
    readonly "outside-folder": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "generation-too-low": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly generation: "number";
            readonly minimum: "number";
        };
    };
    readonly "policy-broken": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly rule: "text";
        };
    };
    readonly "policy-refused": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly option: "text";
            readonly path: "text";
            readonly found: "text";
        };
    };
    readonly "kernel-unsigned": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-signer-unknown": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-signature-bad": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-signature-revoked": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-changed-after-signing": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-signature-malformed": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-signature-algorithm": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "kernel-signature-refused": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
        };
    };
    readonly "ima-refused": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "no-capability": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly "kexec-disabled": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly setting: "text";
        };
    };
    readonly "load-limit-reached": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly setting: "text";
        };
    };
    readonly lockdown: {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly signer: "text";
            readonly keyring: "text";
            readonly algorithm: "text";
            readonly level: "text";
            readonly because: "text";
        };
    };
    readonly "loadpin-refused": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "pid-namespace": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly "not-permitted": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {};
    };
    readonly "not-a-kernel": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly expected: "text";
            readonly found: "text";
        };
    };
    readonly "kernel-truncated": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly size: "number";
            readonly limit: "number";
        };
    };
    readonly "wrong-architecture": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly expected: "text";
            readonly found: "text";
        };
    };
    readonly "kernel-unsuitable": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
            readonly rule: "text";
        };
    };
    readonly "system-not-found": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "out-of-memory": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly size: "number";
            readonly available: "number";
            readonly limit: "number";
        };
    };
    readonly "no-room": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly size: "number";
            readonly available: "number";
            readonly limit: "number";
        };
    };
    readonly "no-crash-memory": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly busy: {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly "file-busy": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "nothing-loaded": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {};
    };
    readonly "io-error": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "no-interface": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "no-link": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "no-address": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "name-not-found": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "no-route": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "connection-refused": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "tls-unknown-authority": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "tls-wrong-name": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "tls-expired": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "clock-wrong": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "tls-failed": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "http-status": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly status: "number";
        };
    };
    readonly "redirect-refused": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "bad-answer": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "transfer-cut": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly "too-long": {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
            readonly size: "number";
            readonly limit: "number";
        };
    };
    readonly stalled: {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: true;
        readonly details: {
            readonly path: "text";
        };
    };
    readonly aborted: {
        readonly action: Action;
        readonly hint: string;
        readonly ownSecond: false;
        readonly details: {
            readonly path: "text";
        };
    };
};
}
declare module "aegis-kexec:source/cmdline" {
/** The next kernel's command line: put together, cleaned and measured. Pure. */
import type { Architecture } from "aegis-kexec:architecture";
/** Whose line is used again, and for what. */
export interface Reuse {
    /** For a crash kernel, which has only that memory: `crashkernel=` is dropped. */
    readonly crash: boolean;
    /**
     * This program is the first process: `rdinit=` names it, and what follows `--` are its own arguments,
     * of which the next kernel's init knows nothing.
     */
    readonly firstProcess: boolean;
}
/** The running kernel's line without what is about how that one was booted. */
export function reusableCmdline(running: string, { crash, firstProcess }: Reuse): string;
/**
 * The command line, with words appended to what the kernel reads: before `--`, behind which they would be
 * init's. What is appended for init comes at the end.
 * @throws KexecError `malformed-cmdline` where one of the two leaves a quote open
 */
export function joinCmdline(own: string | undefined, appended: string | undefined): string;
/** What of an image bounds its command line; x86 images carry the limit themselves. */
export interface CmdlineLimit {
    readonly architecture: Architecture;
    /** `cmdline_size` of the x86 setup header, without the NUL; unused on aarch64. */
    readonly cmdlineSize: number;
    /** Bytes that the kernel wants for more words of its own. */
    readonly reserved?: number;
}
/** The longest command line, in bytes without the NUL. */
export function longestCmdline(limit: CmdlineLimit): number;
/**
 * Checks what crosses into the kernel.
 * @throws KexecError `malformed-cmdline`, `cmdline-too-long`
 */
export function checkCmdline(cmdline: string, limit: CmdlineLimit): void;
}
declare module "aegis-kexec:trust/manifest" {
/**
 * The manifest: what one signature covers as one piece, kernel, initramfs and
 * command line. It is read as strictly as can be, so that what the organisation
 * signed has one meaning.
 */
import { type Cause } from "aegis-kexec:errors";
/** A file that the manifest covers. */
export interface ManifestFile {
    /** Canonical, relative to the manifest's folder and below it by its text; links are not resolved. */
    readonly path: string;
    /** Bytes: at least 1. */
    readonly size: number;
    /** SHA-256 of the whole file: 64 lower-case hex digits. */
    readonly sha256: string;
    /** fs-verity digest, `sha256:` and 64 lower-case hex digits: see trust/verity.ts. */
    readonly verity?: `sha256:${string}`;
}
export interface Manifest {
    readonly format: "aegis-kexec/1";
    /** From 0 to 2^53 - 1. */
    readonly generation: number;
    readonly architecture: "x86_64" | "aarch64";
    readonly kernel: ManifestFile;
    /** At most 64, joined in this order. */
    readonly initrds: readonly ManifestFile[];
    /** The whole command line, without control characters. May be empty. */
    readonly cmdline: string;
}
/** Bytes that a manifest may have: 64 KiB. A longer file need not be read. */
export const maxManifestSize = 65536;
/**
 * Reads a manifest. Throws `KexecError` with code `bad-manifest` that names the
 * first broken rule and its place. `name` is for messages.
 */
export function parseManifest(bytes: Uint8Array, name?: string): Manifest;
/** Every rule that the bytes break, each with its place in the JSON; none where they are a manifest. */
export function manifestProblems(bytes: Uint8Array): readonly string[];
/**
 * The one text of a manifest: fixed order of keys, two spaces of indent, a line
 * end last. `parseManifest` takes it. Throws `KexecError` with code
 * `malformed-input` where no manifest can say this, as with a path that leaves
 * the folder.
 */
export function formatManifest(manifest: Manifest): string;
/** A file of another size than the manifest says. */
export function otherSize(size: number, expected: ManifestFile): Cause<"digest-mismatch">;
/** A file of the right size with another digest, in hexadecimal. */
export function otherDigest(found: string, expected: ManifestFile): Cause<"digest-mismatch">;
}
declare module "aegis-kexec:trust/tpm/commands" {
/**
 * The commands of a TPM 2.0 that measuring takes, as bytes: requests are written, responses are parsed.
 * Source: Trusted Platform Module Library (TCG), Part 2 Structures and Part 3 Commands, revision 1.59;
 * every number is big-endian there.
 */
/** Hash algorithms by their TPM_ALG_ID (Part 2, table 9), with the length of a digest in bytes. */
export const tpmHashes: {
    readonly sha1: {
        readonly id: 4;
        readonly size: 20;
    };
    readonly sha256: {
        readonly id: 11;
        readonly size: 32;
    };
    readonly sha384: {
        readonly id: 12;
        readonly size: 48;
    };
    readonly sha512: {
        readonly id: 13;
        readonly size: 64;
    };
    readonly sm3_256: {
        readonly id: 18;
        readonly size: 32;
    };
    readonly sha3_256: {
        readonly id: 39;
        readonly size: 32;
    };
    readonly sha3_384: {
        readonly id: 40;
        readonly size: 48;
    };
    readonly sha3_512: {
        readonly id: 41;
        readonly size: 64;
    };
};
export type TpmHash = keyof typeof tpmHashes;
/** A digest in one bank, as lower-case hex. */
export interface BankDigest {
    readonly bank: TpmHash;
    readonly digest: string;
}
/** What a TPM answered: the parameters behind the header, or the code of its refusal. */
export type TpmAnswer = {
    readonly ok: true;
    readonly body: Uint8Array;
} | {
    readonly ok: false;
    readonly code: number;
};
/** Bytes of event data that TPM2_PCR_Event takes (TPM2B_EVENT: Part 2, 10.4.7). */
export const mostEventBytes = 1024;
/** Bytes of the largest response here; drivers/char/tpm/tpm.h: TPM_BUFSIZE. */
export const mostResponseBytes = 4096;
/** Response codes (Part 2, 6.6). Those of format zero say that the command may be sent again. */
export const tpmCodes: {
    readonly success: 0;
    readonly failure: 257;
    readonly initialize: 256;
    readonly yielded: 2312;
    readonly testing: 2314;
    readonly retry: 2338;
    readonly locality: 2311;
};
/**
 * TPM2_PCR_Event (Part 3, 22.3): extends every bank of `pcr` by the digest of `data`, with the empty
 * password of the PCR's authorisation.
 */
export function pcrEventCommand(pcr: number, data: Uint8Array): Uint8Array;
/** TPM2_GetCapability (Part 3, 30.2) of TPM_CAP_PCRS: which banks there are. */
export function banksCommand(): Uint8Array;
/** TPM2_GetCapability of TPM_CAP_TPM_PROPERTIES: TPM_PT_MANUFACTURER and what follows it. */
export function propertiesCommand(): Uint8Array;
/** TPM2_PCR_Read (Part 3, 22.4) of one PCR in one bank. */
export function pcrReadCommand(bank: TpmHash, pcr: number): Uint8Array;
/** A response without its header; undefined where it is none. */
export function parseAnswer(response: Uint8Array): TpmAnswer | undefined;
/** The digests by which TPM2_PCR_Event extended each bank; undefined where the response is none. */
export function parseEventDigests(body: Uint8Array): readonly BankDigest[] | undefined;
/** A bank, and the PCRs that it has. */
export interface Bank {
    readonly bank: TpmHash;
    readonly pcrs: ReadonlySet<number>;
}
/**
 * The banks that have PCRs, of the answer to `banksCommand`; those of an algorithm that is not in
 * `tpmHashes` are left out. Undefined where the response is none.
 */
export function parseBanks(body: Uint8Array): readonly Bank[] | undefined;
/** Manufacturer and vendor text, of the answer to `propertiesCommand`: printable ASCII. */
export function parseVendor(body: Uint8Array): string | undefined;
/** The value of a PCR as lower-case hex, of the answer to `pcrReadCommand`; undefined where it has none. */
export function parsePcrValue(body: Uint8Array): string | undefined;
}
declare module "aegis-kexec:trust/tpm/measurements" {
/**
 * What is measured, and the log of it. A record is one short line of text; the TPM digests the line itself,
 * so that whoever has the log can say it again and come to the PCR's value.
 */
import { type BankDigest, type TpmHash } from "aegis-kexec:trust/tpm/commands";
/** What a record is about. */
export type Measured = "kernel" | "initrd" | "cmdline" | "policy";
/** How the bytes are named: their SHA-256, or the fs-verity digest by which they were read. */
export type MeasuredDigest = `sha256:${string}` | `verity:${string}`;
/** A line such as `kernel sha256:0123…`. */
export type MeasurementRecord = `${Measured} ${MeasuredDigest}`;
export function record(what: Measured, digest: MeasuredDigest): MeasurementRecord;
/** The bytes that the TPM is given. */
export function recordBytes(line: MeasurementRecord): Uint8Array;
/** Banks whose digest can be said before the TPM says it; SM3 and the SHA-3 family are not among them. */
const computed: readonly ["sha1", "sha256", "sha384", "sha512"];
/** What TPM2_PCR_Event will answer for `line` in these banks, as far as that can be computed here. */
export function expectedDigests(line: MeasurementRecord, banks: readonly TpmHash[]): readonly BankDigest[];
/** The value of a PCR after one more digest (Part 1, 17.3): H(old || digest). Hex in and out. */
export function extended(bank: (typeof computed)[number], old: string, digest: string): string;
export interface LogEntry {
    readonly pcr: number;
    readonly record: MeasurementRecord;
    readonly digests: readonly BankDigest[];
}
/**
 * The log as systemd keeps its own (`/run/log/systemd/tpm2-measure.log`): JSON text sequences (RFC 7464), each
 * record in the form of the Canonical Event Log (TCG) with `systemd` as the type of its content.
 * Source: src/shared/tpm2-util.c, tpm2_userspace_log.
 */
export function formatLog(entries: readonly LogEntry[], bootId: string | undefined): string;
}
