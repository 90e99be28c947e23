/**
 * Inputs that are well formed in their parts and wrong as a whole: a reader answers or refuses, and what
 * it reads is bounded, counted in bytes and in reads.
 */
import { describe, expect, test } from "bun:test";
import { KexecError } from "../../src/errors.ts";
import { readAuthenticode } from "../../src/image/authenticode.ts";
import type { ByteSource } from "../../src/image/bytes.ts";
import { readPe } from "../../src/image/pe.ts";
import { readSignedData } from "../../src/image/pkcs7.ts";
import { recogniseImage } from "../../src/image/recognise.ts";
import { readUki, readUkiText, ukiSection } from "../../src/image/uki.ts";
import { archiveHeadLength, identifyArchive } from "../../src/initramfs/archive.ts";
import { readBootconfig } from "../../src/initramfs/bootconfig.ts";
import { parseEntry, resemblesEntry } from "../../src/source/entry/file.ts";
import { formatManifest, parseManifest } from "../../src/trust/manifest.ts";
import { parsePolicy } from "../../src/trust/policy-file.ts";
import { mutate, processorTime, type Rng, seeded } from "./fuzz.ts";
import {
  ascii,
  concat,
  makePe,
  meteredSource,
  patched,
  peSectionTable,
  winCertificate,
  withCertificates,
} from "./image/build.ts";
import { certificate, name, signature } from "./image/der-build.ts";
import { mutateDer, mutateJson, parseDer, rearranged, writeDer } from "./structure-mutations.ts";

/** How many inputs a reader gets; `AEGIS_FUZZ` gives another number, for long runs. */
const rounds = Number(Bun.env["AEGIS_FUZZ"]) || 2000;
/** Bytes and reads that are enough for any headers, of a file that says it has a gibibyte. */
const mostBytes = 2 << 20;
const mostReads = 2000;
/** Milliseconds of the processor, where there are no reads to count. */
const slowest = 1000;

function counted(bytes: Uint8Array): ByteSource & { reads: number; bytesRead: number } {
  const inner = meteredSource(bytes, 1 << 30);
  return {
    size: inner.size,
    reads: 0,
    get bytesRead() {
      return inner.bytesRead;
    },
    read(offset, length) {
      this.reads += 1;
      return inner.read(offset, length);
    },
  };
}

function fuzz(
  seed: number,
  make: (rng: Rng) => Uint8Array,
  read: (bytes: Uint8Array) => void,
): void {
  const rng = seeded(seed);
  for (let round = 0; round < rounds; round++) {
    const input = make(rng);
    const start = processorTime();
    try {
      read(input);
    } catch (error) {
      if (!(error instanceof KexecError)) {
        throw new Error(`round ${round}: ${input.subarray(0, 4096).toHex()}`, { cause: error });
      }
    }
    expect(processorTime() - start).toBeLessThan(slowest);
  }
}

const issuer = name([["CN", "CA"]]);
const embedded = certificate({ issuer, subject: name([["CN", "Signer"]]), serial: [1, 2] });
const pkcs7 = signature({
  digest: new Uint8Array(32),
  issuer,
  serial: [1, 2],
  certificates: [embedded],
});
const [tree = { tag: 0x30, children: [] }] = parseDer(pkcs7);

const sections = [
  { name: ".osrel", content: ascii("ID=a\nVERSION=1\n") },
  { name: ".cmdline", content: ascii("quiet") },
  { name: ".linux", content: ascii("kernel") },
  { name: ".initrd", content: ascii("initrd") },
  { name: ".profile", content: ascii("ID=b\nTITLE=B") },
  { name: ".cmdline", content: ascii("debug") },
];

function ukiOf(rng: Rng): Uint8Array {
  const planned = rearranged(sections, rng, (section) =>
    rng.below(2) === 0
      ? {
          ...section,
          name: rng.pick([".linux", ".linux\x01", ".li\x01nux", ".profile", "", "12345678"]),
        }
      : { ...section, content: rng.bytes(rng.pick([0, 1, 511, 512, 70_000])) },
  );
  let file = makePe(planned);
  for (let changes = rng.below(4); changes > 0; changes--) {
    const one = peSectionTable + rng.below(planned.length) * 40;
    const other = peSectionTable + rng.below(planned.length) * 40;
    const field = rng.pick([8, 12, 16, 20]);
    const view = new DataView(file.buffer, file.byteOffset);
    // On another section's place, beyond the end, or one byte beside.
    const value = rng.pick([
      view.getUint32(other + field, true),
      0xffff_ffff,
      0,
      1,
      view.getUint32(one + field, true) + 1,
    ]);
    file = patched(file, [one + field, 4, value >>> 0]);
  }
  const table =
    rng.below(2) === 0 ? winCertificate(pkcs7) : winCertificate(writeDer(mutateDer(tree, rng)));
  return rng.below(2) === 0 ? withCertificates(file, table) : file;
}

describe("by structure", () => {
  test("UKIs with sections moved, doubled, overlapping, renamed", () => {
    fuzz(1, ukiOf, (bytes) => {
      const source = counted(bytes);
      const pe = readPe(source);
      if (pe?.kind === "pe") {
        readAuthenticode(source, pe);
        const uki = readUki(source, pe);
        if (uki?.kind === "uki") {
          for (const wanted of [".osrel", ".cmdline"]) {
            const section = ukiSection(uki, wanted, 0);
            if (section !== undefined) readUkiText(source, section, 16 << 10);
          }
        }
      }
      recogniseImage(source);
      expect(source.bytesRead).toBeLessThan(mostBytes);
      expect(source.reads).toBeLessThan(mostReads);
    });
  });

  test("signatures", () => {
    fuzz(
      2,
      (rng) => writeDer(mutateDer(tree, rng)),
      (bytes) => {
        const { signers } = readSignedData(bytes, true);
        // The arithmetic of a signature is done for one signer, whatever there are.
        expect(signers.slice(1).every(({ isOfKey }) => isOfKey === undefined)).toBe(true);
      },
    );
  });

  test("archives' heads and boot configurations", () => {
    const config = ascii("a = b\n");
    const trailer = (size: number, sum: number) =>
      concat(new Uint8Array(new Uint32Array([size, sum]).buffer), ascii("#BOOTCONFIG\n"));
    const sum = config.reduce((total, byte) => total + byte, 0);
    const parts = [ascii("070701"), new Uint8Array(600), config, trailer(config.length, sum)];
    fuzz(
      3,
      (rng) =>
        concat(
          ...rearranged(parts, rng, (part) =>
            rng.below(2) === 0
              ? mutate(part, rng)
              : trailer(rng.pick([0, 1, 2 ** 31, 2 ** 32 - 1]), sum),
          ),
        ),
      (bytes) => {
        const source = meteredSource(bytes);
        identifyArchive(source.read(0, Math.min(archiveHeadLength, source.size)));
        readBootconfig(source);
        expect(source.bytesRead).toBeLessThanOrEqual(archiveHeadLength + (32 << 10) + 64);
      },
    );
  });

  const file = { path: "vmlinuz", size: 5, sha256: "ab".repeat(32) };
  const manifest = {
    format: "aegis-kexec/1",
    generation: 1,
    architecture: "x86_64",
    kernel: file,
    initrds: [file, { ...file, path: "a/b" }],
    cmdline: "quiet",
  };
  test("manifests: what is taken has one meaning", () => {
    fuzz(
      4,
      (rng) => ascii(mutateJson(manifest, rng)),
      (bytes) => {
        const read = parseManifest(bytes);
        expect(parseManifest(ascii(formatManifest(read)))).toEqual(read);
      },
    );
  });

  test("policies: what is taken demands a key", () => {
    const policy = {
      trust: ["/etc/org.pub", "/etc/other.pub"],
      threshold: 1,
      minGeneration: 4,
      allowAppend: ["console="],
      allowSecret: ["/etc/cryptsetup-keys.d/"],
      fileSystems: ["ext4"],
      measure: { pcr: 12, required: true },
    };
    fuzz(
      5,
      (rng) => ascii(mutateJson(policy, rng)),
      (bytes) => {
        const { trust, threshold, allowSecret } = parsePolicy(bytes, "policy");
        expect(trust.length).toBeGreaterThan(0);
        expect(threshold).toBeLessThanOrEqual(trust.length);
        expect(allowSecret.every((place) => place.startsWith("/") && place !== "/")).toBe(true);
      },
    );
  });

  test("boot entries", () => {
    const lines = [
      ..."title A|version 1|machine-id b|sort-key c|linux /vmlinuz|initrd /a /b|initrd /c".split(
        "|",
      ),
      ..."options quiet|options root=x|efi /x.efi|uki /y.efi|architecture x64|# note||devicetree /d".split(
        "|",
      ),
    ];
    fuzz(
      6,
      (rng) =>
        ascii(
          rearranged(lines, rng, (line) =>
            rng.pick([
              line.toUpperCase(),
              `${line} ${line}`,
              line.replace(" ", "\t "),
              ` ${line}`,
              "x".repeat(5000),
            ]),
          ).join(rng.pick(["\n", "\r\n", "\n\n"])),
        ),
      (bytes) => {
        resemblesEntry(bytes);
        parseEntry(bytes);
      },
    );
  });
});
