/** The keyrings by which the kernel judges an image's signature: certs/, security/integrity/. */

import { EACCES, ENOENT, EPERM, errnoText } from "../errno.ts";
import { readText } from "../linux/descriptor.ts";
import { libc } from "../linux/libc.ts";
import { exists } from "../linux/path.ts";
import {
  type Keyrings,
  keyringNames,
  type ListedKey,
  parseKeys,
  revokedHashOf,
  type TrustedKey,
  type TrustedKeyringName,
  trustedKeyOf,
} from "./proc-keys.ts";
import { known, type Reading, unknown } from "./reading.ts";

// include/uapi/linux/keyctl.h
const KEYCTL_READ = 11;
/** Keys of one keyring; dbx has a few hundred entries. */
const mostKeys = 16_384;
const procKeysLimit = 4 << 20;

/** Reads the five keyrings. It takes root: the kernel shows them to nobody else. */
export function readKeyrings(): Keyrings {
  const listed = readListedKeys();
  const take = (name: keyof typeof keyringNames) => membersOf(listed, keyringNames[name]);
  const certificates = (name: TrustedKeyringName): Reading<readonly TrustedKey[]> => {
    const members = take(name);
    if (!members.known) return members;
    return known(members.value.map(trustedKeyOf).filter((key) => key !== undefined));
  };
  const revoked = take("blacklist");
  return {
    trusted: {
      builtin: certificates("builtin"),
      secondary: certificates("secondary"),
      machine: certificates("machine"),
      platform: certificates("platform"),
    },
    blacklist: revoked.known
      ? known({
          certificates: revoked.value.map(trustedKeyOf).filter((key) => key !== undefined),
          hashes: revoked.value.map(revokedHashOf).filter((hash) => hash !== undefined),
        })
      : revoked,
  };
}

function readListedKeys(): Reading<readonly ListedKey[]> {
  const file = readText("/proc/keys", procKeysLimit);
  if (file.ok) return known(parseKeys(file.text));
  if (file.errno === ENOENT) {
    return unknown(exists("/proc/self") ? "this kernel has no /proc/keys" : "/proc is not mounted");
  }
  return unknown(
    file.errno === EACCES || file.errno === EPERM
      ? "no permission to read /proc/keys"
      : `/proc/keys: ${errnoText(file.errno).toLowerCase()}`,
  );
}

/**
 * The keys that a keyring links to: /proc/keys does not say which key is in which keyring, and
 * keyctl(KEYCTL_READ) gives the serials alone.
 */
function membersOf(
  listed: Reading<readonly ListedKey[]>,
  name: string,
): Reading<readonly ListedKey[]> {
  if (!listed.known) return listed;
  const keyring = listed.value.find((key) => key.type === "keyring" && key.description === name);
  if (keyring === undefined) {
    // The system keyrings are root's: another user's list leaves them out.
    return libc().call("geteuid") === 0 && initialKeyringsShow(listed.value)
      ? known([])
      : unknown("the kernel shows its keyrings to root only");
  }
  const serials = readSerials(keyring.serial);
  if (typeof serials === "number") {
    return unknown(`${name} cannot be read: ${errnoText(-serials).toLowerCase()}`);
  }
  const byserial = new Map(listed.value.map((key) => [key.serial, key] as const));
  return known(serials.map((serial) => byserial.get(serial)).filter((key) => key !== undefined));
}

/** In a user namespace /proc/keys leaves out the keys of the other ones, the kernel's among them. */
function initialKeyringsShow(listed: readonly ListedKey[]): boolean {
  return listed.some(({ type, description }) => type === "keyring" && /^\.\w/.test(description));
}

function readSerials(keyring: number): readonly number[] | number {
  const buffer = new Uint8Array(4 * mostKeys);
  const length = libc().call("keyctl", KEYCTL_READ, keyring, buffer, buffer.byteLength);
  if (length < 0) return length;
  const view = new DataView(buffer.buffer);
  return Array.from({ length: Math.min(length, buffer.byteLength) >> 2 }, (_, index) =>
    view.getInt32(4 * index, true),
  );
}
