import { describe, expect, test } from "bun:test";
import {
  isCanonicalPoint,
  isSmallOrder,
  signatureFormProblem,
  verifyEd25519,
} from "../../../src/trust/ed25519.ts";
import { seeded } from "../fuzz.ts";
import points from "./data/points.json";
import rfc8032 from "./data/rfc8032.json";
import { joined, signerOf } from "./signer.ts";

const hex = (text: string) => Uint8Array.fromHex(text);
const prime = 2n ** 255n - 19n;
const order = 2n ** 252n + 27742317777372353535851937790883648493n;

const littleEndian = (value: bigint): Uint8Array =>
  hex(value.toString(16).padStart(64, "0")).reverse();
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${bytes.toReversed().toHex()}`);

describe("RFC 8032, section 7.1", () => {
  for (const { seed, key, message, signature } of rfc8032.vectors) {
    test(`key ${key.slice(0, 8)}`, async () => {
      expect(signerOf(seed).point.toHex()).toBe(key);
      expect(signatureFormProblem(hex(signature))).toBeUndefined();
      expect(await verifyEd25519(hex(key), hex(message), hex(signature))).toBe(true);
      expect(await verifyEd25519(hex(key), hex(`${message}00`), hex(signature))).toBe(false);
    });
  }

  test("the message may be a part of a larger, or of a shared buffer", async () => {
    const { key, message, signature } = rfc8032.vectors[2] ?? {
      key: "",
      message: "",
      signature: "",
    };
    const padded = hex(`ffff${message}ffff`).subarray(2, -2);
    expect(await verifyEd25519(hex(key), padded, hex(signature))).toBe(true);
    const shared = new Uint8Array(new SharedArrayBuffer(2));
    shared.set(hex(message));
    expect(await verifyEd25519(hex(key), shared, hex(signature))).toBe(true);
  });
});

describe("signature forms", () => {
  const { key, message, signature } = rfc8032.vectors[1] ?? { key: "", message: "", signature: "" };
  const r = hex(signature).subarray(0, 32);
  const s = numberOf(hex(signature).subarray(32));

  test("S + L is the same signature in a second form: refused", () => {
    expect(signatureFormProblem(joined(r, littleEndian(s + order)))).toContain("group order");
    expect(signatureFormProblem(joined(r, littleEndian(s)))).toBeUndefined();
  });

  test("S is refused from L up, and not below", () => {
    const problem = (value: bigint) => signatureFormProblem(joined(r, littleEndian(value)));
    expect(problem(order - 1n)).toBeUndefined();
    for (const value of [order, order + 1n, 2n ** 253n, 2n ** 255n, 2n ** 256n - 1n]) {
      expect(problem(value)).toContain("group order");
    }
  });

  test("R that is not canonical is refused", () => {
    for (const encoding of points.nonCanonical) {
      expect(signatureFormProblem(joined(hex(encoding), littleEndian(s)))).toContain("R is not");
    }
  });

  test("special values of R and S, as Wycheproof has them, verify nothing", async () => {
    const values = [0n, 1n, order - 1n, order, prime - 1n, prime, prime + 1n, 2n ** 256n - 1n];
    for (const left of values) {
      for (const right of values) {
        const forged = joined(littleEndian(left), littleEndian(right));
        const isWellFormed = signatureFormProblem(forged) === undefined;
        const verifies = await verifyEd25519(hex(key), hex(message), forged);
        expect(isWellFormed && verifies).toBe(false);
      }
    }
  });

  test("a signature of another length verifies nothing", async () => {
    for (const other of [signature.slice(2), `${signature}00`, "", signature + signature]) {
      expect(await verifyEd25519(hex(key), hex(message), hex(other))).toBe(false);
    }
  });
});

// RFC 8032, section 5.1.4, in affine coordinates: slow, and independent of what is tested.
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
type Point = readonly [x: bigint, y: bigint];
const mod = (value: bigint): bigint => ((value % prime) + prime) % prime;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = mod(result * result);
    if (bit === "1") result = mod(result * base);
  }
  return result;
}

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const product = mod(d * x1 * x2 * y1 * y2);
  return [
    mod((x1 * y2 + x2 * y1) * power(mod(1n + product), prime - 2n)),
    mod((y1 * y2 + x1 * x2) * power(mod(1n - product), prime - 2n)),
  ];
}

function decode(encoding: Uint8Array): Point {
  const sign = numberOf(encoding) >> 255n;
  const y = numberOf(encoding) % 2n ** 255n;
  const square = mod((y * y - 1n) * power(mod(d * y * y + 1n), prime - 2n));
  let x = power(square, (prime + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * power(2n, (prime - 1n) / 4n));
  if (mod(x * x) !== square) throw new RangeError("not a point");
  return [x % 2n === sign ? x : mod(-x), mod(y)];
}

const timesEight = (point: Point): Point => {
  const twice = add(point, point);
  const fourTimes = add(twice, twice);
  return add(fourTimes, fourTimes);
};

describe("points", () => {
  test("all 14 encodings in the list are of points whose order divides 8", () => {
    const encodings = [...points.canonical, ...points.nonCanonical];
    expect(new Set(encodings).size).toBe(14);
    for (const encoding of encodings) expect(timesEight(decode(hex(encoding)))).toEqual([0n, 1n]);
  });

  test("small order: each canonical encoding is found, each other one is not canonical", () => {
    for (const encoding of points.canonical) {
      expect(isCanonicalPoint(hex(encoding))).toBe(true);
      expect(isSmallOrder(hex(encoding))).toBe(true);
    }
    for (const encoding of points.nonCanonical) expect(isCanonicalPoint(hex(encoding))).toBe(false);
  });

  test("without the check, anyone can sign for a small-order key", async () => {
    // The neutral point: R is it too, S is 0.
    const neutral = hex(points.canonical[0] ?? "");
    const forged = joined(neutral, new Uint8Array(32));
    expect(signatureFormProblem(forged)).toBeUndefined();
    expect(await verifyEd25519(neutral, hex("00"), forged)).toBe(true);
  });

  test("canonical means y below p", () => {
    expect(isCanonicalPoint(littleEndian(prime - 2n))).toBe(true);
    for (let y = prime; y < 2n ** 255n; y += 1n) {
      expect(isCanonicalPoint(littleEndian(y))).toBe(false);
      expect(isCanonicalPoint(littleEndian(y + 2n ** 255n))).toBe(false);
    }
  });

  test("ordinary keys pass", () => {
    const rng = seeded(8032);
    for (let count = 0; count < 20; count += 1) {
      const { point } = signerOf(rng.bytes(32).toHex());
      expect(isCanonicalPoint(point) && !isSmallOrder(point)).toBe(true);
      expect(timesEight(decode(point))).not.toEqual([0n, 1n]);
    }
  });
});
