/** Keys and signatures in every form, made by the runtime: no tool is needed. */

import { expect } from "bun:test";
import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { type ErrorCode, KexecError } from "../../../src/errors.ts";

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export interface MinisignOptions {
  readonly keyId?: string;
  readonly comment?: string;
  readonly isLegacy?: boolean;
}

export interface Signer {
  readonly point: Uint8Array;
  readonly pem: string;
  sign(message: Uint8Array): Uint8Array;
  /** A `.pub` file; `keyId` is 16 hex digits, as minisign prints them. */
  minisignKey(keyId?: string): string;
  /** A `.minisig` file. */
  minisign(message: Uint8Array, options?: MinisignOptions): string;
}

const defaultKeyId = "0123456789ABCDEF";

const fromKeyId = (keyId: string): Uint8Array => Uint8Array.fromHex(keyId).reverse();

export const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => [...part]));

/** The key pair of a 32-byte seed in hex (RFC 8032, section 5.1.5). */
export function signerOf(seed: string): Signer {
  const der = Buffer.from(`302e020100300506032b657004220420${seed}`, "hex");
  const key: KeyObject = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key);
  const spki = publicKey.export({ format: "der", type: "spki" });
  const point = Uint8Array.from(spki.subarray(12));
  const signBytes = (message: Uint8Array) => Uint8Array.from(sign(null, message, key));
  return {
    point,
    pem: publicKey.export({ format: "pem", type: "spki" }).toString(),
    sign: signBytes,
    minisignKey(keyId = defaultKeyId) {
      const data = joined(bytesOf("Ed"), fromKeyId(keyId), point);
      return `untrusted comment: minisign public key ${keyId}\n${data.toBase64()}\n`;
    },
    minisign(message, { keyId = defaultKeyId, comment = "timestamp:1\tfile:x", isLegacy } = {}) {
      const digest = new Bun.CryptoHasher("blake2b512").update(message).digest();
      const signature = signBytes(isLegacy === true ? message : digest);
      const data = joined(bytesOf(isLegacy === true ? "Ed" : "ED"), fromKeyId(keyId), signature);
      const global = signBytes(joined(signature, bytesOf(comment)));
      return [
        "untrusted comment: signature from minisign secret key",
        data.toBase64(),
        `trusted comment: ${comment}`,
        global.toBase64(),
        "",
      ].join("\n");
    },
  };
}

/** The `KexecError` that `run` throws; it must have this code, and one line for a message. */
export function errorOf(code: ErrorCode, run: () => unknown): KexecError {
  try {
    run();
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^[^\n]+[^.\n]$/);
    return error;
  }
  throw new Error(`nothing was thrown where ${code} was expected`);
}

/** Runs a parser on hostile bytes: it may refuse with `code`, and do nothing else wrong. */
export function refusedOr<T>(code: ErrorCode, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.code).toBe(code);
    return undefined;
  }
}
