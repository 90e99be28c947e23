/**
 * The commands of a TPM 2.0 that measuring takes, as bytes: requests are written, responses are parsed.
 * Source: Trusted Platform Module Library (TCG), Part 2 Structures and Part 3 Commands, revision 1.59;
 * every number is big-endian there.
 */

/** Hash algorithms by their TPM_ALG_ID (Part 2, table 9), with the length of a digest in bytes. */
export const tpmHashes = {
  sha1: { id: 0x0004, size: 20 },
  sha256: { id: 0x000b, size: 32 },
  sha384: { id: 0x000c, size: 48 },
  sha512: { id: 0x000d, size: 64 },
  sm3_256: { id: 0x0012, size: 32 },
  sha3_256: { id: 0x0027, size: 32 },
  sha3_384: { id: 0x0028, size: 48 },
  sha3_512: { id: 0x0029, size: 64 },
} as const;

export type TpmHash = keyof typeof tpmHashes;

/** A digest in one bank, as lower-case hex. */
export interface BankDigest {
  readonly bank: TpmHash;
  readonly digest: string;
}

/** What a TPM answered: the parameters behind the header, or the code of its refusal. */
export type TpmAnswer =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly code: number };

/** Bytes of event data that TPM2_PCR_Event takes (TPM2B_EVENT: Part 2, 10.4.7). */
export const mostEventBytes = 1024;
/** Bytes of the largest response here; drivers/char/tpm/tpm.h: TPM_BUFSIZE. */
export const mostResponseBytes = 4096;

const tagNoSessions = 0x8001;
const tagSessions = 0x8002;
const headerSize = 10;

/** Response codes (Part 2, 6.6). Those of format zero say that the command may be sent again. */
export const tpmCodes = {
  success: 0x000,
  failure: 0x101,
  initialize: 0x100,
  yielded: 0x908,
  testing: 0x90a,
  retry: 0x922,
  locality: 0x907,
} as const;

function bigEndian(size: number, value: number): number[] {
  const bytes: number[] = [];
  for (let shift = (size - 1) * 8; shift >= 0; shift -= 8) bytes.push((value >>> shift) & 0xff);
  return bytes;
}

function command(tag: number, code: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([
    ...bigEndian(2, tag),
    ...bigEndian(4, headerSize + body.length),
    ...bigEndian(4, code),
    ...body,
  ]);
}

/**
 * TPM2_PCR_Event (Part 3, 22.3): extends every bank of `pcr` by the digest of `data`, with the empty
 * password of the PCR's authorisation.
 */
export function pcrEventCommand(pcr: number, data: Uint8Array): Uint8Array {
  if (data.length > mostEventBytes) throw new RangeError(`an event of ${data.length} bytes`);
  // TPMS_AUTH_COMMAND: TPM_RS_PW, no nonce, no attributes, no password
  const authorisation = [...bigEndian(4, 0x40000009), ...bigEndian(2, 0), 0, ...bigEndian(2, 0)];
  return command(tagSessions, 0x13c, [
    ...bigEndian(4, pcr),
    ...bigEndian(4, authorisation.length),
    ...authorisation,
    ...bigEndian(2, data.length),
    ...data,
  ]);
}

/** TPM2_GetCapability (Part 3, 30.2) of TPM_CAP_PCRS: which banks there are. */
export function banksCommand(): Uint8Array {
  return command(tagNoSessions, 0x17a, [
    ...bigEndian(4, 5),
    ...bigEndian(4, 0),
    ...bigEndian(4, 1),
  ]);
}

/** TPM2_GetCapability of TPM_CAP_TPM_PROPERTIES: TPM_PT_MANUFACTURER and what follows it. */
export function propertiesCommand(): Uint8Array {
  return command(tagNoSessions, 0x17a, [
    ...bigEndian(4, 6),
    // TPM_PT_MANUFACTURER is PT_FIXED + 5; 4 vendor strings stand behind it
    ...bigEndian(4, 0x105),
    ...bigEndian(4, 5),
  ]);
}

/** TPM2_PCR_Read (Part 3, 22.4) of one PCR in one bank. */
export function pcrReadCommand(bank: TpmHash, pcr: number): Uint8Array {
  const select = [0, 0, 0];
  select[pcr >> 3] = 1 << (pcr & 7);
  return command(tagNoSessions, 0x17e, [
    ...bigEndian(4, 1),
    ...bigEndian(2, tpmHashes[bank].id),
    select.length,
    ...select,
  ]);
}

/** Fields of a response, read in order. Each throws `RangeError` behind the end. */
class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.view.getUint8(this.skip(1));
  }

  u16(): number {
    return this.view.getUint16(this.skip(2));
  }

  u32(): number {
    return this.view.getUint32(this.skip(4));
  }

  take(length: number): Uint8Array {
    const at = this.skip(length);
    return this.bytes.subarray(at, at + length);
  }

  private skip(length: number): number {
    const at = this.at;
    if (length > this.bytes.length - at) throw new RangeError("the response ends early");
    this.at += length;
    return at;
  }
}

/** Reads `bytes` by `parse`; undefined where they end early or are no such structure. */
function parsed<T>(bytes: Uint8Array, parse: (reader: Reader) => T | undefined): T | undefined {
  try {
    return parse(new Reader(bytes));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A response without its header; undefined where it is none. */
export function parseAnswer(response: Uint8Array): TpmAnswer | undefined {
  return parsed(response, (reader) => {
    const tag = reader.u16();
    const size = reader.u32();
    const code = reader.u32();
    if (size !== response.length) return undefined;
    if (code !== tpmCodes.success) return { ok: false, code };
    if (tag !== tagSessions) return { ok: true, body: response.subarray(headerSize) };
    // With sessions the parameters' length stands before them, and the sessions' part behind them.
    return { ok: true, body: reader.take(reader.u32()) };
  });
}

/** The digests by which TPM2_PCR_Event extended each bank; undefined where the response is none. */
export function parseEventDigests(body: Uint8Array): readonly BankDigest[] | undefined {
  return parsed(body, (reader) => {
    const count = reader.u32();
    if (count > Object.keys(tpmHashes).length) return undefined;
    const digests: BankDigest[] = [];
    for (let index = 0; index < count; index++) {
      const bank = hashOf(reader.u16());
      if (bank === undefined) return undefined;
      digests.push({ bank, digest: reader.take(tpmHashes[bank].size).toHex() });
    }
    return digests;
  });
}

/** A bank, and the PCRs that it has. */
export interface Bank {
  readonly bank: TpmHash;
  readonly pcrs: ReadonlySet<number>;
}

/**
 * The banks that have PCRs, of the answer to `banksCommand`; those of an algorithm that is not in
 * `tpmHashes` are left out. Undefined where the response is none.
 */
export function parseBanks(body: Uint8Array): readonly Bank[] | undefined {
  return parsed(body, (reader) => {
    // TPMI_YES_NO moreData, TPM_CAP, TPML_PCR_SELECTION
    reader.u8();
    if (reader.u32() !== 5) return undefined;
    const count = reader.u32();
    if (count > 16) return undefined;
    const banks: Bank[] = [];
    for (let index = 0; index < count; index++) {
      const bank = hashOf(reader.u16());
      const select = reader.take(reader.u8());
      const pcrs = new Set<number>();
      for (let pcr = 0; pcr < select.length * 8; pcr++) {
        if (((select[pcr >> 3] ?? 0) & (1 << (pcr & 7))) !== 0) pcrs.add(pcr);
      }
      if (bank !== undefined && pcrs.size > 0) banks.push({ bank, pcrs });
    }
    return banks;
  });
}

/** Manufacturer and vendor text, of the answer to `propertiesCommand`: printable ASCII. */
export function parseVendor(body: Uint8Array): string | undefined {
  return parsed(body, (reader) => {
    reader.u8();
    if (reader.u32() !== 6) return undefined;
    const count = reader.u32();
    if (count > 16) return undefined;
    const words = ["", ""];
    for (let index = 0; index < count; index++) {
      const property = reader.u32();
      const value = reader.take(4);
      const part = property === 0x105 ? 0 : 1;
      words[part] += String.fromCharCode(...value.filter((byte) => byte >= 0x20 && byte < 0x7f));
    }
    return words
      .map((word) => word.trim())
      .filter((word) => word !== "")
      .join(" ");
  });
}

/** The value of a PCR as lower-case hex, of the answer to `pcrReadCommand`; undefined where it has none. */
export function parsePcrValue(body: Uint8Array): string | undefined {
  return parsed(body, (reader) => {
    // The update counter, TPML_PCR_SELECTION, TPML_DIGEST
    reader.u32();
    const selections = reader.u32();
    if (selections !== 1) return undefined;
    reader.u16();
    reader.take(reader.u8());
    if (reader.u32() !== 1) return undefined;
    return reader.take(reader.u16()).toHex();
  });
}

function hashOf(id: number): TpmHash | undefined {
  for (const [name, { id: known }] of Object.entries(tpmHashes)) {
    if (known === id) return name as TpmHash;
  }
  return undefined;
}
