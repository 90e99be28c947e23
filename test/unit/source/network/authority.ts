/** Certificates for tests, made by the runtime: no tool is needed. */
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { addressBytes } from "../../../../src/source/network/reach.ts";
import { ascii, concat } from "../../image/build.ts";
import { der, name, oid } from "../../image/der-build.ts";

export interface Certified {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Names and addresses that it is for. */
  readonly names?: readonly string[];
  /** Years of its first and last day. */
  readonly from?: number;
  readonly to?: number;
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const bits = (bytes: Uint8Array) => der(0x03, Uint8Array.of(0), bytes);
const integer = (...bytes: readonly number[]) => der(0x02, Uint8Array.from(bytes));
/** ecdsa-with-SHA256 */
const algorithm = sequence(oid("1.2.840.10045.4.3.2"));

function pem(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = new Uint8Array(publicKey.export({ format: "der", type: "spki" }));
  const key = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { privateKey, spki, key };
}

const extension = (id: string, value: Uint8Array) => sequence(oid(id), der(0x04, value));

function subjectAltName(names: readonly string[]): Uint8Array {
  const encoded = names.map((one) => {
    const address = addressBytes(one);
    return address === undefined ? der(0x82, ascii(one)) : der(0x87, address);
  });
  return extension("2.5.29.17", sequence(...encoded));
}

let serial = 1;

export class Authority {
  private readonly own = keyPair();
  private readonly name: Uint8Array;
  readonly cert: string;

  constructor(called: string) {
    this.name = name([["CN", called]]);
    // basicConstraints: it is an authority
    const ca = extension("2.5.29.19", sequence(der(0x01, Uint8Array.of(0xff))));
    this.cert = this.make(this.name, this.own.spki, [ca], {});
  }

  issue(options: CertificateOptions = {}): Certified {
    const { spki, key } = keyPair();
    const names = options.names ?? ["localhost", "127.0.0.1", "::1"];
    const subject = name([["CN", names[0] ?? "nobody"]]);
    return { cert: this.make(subject, spki, [subjectAltName(names)], options), key };
  }

  private make(
    subject: Uint8Array,
    spki: Uint8Array,
    extensions: readonly Uint8Array[],
    { from = 2020, to = 2120 }: CertificateOptions,
  ): string {
    const time = (year: number) => der(0x18, ascii(`${year}0101000000Z`));
    serial += 1;
    const body = sequence(
      der(0xa0, integer(2)),
      integer(1, serial >> 8, serial & 255),
      algorithm,
      this.name,
      sequence(time(from), time(to)),
      subject,
      spki,
      der(0xa3, sequence(...extensions)),
    );
    const whole = sequence(body, algorithm, bits(signed(body, this.own.privateKey)));
    return pem("CERTIFICATE", concat(whole));
  }
}

function signed(body: Uint8Array, key: KeyObject): Uint8Array {
  return new Uint8Array(sign("sha256", body, key));
}
