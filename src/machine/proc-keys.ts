/** Lines of /proc/keys: proc_keys_show in security/keys/proc.c. Pure. */
import type { Reading } from "./reading.ts";

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
export const keyringNames = {
  builtin: ".builtin_trusted_keys",
  secondary: ".secondary_trusted_keys",
  machine: ".machine",
  platform: ".platform",
  blacklist: ".blacklist",
} as const;

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

const mostLines = 20_000;
const longestDescription = 512;

// Serial, flags, usage, timeout, permissions, uid, gid, type (cut to nine characters), the rest.
const line = /^([0-9a-f]{1,8}) ([A-Za-z-]{7}) +\d+ +\S+ [0-9a-f]{8} +-?\d+ +-?\d+ (\S{1,9}) +(.*)$/;

/** The keys that the text lists; a line of another form is left out. */
export function parseKeys(text: string): readonly ListedKey[] {
  return text
    .split("\n", mostLines)
    .map(parseLine)
    .filter((key) => key !== undefined);
}

function parseLine(text: string): ListedKey | undefined {
  const match = line.exec(text);
  if (match === null) return undefined;
  const [, serial = "", flags = "", type = "", rest = ""] = match;
  const [description, detail] = splitDetail(type, clean(rest));
  return {
    serial: Number.parseInt(serial, 16),
    type,
    description,
    detail,
    // KEY_FLAG_REVOKED, KEY_FLAG_DEAD, negatively instantiated, KEY_FLAG_INVALIDATED.
    usable: !/[RDNi]/.test(flags),
  };
}

/** keyring_describe, asymmetric_key_describe: ": " and more; other types add nothing that is used. */
function splitDetail(type: string, text: string): [description: string, detail: string] {
  // The detail has no colon of its own, and the description may have any number.
  const at = type === "keyring" || type.startsWith("asymmetri") ? text.lastIndexOf(": ") : -1;
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 2)];
}

function clean(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").slice(0, longestDescription);
}

/** The certificate that a key is; undefined for other keys. x509_key_preparse: "subject: id". */
export function trustedKeyOf(key: ListedKey): TrustedKey | undefined {
  if (!key.type.startsWith("asymmetri") || !key.usable) return undefined;
  const match = /^(.*): ([0-9a-f]{1,128})$/.exec(key.description);
  return match === null ? undefined : { subject: match[1] ?? "", id: match[2] ?? "" };
}

/** The hash that a key of `.blacklist` stands for; undefined for other keys. */
export function revokedHashOf(key: ListedKey): RevokedHash | undefined {
  const match = /^(tbs|bin):([0-9a-f]{40,128})$/.exec(key.description);
  if (!key.type.startsWith("blacklist") || match === null) return undefined;
  return { of: match[1] === "tbs" ? "tbs" : "bin", hash: match[2] ?? "" };
}
