/**
 * Mutated images: a reader answers or refuses, it never throws (but for KexecError
 * where its documentation says so), never reads more than it may, never takes long.
 */

import { describe, expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { arm64Refusal, readArm64Image } from "../../../src/image/arm64.ts";
import { authenticodeDigest, readAuthenticode } from "../../../src/image/authenticode.ts";
import type { ByteSource } from "../../../src/image/bytes.ts";
import { bzImageRefusal, readBzImage } from "../../../src/image/bzimage.ts";
import { readCompression } from "../../../src/image/compression.ts";
import { derAt } from "../../../src/image/der.ts";
import { readPe } from "../../../src/image/pe.ts";
import { readSignedData } from "../../../src/image/pkcs7.ts";
import { recogniseImage } from "../../../src/image/recognise.ts";
import { readUki, readUkiText, ukiSection } from "../../../src/image/uki.ts";
import { readCertificate } from "../../../src/image/x509.ts";
import { readZboot } from "../../../src/image/zboot.ts";
import { memoryWatch, mutate, processorTime, seeded } from "../fuzz.ts";
import {
  ascii,
  makeArm64,
  makeBzImage,
  makePe,
  makeZboot,
  meteredSource,
  winCertificate,
  withCertificates,
} from "./build.ts";
import { certificate, name, signature } from "./der-build.ts";

/** How many inputs a reader gets; `AEGIS_FUZZ` gives another number, for long runs. */
const rounds = Number(Bun.env["AEGIS_FUZZ"]) || 2000;
/** Milliseconds. */
const slowest = 1000;
/** Bytes that a reader of headers may read of a file of 1 GiB: 16 signatures of 64 KiB, and profiles. */
const mostHeaders = 2 << 20;

const issuer = name([["CN", "CA"]]);
const embedded = certificate({
  issuer,
  subject: name([
    ["O", "Example"],
    ["CN", "Signer"],
  ]),
  serial: [1, 2],
  keyId: ascii("key"),
  authorityKeyId: ascii("authority"),
});
const pkcs7 = signature({
  digest: new Uint8Array(32),
  issuer,
  serial: [1, 2],
  certificates: [embedded],
});
const uki = makePe([
  { name: ".cmdline", content: ascii("quiet") },
  { name: ".linux", content: ascii("kernel") },
  { name: ".profile", content: ascii("ID=a\nTITLE='b'") },
  { name: ".cmdline", content: ascii("debug") },
]);
const signed = withCertificates(uki, winCertificate(pkcs7));
const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0, 0x28, 0xb5, 0x2f, 0xfd);
const images = [
  makeBzImage(),
  makeArm64(),
  makeZboot(Bun.gzipSync("kernel")),
  signed,
  skippable,
  Bun.gzipSync("kernel"),
];

function readWholeUki(source: ByteSource): void {
  const pe = readPe(source);
  const image = pe?.kind === "pe" ? readUki(source, pe) : undefined;
  if (image?.kind !== "uki") return;
  for (let profile = 0; profile <= image.profiles.length; profile++) {
    const cmdline = ukiSection(image, ".cmdline", profile);
    if (cmdline !== undefined) readUkiText(source, cmdline, 4096);
    const linux = ukiSection(image, ".linux", profile);
    if (linux !== undefined) source.read(linux.offset, linux.size);
  }
}

function readSignature(source: ByteSource): void {
  const pe = readPe(source);
  if (pe?.kind === "pe") readAuthenticode(source, pe);
}

function digest(source: ByteSource): void {
  const pe = readPe(source);
  if (pe?.kind === "pe") authenticodeDigest(source, pe, "sha256");
}

const whole = (source: ByteSource) => source.read(0, source.size);

const readers: readonly {
  readonly name: string;
  readonly inputs: readonly Uint8Array[];
  readonly read: (source: ByteSource) => unknown;
  /** It reads headers alone, however large the file is. */
  readonly headers?: true;
  /** The reader reports by KexecError instead of a value. */
  readonly throws?: true;
}[] = [
  {
    name: "bzImage",
    inputs: [makeBzImage()],
    read: (source) => {
      const image = readBzImage(source);
      if (image?.kind === "bzimage") bzImageRefusal(image, { fiveLevelPaging: true });
    },
    headers: true,
  },
  {
    name: "arm64 Image",
    inputs: [makeArm64().subarray(0, 100)],
    read: (source) => {
      const image = readArm64Image(source);
      if (image?.kind === "arm64-image") arm64Refusal(image, { pageSizes: [] });
    },
    headers: true,
  },
  { name: "zboot", inputs: [makeZboot(Bun.gzipSync("kernel"))], read: readZboot, headers: true },
  {
    name: "compression",
    inputs: [skippable, Bun.gzipSync("kernel")],
    read: readCompression,
    headers: true,
  },
  { name: "PE", inputs: [uki], read: readPe, headers: true },
  { name: "UKI", inputs: [uki], read: readWholeUki },
  { name: "certificate table", inputs: [signed], read: readSignature, headers: true },
  { name: "Authenticode digest", inputs: [signed], read: digest },
  {
    name: "certificate",
    inputs: [embedded],
    read: (s) => readCertificate(derAt(whole(s))),
    throws: true,
  },
  { name: "PKCS#7", inputs: [pkcs7], read: (s) => readSignedData(whole(s), true), throws: true },
  { name: "all of them", inputs: images, read: recogniseImage, headers: true },
];

describe.each(readers)("$name", ({ name: reader, inputs, read, headers, throws }) => {
  test(`${rounds} mutations`, () => {
    const checkMemory = memoryWatch();
    let largest = 0;
    const rng = seeded(Number(Bun.hash.crc32(reader)));
    for (let round = 0; round < rounds; round++) {
      const input = mutate(rng.pick(inputs), rng);
      const source = meteredSource(input);
      const start = processorTime();
      largest = Math.max(largest, input.length);
      try {
        read(source);
        if (headers) {
          const large = meteredSource(input, 1 << 30);
          read(large);
          expect(large.bytesRead).toBeLessThan(mostHeaders);
        }
      } catch (error) {
        if (throws && error instanceof KexecError) continue;
        throw new Error(`round ${round}: ${input.toHex()}`, { cause: error });
      }
      expect(processorTime() - start).toBeLessThan(slowest);
      // Every reader goes over its input a few times at most.
      expect(source.bytesRead).toBeLessThanOrEqual(8 * input.length + 1024);
    }
    checkMemory(largest);
  });
});

test("mutations are the same for the same seed, and differ otherwise", () => {
  const run = (seed: number) => {
    const rng = seeded(seed);
    return Array.from({ length: 20 }, () => mutate(signed, rng).toHex());
  };
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
  expect(new Set(run(3)).size).toBeGreaterThan(15);
});

test("mutations reach the depths of the readers", () => {
  const rng = seeded(7);
  const kinds = new Set<string>();
  for (let round = 0; round < 500; round++) {
    const source = meteredSource(mutate(rng.pick(images), rng));
    const facts = recogniseImage(source);
    kinds.add(facts.kind);
    if (facts.kind === "broken") kinds.add(facts.why);
    if (!("pe" in facts) || facts.pe?.kind !== "pe") continue;
    const signature = readAuthenticode(source, facts.pe);
    if (signature !== undefined) kinds.add(signature.problem?.why ?? "signature is fine");
  }
  expect(kinds.size).toBeGreaterThan(20);
});
