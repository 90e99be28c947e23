/** Servers that do whatever they should not: the right cause, nothing taken, and no memory lost. */
import { afterAll, describe, expect, test } from "bun:test";
import type { ErrorCode } from "../../../../src/errors.ts";
import { fetched, files, places, serve, served } from "./generation.ts";
import { type Answer, ok, type Step, status } from "./server.ts";

const head = "HTTP/1.1 200 OK\r\n";
const asBytes = (file: string | Uint8Array) =>
  typeof file === "string" ? Buffer.from(file) : file;

/** Of what a wrong text of a manifest or a signature is said. */
const unsigned = ["bad-manifest", "bad-signature", "no-signature"] as const;
type Expected = readonly (ErrorCode | undefined)[];

/** What a server does with a file, and what is said of the kernel or the archive, of the manifest, and of the signature. */
interface Fault {
  readonly name: string;
  readonly answer: (file: Uint8Array) => Answer;
  readonly signed: Expected;
  readonly manifest: Expected;
  readonly slow?: boolean;
}

const fault = (
  name: string,
  answer: Fault["answer"],
  signed: ErrorCode | undefined,
  manifest: Expected = [signed],
): Fault => ({ name, answer, signed: [signed], manifest });

const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`;
const chunk = (bytes: Uint8Array): Step[] => [`${bytes.length.toString(16)}\r\n`, bytes, "\r\n"];
const withLength = (length: string | number, extra = "") =>
  `${head}Content-Length: ${length}\r\n${extra}\r\n`;
/** Bytes without an end. */
const endless = (bytes: number): Step => {
  let left = bytes;
  const block = new Uint8Array(1 << 16).fill(97);
  return () => {
    left -= block.length;
    return left < 0 ? undefined : block;
  };
};
const halves = (file: Uint8Array) =>
  [file.subarray(0, file.length >> 1), file.subarray(file.length >> 1)] as const;

/** Offsets of every class in an answer: within its first line, its head, between, and within its body. */
const cuts = (file: Uint8Array): readonly (readonly [string, number])[] => {
  const length = withLength(file.length).length;
  return [
    ["before a byte", 0],
    ["in the version", 4],
    ["in the status", 10],
    ["in a header", head.length + 5],
    ["before the blank line", length - 2],
    ["before the body", length],
    ["after a byte", length + 1],
    ["in the middle", length + (file.length >> 1)],
    ["before the last byte", length + file.length - 1],
  ];
};

const faults: readonly Fault[] = [
  ...[404, 410].map((code) => fault(`answers ${code}`, () => status(code), "file-not-found")),
  ...[201, 204, 206, 304, 400, 401, 416, 418, 429, 500, 502, 503, 599, 999].map((code) =>
    fault(`answers ${code}`, () => status(code), "http-status"),
  ),
  fault("wrong bytes", (file) => ok(file.map((byte) => byte ^ 1)), "digest-mismatch", unsigned),
  fault("a byte less", (file) => ok(file.subarray(1)), "digest-mismatch", unsigned),
  fault("a byte more", (file) => ok(Buffer.concat([file, Buffer.of(1)])), "too-long", unsigned),
  fault("an empty file", () => ok(""), "digest-mismatch", ["file-empty"]),
  fault("an empty file without length", () => [`${head}\r\n`], "transfer-cut", ["file-empty"]),
  fault("too many bytes without length", () => [`${head}\r\n`, endless(4 << 20)], "too-long", [
    "too-long",
  ]),
  fault(
    "too many bytes in chunks",
    () => [
      chunked,
      ...Array.from({ length: 40 }, () => chunk(new Uint8Array(40_000).fill(97))).flat(),
      "0\r\n\r\n",
    ],
    "too-long",
    ["too-long"],
  ),
  fault("a length of terabytes", () => [withLength(2 ** 42), "a"], "too-long", ["too-long"]),
  fault(
    "a page in place of the file",
    () => ok(`<html>${"a".repeat(2000)}</html>`),
    "digest-mismatch",
    unsigned,
  ),
  fault(
    "garbage in place of an answer",
    () => ["\x00\x01\x02 garbage without an end or a sense\r\n\r\n"],
    "bad-answer",
  ),
  fault("a line of mail", () => ["220 mail.example ESMTP\r\n\r\n"], "bad-answer"),
  fault("HTTP/3 in letters", () => ["HTTP/3 200 OK\r\n\r\n"], "bad-answer"),
  fault("a header without a colon", () => [`${head}garbage\r\n\r\n`], "bad-answer"),
  fault("a NUL in the head", () => [`${head}X: \0\r\n\r\n`], "bad-answer"),
  fault("a length that is no number", () => [withLength("abc"), "x"], "bad-answer"),
  fault("a length below nothing", () => [withLength(-1), "x"], "bad-answer"),
  fault("a length beyond all numbers", () => [withLength("9".repeat(40)), "x"], "bad-answer"),
  fault("two lengths", () => [withLength(5, "Content-Length: 6\r\n"), "xxxxxx"], "bad-answer"),
  fault("an upgrade", () => ["HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"], "bad-answer"),
  fault("a chunk without a size", () => [chunked, "ZZ\r\nxx\r\n"], "bad-answer"),
  fault(
    "a chunk of a size beyond all numbers",
    () => [chunked, `${"f".repeat(30)}\r\nxx\r\n`],
    "bad-answer",
  ),
  fault(
    "gzip that nobody asked for",
    (file) => ok(Bun.gzipSync(Uint8Array.from(file)), "Content-Encoding: gzip\r\n"),
    "bad-answer",
  ),
  fault(
    "brotli that nobody asked for",
    (file) => ok(file, "Content-Encoding: br\r\n"),
    "bad-answer",
  ),
  fault(
    "gzip as the coding of the transfer",
    (file) => [`${head}Transfer-Encoding: gzip, chunked\r\n\r\n`, ...chunk(file), "0\r\n\r\n"],
    "bad-answer",
  ),
  fault("a header without an end", () => [`${head}X-Endless: `, endless(64 << 20)], "bad-answer"),
  fault(
    "headers without an end",
    () => [head, () => Buffer.from(`X-A: ${"a".repeat(60_000)}\r\n`)],
    "bad-answer",
  ),
  fault("a redirection to nowhere", () => status(302), "redirect-refused"),
  fault(
    "a redirection to http",
    () => status(301, "Location: http://127.0.0.1:1/\r\n"),
    "redirect-refused",
  ),
  fault(
    "a redirection to a file",
    () => status(308, "Location: file:///etc/shadow\r\n"),
    "redirect-refused",
  ),
  fault(
    "a redirection to where nobody is",
    () => status(303, "Location: https://127.0.0.1:1/\r\n"),
    "connection-refused",
  ),
  // As it should be, if in other clothes.
  fault("good chunks", (file) => [chunked, ...halves(file).flatMap(chunk), "0\r\n\r\n"], undefined),
  fault(
    "good chunks with a trailer",
    (file) => [chunked, ...chunk(file), "0\r\nX-Trailer: x\r\n\r\n"],
    undefined,
  ),
  fault("no length, and an end", (file) => [`${head}\r\n`, file], undefined),
  fault("HTTP/1.0", (file) => ["HTTP/1.0 200 OK\r\n\r\n", file], undefined),
  fault(
    "bytes behind its length",
    (file) => [withLength(file.length), file, "and more"],
    undefined,
  ),
  fault("identity as its coding", (file) => ok(file, "Content-Encoding: identity\r\n"), undefined),
  fault(
    "a word before the answer",
    (file) => ["HTTP/1.1 100 Continue\r\n\r\n", ...ok(file)],
    undefined,
  ),
  ...[
    "before a byte",
    "in the version",
    "in the status",
    "in a header",
    "before the blank line",
    "before the body",
    "after a byte",
    "in the middle",
    "before the last byte",
  ].map((name, index) =>
    fault(
      `is cut ${name}`,
      (file) => {
        const whole = Buffer.concat([Buffer.from(withLength(file.length)), asBytes(file)]);
        return [whole.subarray(0, cuts(file)[index]?.[1])];
      },
      "transfer-cut",
    ),
  ),
  fault(
    "is cut within a chunk",
    (file) => [chunked, `${(file.length + 5).toString(16)}\r\n`, file],
    "transfer-cut",
    ["transfer-cut"],
  ),
  fault("is cut between chunks", (file) => [chunked, ...chunk(halves(file)[0])], "transfer-cut"),
  fault(
    "is cut without a length",
    (file) => [`${head}\r\n`, halves(file)[0]],
    "transfer-cut",
    unsigned,
  ),
  ...[
    fault("stalls at once", () => ["hang"], "stalled"),
    fault("stalls in the status", () => ["HTTP/1.1 2", "hang"], "stalled"),
    fault("stalls in its head", () => [`${head}Content-Le`, "hang"], "stalled"),
    fault("stalls before the body", (file) => [withLength(file.length), "hang"], "stalled"),
    fault(
      "stalls in the body",
      (file) => [withLength(file.length), halves(file)[0], "hang"],
      "stalled",
    ),
    fault(
      "stalls before the last byte",
      (file) => [withLength(file.length), file.subarray(1), "hang"],
      "stalled",
    ),
    fault(
      "stalls within a chunk",
      (file) => [chunked, `${file.length.toString(16)}\r\n`, halves(file)[0], "hang"],
      "stalled",
    ),
    fault("stalls behind the last chunk", (file) => [chunked, ...chunk(file), "hang"], "stalled"),
    fault(
      "says 100 for ever",
      () => ["HTTP/1.1 100 Continue\r\n\r\n", 30, "HTTP/1.1 100 Continue\r\n\r\n", "hang"],
      "stalled",
    ),
  ].map((one) => ({ ...one, slow: true })),
];

let exchanges = 0;
let most = 0;
const before = process.memoryUsage().rss;
/** MiB that a process may have beyond the files: the whole of it is measured, the server's side, too. */
const allowed = 64;

afterAll(() => {
  expect(exchanges).toBeGreaterThanOrEqual(500);
});

describe.each([
  ["https", { tls: served }],
  ["http", {}],
] as const)("a server of %s", (_, options) => {
  test.each(places)(
    "does what it should not with %s",
    async (place) => {
      const wrong: string[] = [];
      const attempt = async ({ name, answer, signed, manifest, slow }: Fault) => {
        const expected = place.includes("boot.json") ? manifest : signed;
        using server = serve(({ path }) => {
          exchanges += 1;
          // Garbage of earlier exchanges, the server's among it, is no cost of this one.
          if (exchanges % 16 === 0) Bun.gc(true);
          return path === place ? answer(asBytes(files[place] ?? "")) : undefined;
        }, options);
        const patience = slow === true ? { stall: 200 } : {};
        const error = await fetched(server.url("/node/boot.json"), patience);
        most = Math.max(most, process.memoryUsage().rss);
        const absent = place.endsWith("minisig") && expected[0] === "file-not-found";
        const empty = place.endsWith("minisig") && expected[0] === "file-empty";
        const right =
          absent || empty ? error?.code === "no-signature" : expected.includes(error?.code);
        if (!right)
          wrong.push(`${name}: ${error?.code} (${error?.message}), not ${expected.join(" or ")}`);
        // What is behind it is not asked for.
        const behind = places.slice(places.indexOf(place) + 1);
        const asked = server.paths.filter((path) => behind.includes(path));
        if (error !== undefined && asked.length > 0) {
          // A bad manifest is told by its signature.
          const judged = place === "/node/boot.json" && asked.every((path) => path.endsWith("sig"));
          if (!judged) wrong.push(`${name}: ${asked.join(", ")} was asked for`);
        }
        if (error !== undefined && [1, 3].includes(error.exit))
          wrong.push(`${name}: exit ${error.exit}`);
      };
      // Those that wait, side by side.
      await Promise.all(faults.filter(({ slow }) => slow).map(attempt));
      for (const one of faults) if (one.slow !== true) await attempt(one);
      expect(wrong).toEqual([]);
      expect((most - before) >> 20).toBeLessThan(allowed);
    },
    60_000,
  );
});
