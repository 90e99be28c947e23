import { describe, expect, test } from "bun:test";
import { partsOf, withoutFarBytecode } from "../../build/payload.ts";

interface Module {
  readonly name: string;
  readonly text: string;
}
const root = (name: string) => `/$bunfs/root/${name}`;
const commands =
  'var c={boot:async()=>(await import("/$bunfs/root/boot")).boot,load:async()=>(await import("/$bunfs/root/load")).load,' +
  'exec:async()=>(await import("/$bunfs/root/exec")).exec,inspect:async()=>(await import("/$bunfs/root/inspect")).inspect}';
const modules: readonly Module[] = [
  { name: root("shared"), text: "" },
  { name: root("main"), text: 'import"/$bunfs/root/shared";await import("/$bunfs/root/run")' },
  { name: root("run"), text: `import{a}from"/$bunfs/root/parse";${commands}` },
  { name: root("parse"), text: "" },
  { name: root("boot"), text: 'import{b}from"/$bunfs/root/handoff";' },
  { name: root("load"), text: 'import{b}from"/$bunfs/root/handoff";' },
  { name: root("exec"), text: "" },
  { name: root("inspect"), text: 'import{c}from"/$bunfs/root/report"' },
  { name: root("report"), text: "" },
  {
    name: root("handoff"),
    text:
      'await import("/$bunfs/root/iso");let{a:x,fileKinds:y}=await import("/$bunfs/root/kinds");' +
      'import("/$bunfs/root/gate").then(({TrustGate:z})=>z.of(1));(await import("/$bunfs/root/copy")).copyChecked(1)',
  },
  { name: root("iso"), text: "" },
  {
    name: root("kinds"),
    text: 'c:async()=>(await import("/$bunfs/root/manifest")).manifestReader',
  },
  { name: root("gate"), text: 'import{k}from"/$bunfs/root/keys";' },
  { name: root("copy"), text: "" },
  { name: root("manifest"), text: "" },
  { name: root("keys"), text: "" },
];
const far = ["inspect", "report", "iso"].map(root);

/** As Bun writes it: the length, the parts, the table, the directory. */
function program(all: readonly Module[] = modules, entry = 1): Buffer {
  const parts: Buffer[] = [];
  let size = 0;
  const put = (bytes: Buffer) => {
    parts.push(bytes);
    size += bytes.length;
    return [size - bytes.length, bytes.length];
  };
  const table = all.map(({ name, text }) => [
    ...put(Buffer.from(name)),
    ...put(Buffer.from(text)),
    ...[0, 0],
    ...put(Buffer.from(`bytecode of ${name}`)),
    ...[0, 0, 0, 0],
    0x01010101,
  ]);
  const [offset = 0, length = 0] = put(Buffer.from(Uint32Array.from(table.flat()).buffer));
  const directory = Buffer.alloc(32);
  directory.writeBigUInt64LE(BigInt(size), 0);
  for (const [i, value] of [offset, length, entry, 0, 0, 0].entries()) {
    directory.writeUInt32LE(value, 8 + i * 4);
  }
  put(directory);
  put(Buffer.from("\n---- Bun! ----\n"));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(size));
  return Buffer.concat([head, ...parts, Buffer.alloc(100)]);
}

/** Names of the modules whose bytecode is gone; all else must be as it was. */
function goneOf(before: Buffer): readonly string[] {
  const after = withoutFarBytecode(before);
  const [whole, left] = [partsOf(before), partsOf(after)];
  expect([...left.keys()]).toEqual([...whole.keys()]);
  const gone: string[] = [];
  for (const [name, parts] of whole) {
    for (const [part, bytes] of Object.entries(parts)) {
      const now = left.get(name)?.[part] ?? new Uint8Array();
      if (part === "bytecode" && now.length === 0) gone.push(name);
      else expect(Buffer.from(now).toString()).toBe(Buffer.from(bytes).toString());
    }
  }
  const trailer = "\n---- Bun! ----\n";
  expect(Buffer.from(after).toString("latin1").endsWith(trailer)).toBe(true);
  expect(Number(Buffer.from(after).readBigUInt64LE(0))).toBe(after.length - 8);
  expect(withoutFarBytecode(after).length).toBeLessThanOrEqual(after.length);
  return gone;
}

test("bytecode stays of what is loaded at once and of the quick commands", () => {
  expect(goneOf(program())).toEqual(far);
});

test("bytecode stays where the command line is in a chunk that the first one only passes on", () => {
  const passing = modules.map((one) =>
    one.name === root("main")
      ? { ...one, text: 'import"/$bunfs/root/shared";await import("/$bunfs/root/pass")' }
      : one,
  );
  const pass = { name: root("pass"), text: 'import{r}from"/$bunfs/root/run";export{r};' };
  expect(goneOf(program([...passing, pass]))).toEqual(far);
});

test("a program without commands keeps what it loads at once", () => {
  const small = modules.slice(0, 2);
  expect(goneOf(program(small))).toEqual([]);
});

describe("refused is", () => {
  const ungated = modules.map((one) => ({ ...one, text: one.text.replace("TrustGate", "Gate") }));
  const idle = { name: root("main"), text: 'import"/$bunfs/root/shared"' };
  const renamed = modules.map((one) => ({ ...one, text: one.text.replace("boot:", "start:") }));
  test.each<[string, Buffer, string]>([
    ["a quick command under another name", program(renamed), "not loaded as expected"],
    [
      "commands that no start leads to",
      program([...modules.slice(0, 1), idle, ...modules.slice(2)]),
      "not loaded as expected",
    ],
    ["a gate under another name", program(ungated), "nothing asks for TrustGate"],
    ["an entry that is none", program(modules, 99), "it has no entry"],
    ["another trailer", flipped(-101), "does not end"],
    ["another length", flipped(0), "does not end"],
    ["a module of another place", program([{ name: "/main", text: "" }], 0), "another name"],
    ["no module", program([], 0), "another size"],
    ["nothing", Buffer.alloc(100), "does not end"],
  ])("%s", (_, payload, message) => {
    expect(() => withoutFarBytecode(payload)).toThrow(message);
  });

  test("a part outside", () => {
    const payload = program();
    const directory = payload.length - 100 - 16 - 32;
    const table = payload.readUInt32LE(directory + 8) + 8;
    payload.writeUInt32LE(0xffff_fff0, table + 28);
    expect(() => withoutFarBytecode(payload)).toThrow("lies outside");
  });
});

function flipped(at: number): Buffer {
  const payload = program();
  const index = at < 0 ? payload.length + at : at;
  payload[index] = (payload[index] ?? 0) ^ 0x80;
  return payload;
}
