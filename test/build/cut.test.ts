/** What the cut takes out and what it leaves, on the binaries of all targets. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { forgetBuiltins } from "../../build/builtins.ts";
import { cutUnused, icuItems } from "../../build/cut.ts";
import {
  pages,
  programHeaderTable,
  readSegments,
  segmentType,
  writeSegments,
} from "../../build/elf.ts";
import { findUnusedFrames, unusedFrames } from "../../build/frames.ts";
import { readIcu, reduceIcu } from "../../build/icu.ts";
import { partsOf, programText, quickModules } from "../../build/payload.ts";
import { ensureBuilt } from "../../build/reuse.ts";
import { findRuntime } from "../../build/runtime.ts";
import { type Target, targets } from "../../build/targets.ts";
import { buildTarget } from "../../build.ts";
import { needing } from "../needs.ts";
import { memoryOf } from "./elf.ts";
import { launcherOf, run } from "./run-target.ts";

/** The most that a binary may weigh, in bytes; and compressed by `zstd -19`, which takes half a minute. */
const ceilings: Readonly<Record<Target["name"], { raw: number; compressed?: number }>> = {
  "linux-x64": { raw: 72e6, compressed: 24.5e6 },
  "linux-arm64": { raw: 75e6, compressed: 25.7e6 },
  "linux-x64-musl": { raw: 71e6 },
  "linux-arm64-musl": { raw: 71e6 },
};

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-cut-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Between what is mapped. */
const holesIn = (mapped: readonly (readonly [number, number])[]) =>
  mapped.slice(1).map(([to], i) => ({ from: mapped[i]?.[1] ?? 0, to }));

const read = async (path: string) => Buffer.from(await Bun.file(path).arrayBuffer());

describe.each(targets)("$name", ({ name, architecture, runtime }) => {
  let path = "";
  let cut = Buffer.alloc(0);
  let uncut = Buffer.alloc(0);
  beforeAll(async () => {
    path = await ensureBuilt(name);
    cut = await read(path);
    const outfile = join(scratch, name);
    uncut = await read(await buildTarget(name, { outfile, uncut: true }));
    await rm(outfile);
  }, 300_000);

  test("has each byte where it was in memory, but for ICU, headers and what nothing asks for", async () => {
    const { start, end } = reduceIcu(uncut);
    const loads = readSegments(uncut).filter(({ type }) => type === segmentType.load);
    const headers = programHeaderTable(uncut);
    expect(loads.length).toBe(4);
    const data = readSegments(await read(await findRuntime(runtime))).filter(
      ({ type }) => type === segmentType.load,
    )[2];
    const page = pages[architecture];
    const zeros = (data?.address ?? 0) + (data?.inMemory ?? 0);
    const payload = Math.ceil(zeros / page) * page - (loads[2]?.address ?? 0);
    const programAt = (loads[2]?.offset ?? 0) + payload;
    const program = uncut.subarray(programAt, (loads[2]?.offset ?? 0) + (loads[2]?.inFile ?? 0));
    for (const segment of loads) {
      const before = memoryOf(uncut, segment.address, segment.inMemory);
      const after = memoryOf(cut, segment.address, segment.inMemory);
      if (segment.offset === 0) {
        // The archive, and what the ELF header says of program headers: e_phoff, e_phnum
        const apart = [
          [start, end],
          [headers.offset, headers.offset + headers.count * 56],
          [0x20, 0x28],
          [0x38, 0x3a],
        ] as const;
        for (const [from, to] of apart)
          for (const one of [before, after]) one.bytes.fill(0, from, to);
        // One hole is the archive's; the others are of modules and frames that nothing asks for.
        const unasked = [
          ...findUnusedFrames(before.bytes),
          ...forgetBuiltins(before.bytes, programText(program)),
        ];
        expect(after.mapped[0]?.[0]).toBe(0);
        expect(after.mapped[0]?.[1]).toBeGreaterThan(start);
        expect(after.mapped[1]?.[0]).toBeLessThanOrEqual(end);
        expect(after.mapped[1]?.[0]).toBeGreaterThan(start + 8e6);
        expect(after.mapped.at(-1)?.[1]).toBe(segment.inMemory);
        const holes = holesIn(after.mapped.slice(1));
        expect(holes.reduce((sum, { from, to }) => sum + to - from, 0)).toBeGreaterThan(0.8e6);
        for (const { from, to } of holes) {
          expect(unasked.some((one) => one.from <= from && to <= one.to)).toBe(true);
          before.bytes.fill(0, from, to);
        }
      }
      if (segment === loads[2]) {
        // The program is laid out anew: each module has all that it had, or all but its bytecode.
        const own = before.bytes.subarray(payload);
        const [whole, left] = [partsOf(own), partsOf(after.bytes.subarray(payload))];
        const quick = quickModules(own);
        // A load would be parsed and compiled at each start, where this went unnoticed.
        expect(quick.size).toBeGreaterThan(20);
        expect(quick.size).toBeLessThan(whole.size - 20);
        expect([...left.keys()]).toEqual([...whole.keys()]);
        for (const [name, parts] of whole) {
          for (const [part, bytes] of Object.entries(parts)) {
            const wanted = part === "bytecode" && !quick.has(name) ? new Uint8Array() : bytes;
            expect(Buffer.compare(left.get(name)?.[part] ?? Buffer.alloc(0), wanted)).toBe(0);
          }
        }
        expect(holesIn(after.mapped).every(({ to }) => to <= payload)).toBe(true);
        for (const one of [before, after]) one.bytes.fill(0, payload);
      }
      expect(before.bytes.equals(after.bytes)).toBe(true);
    }
  });

  test("has of ICU what is English, root's or code's, byte by byte", () => {
    const { start } = reduceIcu(uncut);
    const { bytes, mapped } = memoryOf(cut, readSegments(cut)[2]?.address ?? 0, 0x800000);
    const first = mapped[0]?.[1] ?? 0;
    const before = readIcu(uncut, start).items;
    // Behind the archive are the program headers, and before them at most their alignment.
    const { offset } = programHeaderTable(cut);
    const after = readIcu(bytes.subarray(0, first), start, offset).items;
    const names = after.map((item) => item.name);
    expect([before.length, names.length]).toEqual([icuItems.all, icuItems.kept]);
    for (const wanted of ["nfkc.nrm", "uts46.nrm", "brkitr/word.brk", "coll/root.res", "en.res"]) {
      expect(names).toContain(`icudt78l/${wanted}`);
    }
    for (const [i, item] of after.entries()) {
      const same = before.find((one) => one.name === item.name)?.bytes ?? Buffer.alloc(0);
      const length = i === after.length - 1 ? same.length : item.bytes.length;
      expect(Buffer.from(same).equals(item.bytes.subarray(0, length))).toBe(true);
    }
  });

  test("has segments in order, each at its place within a page, and headers in the first", () => {
    const page = architecture === "x64" ? 0x1000 : 0x10000;
    const segments = readSegments(cut);
    const loads = segments.filter(({ type }) => type === segmentType.load);
    expect(loads.length).toBeGreaterThanOrEqual(6);
    expect(loads.length).toBeLessThan(40);
    let end = 0;
    for (const one of loads) {
      expect(one.address % page).toBe(one.offset % page);
      // No page belongs to two of them.
      expect(Math.floor(one.address / page) * page).toBeGreaterThanOrEqual(end);
      end = Math.ceil((one.address + one.inMemory) / page) * page;
      expect(one.offset + one.inFile).toBeLessThanOrEqual(cut.length);
    }
    const [first] = loads;
    const { offset, count } = programHeaderTable(cut);
    const own = segments.find(({ type }) => type === segmentType.programHeaders);
    expect(first?.offset).toBe(0);
    expect(own).toMatchObject({ offset, address: (first?.address ?? 0) + offset });
    expect(own?.inFile).toBe(count * 56);
    expect(offset + count * 56).toBeLessThanOrEqual(first?.inFile ?? 0);
    // Nothing of the file lies in no segment, but for what fills up a page.
    const inSegments = loads.reduce((sum, { inFile }) => sum + inFile, 0);
    expect(cut.length - inSegments).toBeLessThan(loads.length * page);
  });

  test("weighs no more than it may", async () => {
    const { raw, compressed } = ceilings[name];
    expect(cut.length).toBeLessThanOrEqual(raw);
    if (compressed === undefined) return;
    const packed = await Bun.zstdCompress(cut, { level: 19 });
    expect(packed.length).toBeLessThanOrEqual(compressed);
  }, 300_000);

  const launcher = launcherOf(name);
  const emulated = launcher !== undefined && !name.startsWith(`linux-${process.arch}`);
  needing(...(launcher === undefined ? [`what runs ${name}`] : [])).test(
    "answers as the uncut one, but for what languages say",
    async () => {
      const entry = join(import.meta.dir, "probe", "expressions.ts");
      const outfile = (kind: string) => join(scratch, `${name}-probe-${kind}`);
      const whole = await buildTarget(name, { entry, outfile: outfile("uncut"), uncut: true });
      const small = await buildTarget(name, { entry, outfile: outfile("cut") });
      const different = new Set<string>();
      const zones = [
        "UTC",
        "Europe/Berlin",
        "America/St_Johns",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
      ];
      // Under emulation a run takes a second.
      const languages = emulated ? ["de_DE.UTF-8"] : ["C", "en_US.UTF-8", "de_DE.UTF-8"];
      for (const TZ of zones) {
        for (const LANG of languages) {
          const [before, after] = await Promise.all(
            [whole, small].map(async (binary) => {
              const outcome = await run([...(launcher ?? []), binary], { env: { TZ, LANG } });
              expect(outcome).toMatchObject({ exit: 0, stderr: "" });
              return JSON.parse(outcome.stdout);
            }),
          );
          const names = Object.keys(before);
          expect(names.length).toBeGreaterThan(90);
          expect(Object.keys(after)).toEqual(names);
          for (const one of names) {
            if (!Bun.deepEquals(before[one], after[one])) different.add(one);
          }
        }
      }
      expect([...different]).toEqual(["currency, de"]);
    },
    600_000,
  );

  // One target's refusals are all targets': the code is the same.
  if (name !== "linux-x64") return;
  test("refuses a runtime without one of the frames, with it twice, or with another", () => {
    const bytes = Buffer.from(uncut);
    const [{ head, length } = { head: "", length: 0 }] = unusedFrames;
    const at = bytes.indexOf(Buffer.from(head, "hex"));
    const change = (offset: number) => {
      const changed = Buffer.from(bytes);
      changed[at + offset] = (changed[at + offset] ?? 0) ^ 1;
      return changed;
    };
    expect(() => findUnusedFrames(change(7))).toThrow("look at build/frames.ts anew");
    expect(() => findUnusedFrames(change(length - 1))).toThrow("another frame");
    const twice = Buffer.from(bytes);
    bytes.copy(twice, 0x20_0000, at, at + 16);
    expect(() => findUnusedFrames(twice)).toThrow("look at build/frames.ts anew");
  });

  describe("refuses", () => {
    const twist = (change: (file: Buffer, runtime: Buffer) => void) => async () => {
      const file = Buffer.from(uncut);
      const pinned = await read(await findRuntime(runtime));
      expect(cutUnused(file, pinned, architecture).length).toBe(cut.length);
      change(file, pinned);
      return () => cutUnused(file, pinned, architecture);
    };
    const header = (file: Buffer, index: number) => programHeaderTable(file).offset + index * 56;
    test.each<[string, (file: Buffer, runtime: Buffer) => void, string]>([
      [
        "another ICU",
        (file) => {
          const { start } = reduceIcu(file);
          const item = file.indexOf("icudt78l/zoneinfo64.res", start);
          file.write("zoneinfo64.txt", item + 9);
        },
        "90 would stay, not 3990 and 91",
      ],
      [
        "bytes where the runtime has zeros",
        (file, pinned) => {
          const data = readSegments(pinned)[4];
          file[(data?.offset ?? 0) + (data?.inMemory ?? 0) - 1] = 1;
        },
        "something where the runtime has zeros",
      ],
      [
        "another runtime's writable segment",
        (_, pinned) => pinned.writeBigUInt64LE(0x10000n, header(pinned, 4) + 16),
        "is not the compiled binary's",
      ],
      [
        "a binary with no program",
        (file) => file.writeBigUInt64LE(0x1000n, header(file, 4) + 32),
        "no program in it",
      ],
      [
        "a program header of an unknown type",
        (file) => file.writeUInt32LE(0x6474e553, header(file, 7)),
        "a program header of type 1685382483",
      ],
      [
        "segments out of order",
        (file) => {
          const segments = readSegments(file);
          const [a, b] = [segments[3], segments[4]];
          if (a === undefined || b === undefined) throw new Error("no segments");
          const table = programHeaderTable(file).offset;
          writeSegments(file, table, segments.with(3, b).with(4, a));
        },
        "segments are not in order",
      ],
      [
        "thread data in the hole",
        (file) =>
          file.writeBigUInt64LE(
            BigInt(0x200000 + reduceIcu(file).end - 0x10000),
            header(file, 5) + 16,
          ),
        "names what the cut takes out",
      ],
      [
        "a first segment that ends before ICU does",
        (file) => {
          const { end } = reduceIcu(file);
          file.writeBigUInt64LE(BigInt(end - 1), header(file, 2) + 32);
        },
        "no room for a hole",
      ],
    ])("%s", async (_, change, message) => {
      expect(await twist(change)()).toThrow(message);
    });
  });
});
