/**
 * What is measured, and the log of it. A record is one short line of text; the TPM digests the line itself,
 * so that whoever has the log can say it again and come to the PCR's value.
 */
import { type BankDigest, mostEventBytes, type TpmHash, tpmHashes } from "./commands.ts";

/** What a record is about. */
export type Measured = "kernel" | "initrd" | "cmdline" | "policy";

/** How the bytes are named: their SHA-256, or the fs-verity digest by which they were read. */
export type MeasuredDigest = `sha256:${string}` | `verity:${string}`;

/** A line such as `kernel sha256:0123…`. */
export type MeasurementRecord = `${Measured} ${MeasuredDigest}`;

export function record(what: Measured, digest: MeasuredDigest): MeasurementRecord {
  const line: MeasurementRecord = `${what} ${digest}`;
  if (line.length > mostEventBytes) throw new RangeError(`a record of ${line.length} bytes`);
  return line;
}

const encoder = new TextEncoder();

/** The bytes that the TPM is given. */
export function recordBytes(line: MeasurementRecord): Uint8Array {
  return encoder.encode(line);
}

/** Banks whose digest can be said before the TPM says it; SM3 and the SHA-3 family are not among them. */
const computed = ["sha1", "sha256", "sha384", "sha512"] as const satisfies readonly TpmHash[];

/** What TPM2_PCR_Event will answer for `line` in these banks, as far as that can be computed here. */
export function expectedDigests(
  line: MeasurementRecord,
  banks: readonly TpmHash[],
): readonly BankDigest[] {
  return computed
    .filter((bank) => banks.includes(bank))
    .map((bank) => ({
      bank,
      digest: new Bun.CryptoHasher(bank).update(recordBytes(line)).digest("hex"),
    }));
}

/** The value of a PCR after one more digest (Part 1, 17.3): H(old || digest). Hex in and out. */
export function extended(bank: (typeof computed)[number], old: string, digest: string): string {
  const both = new Uint8Array(tpmHashes[bank].size * 2);
  both.set(Uint8Array.fromHex(old));
  both.set(Uint8Array.fromHex(digest), tpmHashes[bank].size);
  return new Bun.CryptoHasher(bank).update(both).digest("hex");
}

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
export function formatLog(entries: readonly LogEntry[], bootId: string | undefined): string {
  return entries
    .map(({ pcr, record: line, digests }) => {
      const json = {
        pcr,
        digests: digests.map(({ bank, digest }) => ({ hashAlg: bank, digest })),
        content_type: "systemd",
        content: {
          string: line,
          ...(bootId === undefined ? {} : { bootId }),
          eventType: "aegis-kexec",
        },
      };
      return `\x1e${JSON.stringify(json)}\n`;
    })
    .join("");
}
