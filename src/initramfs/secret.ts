/**
 * What `--secret SRC:DEST[:MODE]` says. Only where a secret comes from and goes
 * to; its bytes never pass through here.
 */
import { KexecError } from "../errors.ts";
import type { LuksVolume } from "./luks/volume.ts";
import { archivePath, reservedName } from "./newc.ts";
import { quote } from "./quote.ts";

export type SecretSource =
  | { readonly kind: "standard-input" }
  | { readonly kind: "descriptor"; readonly descriptor: number }
  | { readonly kind: "file"; readonly path: string };

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
export const secretSizeLimit = 1024 * 1024;

const defaultMode = 0o400;
/** Largest number of a descriptor: int. */
const maxDescriptor = 0x7fff_ffff;
const form = "write it as SRC:DEST or SRC:DEST:MODE, with DEST absolute and MODE octal";

/**
 * Parses one SRC:DEST[:MODE]. SRC is a path, `-` or `fd:N`; files of such names
 * are written `./-`. DEST begins at the last `:/`, so SRC may contain colons
 * and DEST may not.
 * @throws KexecError `usage`: it cannot be taken apart. `malformed-input`: DEST
 * breaks a rule of `checkDestination`.
 */
export function parseSecret(text: string): SecretSpec {
  // Nothing of the text is shown: it may be the secret itself, or say where it lies.
  const refuse = (why: string, hint = form) =>
    new KexecError("usage", { message: `invalid --secret: ${why}`, hint });
  const colon = text.lastIndexOf(":/");
  if (colon === -1) throw refuse("there is no absolute DEST");
  const source = text.slice(0, colon);
  if (source === "") throw refuse("SRC is empty");
  if (source.includes("\0")) throw refuse("SRC contains a NUL");
  const [destination = "", mode, ...rest] = text.slice(colon + 1).split(":");
  if (rest.length > 0) throw refuse("DEST contains a colon, or there is more after MODE");
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) {
    throw refuse("MODE is not within 000 and 777");
  }

  checkDestination(destination);
  return {
    source: parseSource(source, refuse),
    destination,
    mode: mode === undefined ? defaultMode : Number.parseInt(mode, 8),
  };
}

/** Takes SRC: a path, `-` or `fd:N`. */
export function parseSource(
  text: string,
  refuse: (why: string, hint: string) => KexecError,
): SecretSource {
  if (text === "-") return { kind: "standard-input" };
  if (!text.startsWith("fd:")) return { kind: "file", path: text };
  const digits = text.slice("fd:".length);
  const descriptor = Number(digits);
  if (!/^(0|[1-9][0-9]*)$/.test(digits) || descriptor > maxDescriptor) {
    throw refuse(
      "there is no such descriptor",
      "a file whose name begins with fd: is written ./fd:…",
    );
  }
  return { kind: "descriptor", descriptor };
}

/**
 * The rules of a place for a secret: absolute, normalised, no trailing slash,
 * nothing that a terminal or an archive cannot show.
 * @throws KexecError `malformed-input`
 */
export function checkDestination(destination: string): void {
  const refuse = (why: string) =>
    malformed(`invalid place for a secret: ${quote(destination)} ${why}`);
  if (!destination.startsWith("/")) throw refuse("is not absolute");
  if (/\p{Cc}/u.test(destination)) throw refuse("contains a control character");
  if (destination === "/") throw refuse("is not a file");
  if (destination.endsWith("/")) throw refuse("ends in a slash");
  const stored = archivePath(destination);
  if (stored.split("/")[0] === reservedName) throw refuse(`is below the reserved /${reservedName}`);
}

/**
 * The rules between secrets; those of each were checked when it was parsed.
 * @throws KexecError `malformed-input`: a destination is given twice or is a
 * directory of another one; a source that can be read once is given twice.
 */
export function checkSecrets(secrets: readonly SecretSpec[]): void {
  const destinations = new Set<string>();
  const streams = new Set<number>();
  for (const { source, destination } of secrets) {
    if (destinations.has(destination)) {
      throw malformed(
        `two secrets have the same place: ${quote(destination)}`,
        "give each secret a DEST of its own",
      );
    }
    destinations.add(destination);
    if (source.kind === "file") continue;
    const descriptor = source.kind === "descriptor" ? source.descriptor : 0;
    if (streams.has(descriptor)) {
      throw malformed(
        `two secrets have the same source: descriptor ${descriptor}`,
        "it can be read once: give each secret a descriptor of its own (fd:N), or a file",
      );
    }
    streams.add(descriptor);
  }
  for (const destination of destinations) {
    for (
      let end = destination.indexOf("/", 1);
      end !== -1;
      end = destination.indexOf("/", end + 1)
    ) {
      const parent = destination.slice(0, end);
      if (destinations.has(parent)) {
        throw malformed(
          `a secret cannot be a directory of another: ${quote(parent)} and ${quote(destination)}`,
        );
      }
    }
  }
}

/**
 * Places that are covered before anybody reads them: `init` of initramfs-tools and systemd (mount_table in
 * src/shared/mount-setup.c, tmp.mount) mount a new file system over each. dracut without systemd keeps /run.
 */
export const covered = ["/run", "/dev", "/proc", "/sys", "/tmp", "/var/run", "/var/lock"];

/** What to say of a place where a secret is likely to be gone before it is read; undefined where it stays. */
export function placeWarning(destination: string): string | undefined {
  const folder = covered.find((one) => destination.startsWith(`${one}/`));
  if (folder === undefined) return undefined;
  return `the secret at ${destination} may be gone before it is read: an initramfs mounts a new file system over ${folder}; what is below /etc/cryptsetup-keys.d/ stays`;
}

function malformed(message: string, hint?: string): KexecError {
  return new KexecError("malformed-input", {
    message,
    hint,
    action: hint === undefined ? undefined : "change-request",
  });
}
