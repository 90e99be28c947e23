/** What the program says: found by the reader of its sources, and one term for one thing. */
import { describe, expect, test } from "bun:test";
import { messagesOf, textsOf } from "../../../build/messages.ts";

const messages = messagesOf("src");

describe("the texts of a source", () => {
  const of = (source: string) => textsOf(source).map(({ text }) => text);

  test("are those in quotes, joined where they are added", () => {
    expect(of('say("one " + "two"); say("three");')).toEqual(["one two", "three"]);
    expect(of('say("one",\n  "two" +\n    "three");')).toEqual(["one", "twothree"]);
  });

  test("have a sign in place of what is put in, and the texts in that of their own", () => {
    expect(of("say(`a ${one} b`)")).toEqual(["a … b"]);
    expect(of('say(`a ${one ? "x y" : `z ${{ a: "}" }.a}`} b`)')).toEqual([
      ...["x y", "}", "z …", "a … b"],
    ]);
  });

  test("are none in comments and regular expressions", () => {
    expect(of("// it's\n/* `it's */ say(/[\"'/]it's\"/, 'one')")).toEqual(["one"]);
    expect(of("const half = (a / b) * c / d; // isn't\nsay('one')")).toEqual(["one"]);
  });

  test("keep their lines", () => {
    expect(textsOf('/*\n*/\nsay(`a\nb`,\n"c")')).toEqual([
      { line: 3, text: "a\nb" },
      { line: 5, text: "c" },
    ]);
  });
});

test("the messages of the program are found", () => {
  const texts = messages.map(({ text }) => text);
  expect(texts.length).toBeGreaterThan(1000);
  for (const one of [
    "no kernel is loaded",
    "hand over to the loaded kernel",
    "give it a whole number of seconds, such as 60",
  ]) {
    expect(texts).toContain(one);
  }
});

/** Words for things that have another name here. kexec-tools' own texts are its own. */
test.each([
  [
    "command line",
    /\bcommand-line\b(?!=| append)|\bcommandline\b|\bboot (arguments|parameters)\b/i,
  ],
  ["initramfs", /\binit(ial)? ?ram ?disk\b|\bramdisk\b(?!=)/i],
  ["kernel", /\bkernel binary\b/i],
  ["UKI", /\bunified kernel images?\b(?! \(UKI\))/i],
  ["signer", /\bsignatory\b/i],
  ["finalized", /finalis/],
  ["handover", /\bhand-over\b|\bhandoff\b(?! of)/i],
  ["Ed25519", /\bed25519\b|\bED25519\b/],
] as const)("what is called %s has no other name", (_name, other) => {
  const own = messages.filter(({ path }) => !path.startsWith("src/cli/kexec/"));
  const odd = own.filter(({ text }) => other.test(text));
  expect(odd.map(({ path, line, text }) => `${path}:${line} ${text}`)).toEqual([]);
});

test("no sentence has a blank too many, or ends twice", () => {
  const odd = messages.filter(
    ({ text }) =>
      !text.includes("\n") && /[a-z…] {2,}[a-z…]|[a-z]\.\.$|[a-z] [,.;](?: |$)/.test(text),
  );
  expect(odd.map(({ path, line, text }) => `${path}:${line} ${text}`)).toEqual([]);
});
