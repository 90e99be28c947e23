import { expect, test } from "bun:test";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { type JoinPlan, type Piece, planJoin } from "../../../src/initramfs/join.ts";
import { boot, framed, lookup } from "./kernel.ts";
import { bootconfigTrailer, bytes, concat, random, refusal } from "./samples.ts";

const archiveOf = (path: string, text: string) =>
  encodeArchive([{ type: "file", path, data: bytes(text) }]);

function assemble(
  plan: JoinPlan,
  pieces: readonly Uint8Array[],
  injected: readonly Uint8Array[] = [],
): Uint8Array {
  if (plan.passThrough) return pieces[0] ?? new Uint8Array(0);
  const buffer = new Uint8Array(plan.size).fill(0xee);
  let end = 0;
  for (const segment of plan.segments) {
    expect(segment.at).toBe(end);
    expect(segment.length).toBeGreaterThan(0);
    end += segment.length;
    if (segment.from === "zeros") {
      buffer.fill(0, segment.at, end);
      continue;
    }
    const source = segment.from === "injected" ? injected[segment.injected] : pieces[segment.piece];
    const part = source?.subarray(segment.offset, segment.offset + segment.length);
    expect(part?.length).toBe(segment.length);
    buffer.set(part ?? [], segment.at);
  }
  expect(end).toBe(plan.size);
  return buffer;
}

test("one archive and nothing to inject passes through, bootconfig and all", () => {
  expect(planJoin([{ size: 7 }])).toEqual({ passThrough: true, size: 7 });
  const bootconfig = { offset: 3, length: 20 };
  expect(planJoin([{ size: 23, bootconfig }])).toEqual({ passThrough: true, size: 23 });
});

test("no archive at all is no segments", () => {
  expect(planJoin([])).toEqual({ passThrough: false, size: 0, segments: [] });
});

test("the layout of two archives and an injected one", () => {
  expect(planJoin([{ size: 5 }, { size: 8 }], [12])).toEqual({
    passThrough: false,
    size: 36,
    segments: [
      { from: "piece", piece: 0, offset: 0, at: 0, length: 5 },
      { from: "zeros", at: 5, length: 7 },
      { from: "piece", piece: 1, offset: 0, at: 12, length: 8 },
      { from: "zeros", at: 20, length: 4 },
      { from: "injected", injected: 0, offset: 0, at: 24, length: 12 },
    ],
  });
});

test("an injected archive alone is the initramfs", () => {
  expect(planJoin([], [12])).toMatchObject({ size: 12, segments: [{ from: "injected", at: 0 }] });
});

test("the bootconfig of any archive goes to the very end", () => {
  const trailer = bootconfigTrailer("a=1\n");
  const first = archiveOf("first", "1");
  const second = archiveOf("second", "2");
  const secret = archiveOf("secret", "3");
  const bootconfig = { offset: first.length, length: trailer.length };
  // Two bytes behind the magic, as a boot loader leaves them, stay behind.
  const withTrailer = concat(first, trailer, new Uint8Array(2));
  const piece = { size: withTrailer.length, bootconfig };

  for (const pieces of [[piece, { size: second.length }], [piece]]) {
    const plan = planJoin(pieces, [secret.length]);
    const joined = assemble(plan, [withTrailer, second], [secret]);
    const { root, error, bootconfig: found } = boot(joined);
    expect(error).toBeUndefined();
    expect(found).toBe("a=1\n");
    expect(joined.length % 4).toBe(0);
    expect(Buffer.from(joined.subarray(-12)).toString()).toBe("#BOOTCONFIG\n");
    expect(lookup(root, "first")?.data).toBe("1");
    expect(lookup(root, "secret")?.data).toBe("3");
  }
});

test("a file that is a bootconfig alone does not come first", () => {
  const plan = planJoin([{ size: 23, bootconfig: { offset: 0, length: 23 } }, { size: 8 }]);
  expect(plan).toMatchObject({
    size: 36,
    segments: [{ from: "piece", piece: 1, at: 0 }, { from: "zeros" }, { from: "bootconfig" }],
  });
  const alone = planJoin([{ size: 23, bootconfig: { offset: 0, length: 23 } }], [8]);
  expect(alone).toMatchObject({ segments: [{ from: "injected", at: 0 }, {}, { at: 13 }] });
});

test("two bootconfigs and empty archives are refused", () => {
  const piece = { size: 23, bootconfig: { offset: 3, length: 20 } };
  const error = refusal(() => planJoin([piece, piece]));
  expect(error.code).toBe("malformed-input");
  expect(error.message).toBe("cannot join the initramfs archives: 2 of them end in a bootconfig");
  expect(refusal(() => planJoin([{ size: 0 }])).code).toBe("file-empty");
  expect(refusal(() => planJoin([{ size: 1 }], [0])).code).toBe("file-empty");
  expect(() => planJoin([{ size: -1 }])).toThrow(RangeError);
  expect(() => planJoin([{ size: 5, bootconfig: { offset: 3, length: 20 } }], [4])).toThrow(
    RangeError,
  );
});

/** One to five archives of all framings and sizes, every one of them with a file of its own. */
function sample(next: (limit: number) => number) {
  const count = 1 + next(5);
  const contents = Array.from({ length: count }, (_, index) => {
    const plain = encodeArchive([
      { type: "file", path: `own${index}`, data: bytes(`x`.repeat(next(9))) },
      { type: "file", path: "shared", data: bytes(String(index)) },
    ]);
    const framing = next(3);
    if (framing > 0) {
      // A body of any length: the tail of zeros belongs to the compressed data.
      const body = concat(plain, new Uint8Array(next(520)));
      return framed(framing === 1 ? "gzip" : "lz4", body);
    }
    return concat(plain, new Uint8Array(next(6)));
  });
  const holder = next(2) === 0 ? -1 : next(count);
  const trailer = bootconfigTrailer("b".repeat(next(6)));
  const files = contents.map((content, index) =>
    index === holder ? concat(content, trailer, new Uint8Array(next(4))) : content,
  );
  const pieces: Piece[] = files.map(({ length: size }, index) => {
    const offset = contents[index]?.length ?? 0;
    return index === holder ? { size, bootconfig: { offset, length: trailer.length } } : { size };
  });
  return { count, files, pieces, trailer: holder === -1 ? undefined : trailer };
}

test.each([4, 512] as const)("every joined buffer unpacks whole, aligned to %d", (alignment) => {
  const next = random(alignment);
  for (let round = 0; round < 700; round += 1) {
    const { count, files, pieces, trailer } = sample(next);
    const injected = Array.from({ length: next(3) }, (_, index) =>
      archiveOf("shared", `injected${index}`),
    );
    const sizes = injected.map(({ length }) => length);
    const plan = planJoin(pieces, sizes, alignment);
    if (plan.passThrough) {
      expect(count + injected.length).toBe(1);
      continue;
    }
    const order = plan.segments.flatMap((segment) =>
      segment.from === "piece" || segment.from === "injected" ? [segment] : [],
    );
    for (const { at } of order) expect(at % alignment).toBe(0);
    expect(order.map(({ from }) => from).join()).toMatch(/^(piece,?)+(injected,?)*$/);

    const { root, error, bootconfig } = boot(assemble(plan, files, injected));
    expect(error).toBeUndefined();
    for (let index = 0; index < count; index += 1) {
      expect(lookup(root, `own${index}`)).toBeDefined();
    }
    const last = injected.length === 0 ? String(count - 1) : `injected${injected.length - 1}`;
    expect(lookup(root, "shared")?.data).toBe(last);
    expect(bootconfig?.length).toBe(trailer === undefined ? undefined : trailer.length - 20);
  }
});

test("the model is one in which bad padding fails", () => {
  const plain = archiveOf("a", "1");
  const lz4 = framed("lz4", plain);
  const gzip = framed("gzip", plain);
  expect(boot(concat(lz4, archiveOf("b", "2"))).error).toBeDefined();
  expect(boot(concat(lz4, new Uint8Array(4), archiveOf("b", "2"))).error).toBeUndefined();
  expect(boot(concat(gzip, new Uint8Array(1), archiveOf("b", "2"))).error).toBeDefined();
  expect(boot(concat(plain, new Uint8Array(1), gzip)).error).toBe("broken padding");
  expect(boot(concat(gzip, bootconfigTrailer("a"), gzip)).error).toBeDefined();
});
