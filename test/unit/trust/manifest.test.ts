import { describe, expect, test } from "bun:test";
import {
  formatManifest,
  type Manifest,
  manifestProblems,
  maxManifestSize,
  parseManifest,
} from "../../../src/trust/manifest.ts";
import { mutate, seeded } from "../fuzz.ts";
import { bytesOf, errorOf, refusedOr } from "./signer.ts";

const sha256 = "0123456789abcdef".repeat(4);
const manifest: Manifest = {
  format: "aegis-kexec/1",
  generation: 42,
  architecture: "x86_64",
  kernel: { path: "vmlinuz", size: 11655104, sha256 },
  initrds: [
    { path: "initrd.img", size: 52428800, sha256 },
    { path: "extra/é and more.img", size: 1, sha256 },
  ],
  cmdline: 'root=LABEL=RESCUE quiet foo="a b"',
};
const written = formatManifest(manifest);

/** The manifest with the first `from` in its text replaced. */
const edited = (from: string, to: string): Uint8Array => {
  expect(written).toContain(from);
  return bytesOf(written.replace(from, () => to));
};
const withFile = (change: Readonly<Record<string, unknown>>): Uint8Array =>
  bytesOf(JSON.stringify({ ...manifest, kernel: { ...manifest.kernel, ...change } }));
const changed = (change: Readonly<Record<string, unknown>>): Uint8Array =>
  bytesOf(JSON.stringify({ ...manifest, ...change }));
const without = (key: string): Uint8Array =>
  bytesOf(JSON.stringify(Object.fromEntries(Object.entries(manifest).filter(([k]) => k !== key))));

describe("accepted", () => {
  test("what was written is what is read", () => {
    expect(parseManifest(bytesOf(written))).toEqual(manifest);
    expect(manifestProblems(bytesOf(written))).toEqual([]);
  });

  test("any order of keys and any white space", () => {
    const reversed = Object.fromEntries(Object.entries(manifest).reverse());
    expect(parseManifest(bytesOf(JSON.stringify(reversed)))).toEqual(manifest);
  });

  test("an fs-verity digest beside the SHA-256, of any of the files", () => {
    const verity = `sha256:${sha256}` as const;
    const [first] = manifest.initrds;
    if (first === undefined) throw new Error("no archive");
    const named = { ...manifest, initrds: [{ ...first, verity }] };
    expect(parseManifest(bytesOf(formatManifest(named)))).toEqual(named);
    expect(parseManifest(withFile({ verity })).kernel.verity).toBe(verity);
    for (const other of [
      sha256,
      `sha512:${sha256}`,
      `sha256:${sha256.toUpperCase()}`,
      "",
      7,
      null,
    ]) {
      expect(manifestProblems(withFile({ verity: other })).join()).toStartWith("kernel.verity: ");
    }
  });

  test("the limits themselves", () => {
    const file = { path: `${"a/".repeat(1920)}${"b".repeat(255)}`, size: 2 ** 53 - 1, sha256 };
    const full: Manifest = {
      ...manifest,
      generation: 2 ** 53 - 1,
      architecture: "aarch64",
      kernel: file,
      initrds: Array.from({ length: 64 }, (_, n) => ({ ...file, path: `i${n}` })),
      cmdline: "",
    };
    expect(parseManifest(bytesOf(formatManifest(full)))).toEqual(full);
    expect(parseManifest(changed({ generation: 0, initrds: [] })).generation).toBe(0);
    const ascii = written.replace("é", "\\u00e9");
    const padded = ascii.padEnd(maxManifestSize, " ");
    expect(parseManifest(bytesOf(padded))).toEqual(manifest);
  });

  test.each(["a", "a/b/c", "...", ".hidden", "a..b", "a\\b", "with space", "-", "C:"])(
    "path %s",
    (path) => expect(parseManifest(withFile({ path })).kernel.path).toBe(path),
  );
});

test("formatManifest: fixed order, two spaces, one line end, no member that is not a manifest's", () => {
  const scrambled = { note: "x", ...Object.fromEntries(Object.entries(manifest).reverse()) };
  expect(formatManifest({ ...manifest, ...scrambled })).toBe(written);
  expect(formatManifest({ ...manifest, initrds: [], cmdline: 'a="b"' })).toBe(`{
  "format": "aegis-kexec/1",
  "generation": 42,
  "architecture": "x86_64",
  "kernel": {
    "path": "vmlinuz",
    "size": 11655104,
    "sha256": "${sha256}"
  },
  "initrds": [],
  "cmdline": "a=\\"b\\""
}
`);
});

test("formatManifest writes nothing that would be refused", () => {
  const outside = { ...manifest, kernel: { ...manifest.kernel, path: "../vmlinuz" } };
  expect(errorOf("malformed-input", () => formatManifest(outside)).message).toBe(
    "cannot write a manifest: kernel.path: must not have .. components",
  );
  errorOf("malformed-input", () => formatManifest({ ...manifest, generation: -1 }));
  errorOf("malformed-input", () => formatManifest({ ...manifest, cmdline: "a\nb" }));
  errorOf("malformed-input", () => formatManifest({ ...manifest, cmdline: "\ud800" }));
  const tooMany = Array.from({ length: 65 }, () => manifest.kernel);
  errorOf("malformed-input", () => formatManifest({ ...manifest, initrds: tooMany }));
});

describe("refused, with the rule and the place", () => {
  const long = "b".repeat(256);
  const control = "must not have control characters";
  const digits = "must be 64 lower-case hex digits";
  const number = (least: number) => `must be a whole number from ${least} to 9007199254740991`;
  const cases: readonly (readonly [what: string, bytes: Uint8Array, problem: string])[] = [
    ["no object", bytesOf("[]"), "must be an object"],
    ["null", bytesOf("null"), "must be an object"],
    ["10 MB", new Uint8Array(10_000_000).fill(0x20), "larger than 65536 bytes"],
    ["one byte too many", bytesOf(written.padEnd(65537, " ")), "larger than 65536 bytes"],
    ["a byte order mark", bytesOf(`\ufeff${written}`), "starts with a byte order mark"],
    ["invalid UTF-8", Uint8Array.of(0x22, 0xff, 0x22), "not valid UTF-8"],
    ["two documents", bytesOf(written + written), "not JSON: line 24: text after the end"],
    ["unknown key", edited('"generation"', '"x": 1, "generation"'), "x: unknown key"],
    [
      "__proto__",
      edited('"generation"', '"__proto__": {}, "generation"'),
      "__proto__: unknown key",
    ],
    [
      "constructor",
      edited('"path"', '"constructor": 1, "path"'),
      "kernel.constructor: unknown key",
    ],
    ["toString", edited('"path"', '"toString": 1, "path"'), "kernel.toString: unknown key"],
    [
      "duplicate",
      edited('"generation"', '"generation": 1, "generation"'),
      "generation: duplicate key",
    ],
    [
      "duplicate below",
      edited('"path"', '"path": "vmlinuz", "path"'),
      "kernel.path: duplicate key",
    ],
    [
      "duplicate by escape",
      edited('"cmdline"', '"\\u0063mdline": "", "cmdline"'),
      "cmdline: duplicate key",
    ],
    ["no format", without("format"), "format: missing"],
    ["no generation", without("generation"), "generation: missing"],
    ["no architecture", without("architecture"), "architecture: missing"],
    ["no kernel", without("kernel"), "kernel: missing"],
    ["no initrds", without("initrds"), "initrds: missing"],
    ["no cmdline", without("cmdline"), "cmdline: missing"],
    ["a later format", changed({ format: "aegis-kexec/2" }), 'format: must be "aegis-kexec/1"'],
    ["generation -1", changed({ generation: -1 }), `generation: ${number(0)}`],
    ["generation 2^53", changed({ generation: 2 ** 53 }), `generation: ${number(0)}`],
    ["generation 1e400", edited("42", "9".repeat(400)), `generation: ${number(0)}`],
    ["generation 1.5", changed({ generation: 1.5 }), "not JSON: line 1: not a whole number"],
    ['generation "42"', changed({ generation: "42" }), `generation: ${number(0)}`],
    ["generation null", changed({ generation: null }), `generation: ${number(0)}`],
    ["arm64", changed({ architecture: "arm64" }), 'architecture: must be "x86_64" or "aarch64"'],
    ["kernel as a path", changed({ kernel: "vmlinuz" }), "kernel: must be an object"],
    ["kernel as an array", changed({ kernel: [] }), "kernel: must be an object"],
    ["initrds as an object", changed({ initrds: {} }), "initrds: must be an array"],
    [
      "65 initrds",
      changed({ initrds: Array(65).fill(manifest.kernel) }),
      "initrds: more than 64 entries",
    ],
    [
      "an initrd's path",
      changed({ initrds: [manifest.kernel, { ...manifest.kernel, path: "/x" }] }),
      "initrds[1].path: must not be an absolute path",
    ],
    ["size 0", withFile({ size: 0 }), `kernel.size: ${number(1)}`],
    ["size -1", withFile({ size: -1 }), `kernel.size: ${number(1)}`],
    ["upper-case digest", withFile({ sha256: sha256.toUpperCase() }), `kernel.sha256: ${digits}`],
    ["short digest", withFile({ sha256: sha256.slice(1) }), `kernel.sha256: ${digits}`],
    ["digest and a line end", withFile({ sha256: `${sha256}\n` }), `kernel.sha256: ${digits}`],
    ["path 7", withFile({ path: 7 }), "kernel.path: must be a string"],
    ["empty path", withFile({ path: "" }), "kernel.path: must not be empty"],
    ["absolute", withFile({ path: "/etc/x" }), "kernel.path: must not be an absolute path"],
    ["..", withFile({ path: ".." }), "kernel.path: must not have .. components"],
    ["../x", withFile({ path: "../x" }), "kernel.path: must not have .. components"],
    ["a/../../x", withFile({ path: "a/../../x" }), "kernel.path: must not have .. components"],
    [
      ".. by escape",
      edited('"vmlinuz"', '"\\u002e./x"'),
      "kernel.path: must not have .. components",
    ],
    ["./x", withFile({ path: "./x" }), "kernel.path: must not have . components"],
    [
      "a//b",
      withFile({ path: "a//b" }),
      "kernel.path: must not have empty components (// or a / at the end)",
    ],
    [
      "a/",
      withFile({ path: "a/" }),
      "kernel.path: must not have empty components (// or a / at the end)",
    ],
    ["NUL in a path", withFile({ path: "a\u0000b" }), `kernel.path: ${control}`],
    ["escape in a path", withFile({ path: "a\u001b[2J" }), `kernel.path: ${control}`],
    ["C1 in a path", withFile({ path: "a\u009b2J" }), `kernel.path: ${control}`],
    ["long path", withFile({ path: "a/".repeat(2048) }), "kernel.path: longer than 4095 bytes"],
    [
      "long component",
      withFile({ path: `a/${long}` }),
      "kernel.path: has a component longer than 255 bytes",
    ],
    [
      "long component in UTF-8",
      withFile({ path: "é".repeat(128) }),
      "kernel.path: has a component longer than 255 bytes",
    ],
    [
      "half a surrogate pair",
      edited('"vmlinuz"', '"\\ud800"'),
      "not JSON: line 6: half a surrogate pair in a string",
    ],
    ["NUL in cmdline", changed({ cmdline: "quiet\u0000x" }), `cmdline: ${control}`],
    ["line end in cmdline", changed({ cmdline: "quiet\n" }), `cmdline: ${control}`],
    ["tab in cmdline", changed({ cmdline: "quiet\tx" }), `cmdline: ${control}`],
    ["DEL in cmdline", changed({ cmdline: "quiet\u007f" }), `cmdline: ${control}`],
    ["cmdline null", changed({ cmdline: null }), "cmdline: must be a string"],
  ];
  for (const [what, bytes, problem] of cases) {
    test(what, () => {
      expect(manifestProblems(bytes)[0]).toBe(problem);
      const error = errorOf("bad-manifest", () => parseManifest(bytes, "boot.json"));
      expect(error.message).toBe(`boot.json is not a manifest: ${problem}`);
      expect(error.exit).toBe(5);
    });
  }
});

describe("every reason", () => {
  test("of one manifest, unknown keys of each object among them", () => {
    const { kernel } = manifest;
    const bad = {
      format: "aegis-kexec/0",
      generation: -1,
      kernel: { ...kernel, path: "/k", mode: 1, owner: 2 },
      initrds: [{ ...kernel, sha256: "" }, kernel, { path: "a//b", size: 0, url: "" }],
      cmdline: "a\u0001",
      one: 1,
      two: 2,
    };
    const text = JSON.stringify(bad).replace('"one":1', '"one":1,"one":1');
    expect([...manifestProblems(bytesOf(text))].sort()).toEqual([
      "architecture: missing",
      "cmdline: must not have control characters",
      'format: must be "aegis-kexec/1"',
      "generation: must be a whole number from 0 to 9007199254740991",
      "initrds[0].sha256: must be 64 lower-case hex digits",
      "initrds[2].path: must not have empty components (// or a / at the end)",
      "initrds[2].sha256: missing",
      "initrds[2].size: must be a whole number from 1 to 9007199254740991",
      "initrds[2].url: unknown key",
      "kernel.mode: unknown key",
      "kernel.owner: unknown key",
      "kernel.path: must not be an absolute path",
      "one: duplicate key",
      "one: unknown key",
      "two: unknown key",
    ]);
  });

  test("at most 32, in little time, whatever the text", () => {
    const keys = Array.from({ length: 5000 }, (_, n) => `"k${n}":1`).join(",");
    const files = Array.from({ length: 10000 }, () => "{}").join(",");
    const started = performance.now();
    for (const text of [
      `{${keys}}`,
      `{"initrds":[${files}]}`,
      `{"initrds":[${"1,".repeat(30000)}1]}`,
    ]) {
      expect(manifestProblems(bytesOf(text)).length).toBe(32);
    }
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});

test("one flipped bit at 200 places: never an object that is no manifest", () => {
  const rng = seeded(42);
  const bytes = bytesOf(written);
  let differs = 0;
  for (let count = 0; count < 200; count += 1) {
    const copy = bytes.slice();
    const at = rng.below(copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << rng.below(8));
    const read = refusedOr("bad-manifest", () => parseManifest(copy));
    if (read === undefined) continue;
    if (!Bun.deepEquals(read, manifest)) differs += 1;
    expect(parseManifest(bytesOf(formatManifest(read)))).toEqual(read);
  }
  expect(differs).toBeGreaterThan(0);
});

test("hostile bytes: refused, or a manifest that means what JSON.parse reads", () => {
  const rng = seeded(43);
  const bytes = bytesOf(written);
  let read = 0;
  for (let count = 0; count < 4000; count += 1) {
    const mutated = mutate(bytes, rng);
    const value = refusedOr("bad-manifest", () => parseManifest(mutated));
    expect(manifestProblems(mutated).length === 0).toBe(value !== undefined);
    if (value === undefined) continue;
    read += 1;
    expect(JSON.parse(new TextDecoder().decode(mutated))).toEqual(value);
    expect(parseManifest(bytesOf(formatManifest(value)))).toEqual(value);
  }
  expect(read).toBeGreaterThan(50);
});
