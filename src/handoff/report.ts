/** What the commands give back. These shapes are the `--json` output. */
import type { KexecError } from "../errors.ts";
import type { Framework } from "../initramfs/luks/volume.ts";
import type { Listener } from "../listener.ts";
import type { LogEntry } from "../trust/tpm/measurements.ts";

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
