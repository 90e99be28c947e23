/** Whether a source may be loaded: the gate that a load goes through. */
import type { KexecError } from "../../errors.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import type { Admission } from "../../source/kind.ts";
import type { Source } from "../../source/open.ts";
import type { Policy } from "../../trust/policy.ts";
import type { TrustReport } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";

/** Where a machine's own policy lies. Where it exists it always applies. */
export const defaultPolicyPath = "/etc/aegis-kexec/policy.json";

export type TrustOptions = Pick<
  ParsedLoadRequest,
  | "trust"
  | "signature"
  | "threshold"
  | "minGeneration"
  | "policy"
  | "cmdline"
  | "reuseCmdline"
  | "append"
  | "initrd"
  | "profile"
> & {
  /** Another system's tree, whose policy and keys count instead of this one's. For rehearsals alone. */
  readonly policyRoot?: string | undefined;
};

/** The path of what another system has at `path`, in its tree. */
export function inTree(root: string | undefined, path: string): string {
  return root === undefined ? path : `${root.replace(/\/+$/, "")}${path}`;
}

/** Where a secret goes to, and with what permissions. */
export interface SecretPlace {
  /** Absolute and normalised. */
  readonly destination: string;
  readonly mode: number;
}

/**
 * Decides whether SOURCE may be loaded. Words to append are not judged by `pass`, for they are judged
 * beside the command line that is signed.
 */
export interface Gate extends Admission {
  /** The policies in force: they say what is measured. */
  readonly policies: readonly Policy[];
  /** Who signed the manifest that was admitted last; null where nothing had to be signed. */
  readonly admitted: TrustReport | null;
  /**
   * Whether the whole file that a source boots has to be copied and sealed before `pass`: where a
   * signature must cover it, and it is not a manifest's, whose signature covers digests.
   */
  needsSealedWhole(source: Source): boolean | Promise<boolean>;
  /**
   * Judges a source that has to be copied whole by what can be seen before the copy.
   * @throws KexecError with a code of exit 5, where no trusted key can have signed it
   */
  admitWhole(source: Source): Promise<void>;
  /**
   * Judges a source.
   * @param whole The sealed copy of the file to boot, where `needsSealedWhole`. It is the copy that
   * counts: the file may be another one by now.
   * @returns who signed it; null where nothing had to be signed
   * @throws KexecError with a code of exit 5
   */
  pass(source: Source, whole: Memfd | undefined, listener: Listener): Promise<TrustReport | null>;
  /**
   * Refuses words to append that no policy lets through.
   * @param signed The command line that the signature covers.
   * @param option What the words come of.
   * @throws KexecError `policy-refused`
   */
  requireAllowedAppend(append: string | undefined, signed: string, option?: string): void;
  /** An error `policy-refused` for each secret that no policy lets be put there. */
  refusedSecrets(secrets: readonly SecretPlace[]): readonly KexecError[];
}
