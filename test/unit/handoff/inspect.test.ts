/** What `inspect` costs, and what becomes of mutated files that are inspected whole. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodes, KexecError } from "../../../src/errors.ts";
import { inspect } from "../../../src/handoff/inspect.ts";
import { archiveTrailer, entryHeader } from "../../../src/initramfs/cpio.ts";
import { memoryWatch, mutate, processorTime, seeded, seeOneself } from "../fuzz.ts";
import {
  ascii,
  concat,
  makeBzImage,
  makePe,
  winCertificate,
  withCertificates,
} from "../image/build.ts";
import { certificate, name, signature } from "../image/der-build.ts";

const folder = mkdtempSync(join(tmpdir(), "inspect-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const issuer = name([["CN", "CA"]]);
const pkcs7 = signature({
  digest: new Uint8Array(32),
  issuer,
  serial: [7],
  certificates: [certificate({ issuer, subject: name([["CN", "Signer"]]), serial: [7] })],
});
const uki = makePe([
  { name: ".cmdline", content: ascii("quiet") },
  { name: ".linux", content: makeBzImage() },
]);
const signed = withCertificates(uki, winCertificate(pkcs7));
const manifest = ascii(
  JSON.stringify({
    format: "aegis-kexec/1",
    generation: 1,
    architecture: "x86_64",
    kernel: { path: "kernel", size: 1, sha256: "00".repeat(32) },
    initrds: [],
    cmdline: "quiet",
  }),
);

function written(file: string, bytes: Uint8Array): string {
  const path = join(folder, file);
  writeFileSync(path, bytes);
  return path;
}

/** Bytes that this process has read by system calls: Documentation/filesystems/proc.rst. */
function bytesRead(): number {
  seeOneself();
  return Number(/^rchar: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
}

async function costOf(path: string, size: number, initrd: string[] = []): Promise<number> {
  truncateSync(path, size);
  const checkMemory = memoryWatch();
  const before = bytesRead();
  const { source } = await inspect({ kernel: path, initrd, cmdline: "x" });
  const cost = bytesRead() - before;
  checkMemory(0);
  expect(source.size).toBe(size);
  return cost;
}

describe("a file of 1 GiB costs what one of 10 MiB does", () => {
  const [small, large] = [10 << 20, 1 << 30];
  const same = 64 << 10;

  test.each([
    ["bzImage", makeBzImage()],
    ["UKI", uki],
    ["nothing that is known", ascii("\x01\x02\x03\0")],
  ] as const)("%s", async (_, bytes) => {
    const path = written("image", bytes);
    // The first look loads what is imported on demand.
    await costOf(path, small);
    const cost = await costOf(path, small);
    expect(Math.abs((await costOf(path, large)) - cost)).toBeLessThan(same);
  });

  test("initramfs", async () => {
    const path = written("kernel", makeBzImage());
    const cost = async (size: number) => {
      const header = entryHeader({ type: "file", path: "large" }, size);
      const archive = written("initrd", header);
      truncateSync(archive, header.length + size);
      appendFileSync(archive, archiveTrailer());
      return costOf(path, 4096, [archive]);
    };
    expect(Math.abs((await cost(small)) - (await cost(large)))).toBeLessThan(same);
  });

  test("a digest that was not asked for is not taken, and it says so", async () => {
    // The table must lie inside the file, and what follows it is covered by the digest.
    const path = written("signed", concat(signed, new Uint8Array(4096)));
    truncateSync(path, large);
    const before = bytesRead();
    const { image, unknown } = await inspect({ kernel: path, cmdline: "x" });
    expect(image?.changedAfterSigning).toBeNull();
    expect(unknown["image.changedAfterSigning"]).toContain("its digest was not taken");
    expect(bytesRead() - before).toBeLessThan(64 << 20);
  });
});

/** A whole inspection reads the machine each time: fewer rounds than a reader alone gets. */
const rounds = Math.ceil((Number(Bun.env["AEGIS_FUZZ"]) || 2000) / 8);

describe("mutated files are inspected, each with an exit code of the table", () => {
  const exits: ReadonlySet<number> = new Set([0, ...Object.values(errorCodes)]);
  const samples = {
    bzImage: makeBzImage(),
    UKI: signed,
    gzip: Bun.gzipSync(Uint8Array.from(makeBzImage())),
    manifest,
  };

  test.each(Object.entries(samples))(
    "%s",
    async (kind, sample) => {
      const rng = seeded(kind.length);
      // What is loaded on demand is no cost of an input, and garbage none of a single one.
      await inspect({ kernel: written("mutated", sample), cmdline: "x" });
      const checkMemory = memoryWatch();
      const found = new Set<number>();
      let largest = 0;
      for (let round = 0; round < rounds; round++) {
        const bytes = mutate(sample, rng);
        largest = Math.max(largest, bytes.length);
        const path = written("mutated", bytes);
        if (round % 32 === 0) Bun.gc(true);
        const start = processorTime();
        try {
          const { verdict } = await inspect({ kernel: path, initrd: [path], cmdline: "x" });
          found.add(verdict.wouldExit);
        } catch (error) {
          if (!(error instanceof KexecError)) throw error;
          found.add(error.exit);
        }
        expect(processorTime() - start).toBeLessThan(1000);
      }
      expect([...found].filter((exit) => !exits.has(exit) || exit === 1)).toEqual([]);
      checkMemory(largest);
    },
    120_000,
  );
});
