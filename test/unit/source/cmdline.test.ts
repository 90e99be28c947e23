import { describe, expect, test } from "bun:test";
import type { KexecError } from "../../../src/errors.ts";
import {
  type CmdlineLimit,
  checkCmdline,
  joinCmdline,
  longestCmdline,
  reusableCmdline,
} from "../../../src/source/cmdline.ts";

const x86: CmdlineLimit = { architecture: "x86_64", cmdlineSize: 2047 };
const arm64: CmdlineLimit = { architecture: "aarch64", cmdlineSize: 0 };

const refusal = (code: KexecError["code"], message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

test("what the boot loader added is not used again, quoted or not", () => {
  const running =
    'BOOT_IMAGE=/vmlinuz root=/dev/vda1 initrd=\\a.img dyndbg="file a +p" crashkernel=1M';
  expect(reusableCmdline(running)).toBe('root=/dev/vda1 dyndbg="file a +p" crashkernel=1M');
  expect(reusableCmdline(running, true)).toBe('root=/dev/vda1 dyndbg="file a +p"');
  expect(reusableCmdline('a="x BOOT_IMAGE=y initrd=z"')).toBe('a="x BOOT_IMAGE=y initrd=z"');
  expect(reusableCmdline("myinitrd=1 xBOOT_IMAGE=2")).toBe("myinitrd=1 xBOOT_IMAGE=2");
  expect(reusableCmdline("")).toBe("");
  expect(reusableCmdline("initrd=a ")).toBe("");
  expect(reusableCmdline("  a\t initrd=x  b ")).toBe("a b");
});

test("a letter whose second byte is white space to the kernel stays whole", () => {
  for (const line of ["label=à quiet", "label=xày z", "à", "a=\u00a0b", "à à"]) {
    expect(reusableCmdline(line)).toBe(line);
    expect(reusableCmdline(`initrd=a ${line} initrd=b`)).toBe(line);
  }
  // The kernel takes what stands behind that byte for a word of its own.
  expect(reusableCmdline("label=àinitrd=x b")).toBe("label=àb");
});

test("parts are joined by one space, and what is empty adds none", () => {
  expect(joinCmdline("a b", undefined, "", "c")).toBe("a b c");
  expect(joinCmdline(undefined, "")).toBe("");
});

describe("the longest line", () => {
  test("on x86_64 is what the image says, less the room that the loader keeps", () => {
    expect(longestCmdline(x86)).toBe(2016);
    expect(longestCmdline({ ...x86, cmdlineSize: 255 })).toBe(224);
    expect(longestCmdline({ ...x86, cmdlineSize: 0 })).toBe(0);
  });

  test("on aarch64 is the kernel's own", () => {
    expect(longestCmdline(arm64)).toBe(2047);
  });

  test.each([
    [x86, 2016],
    [arm64, 2047],
  ])("is measured in bytes: %j", (limit, longest) => {
    expect(() => checkCmdline("x".repeat(longest), limit)).not.toThrow();
    expect(() => checkCmdline(`${"x".repeat(longest - 2)}ä`, limit)).not.toThrow();
    const long = refusal("cmdline-too-long", `has ${longest + 1} bytes`);
    expect(() => checkCmdline("x".repeat(longest + 1), limit)).toThrow(long);
    expect(() => checkCmdline(`${"x".repeat(longest - 1)}ä`, limit)).toThrow(long);
  });
});

test.each([
  ["a\0b", "0x00"],
  ["a\nb", "0x0a"],
  ["a\tb", "0x09"],
  ["a\x1b[2J", "0x1b"],
  ["a\x7f", "0x7f"],
  ["a\x85b", "0x85"],
])("%j has a control character", (line, named) => {
  expect(() => checkCmdline(line, x86)).toThrow(
    refusal("malformed-cmdline", `the control character ${named} at position 1`),
  );
});

test("half a character, and what stands for bytes that were no text, is refused", () => {
  const wrong = refusal("malformed-cmdline", "not valid Unicode text");
  expect(() => checkCmdline("a\ud800b", arm64)).toThrow(wrong);
  expect(() => checkCmdline(new TextDecoder().decode(Uint8Array.of(97, 0xff)), x86)).toThrow(wrong);
  expect(() => checkCmdline("root=LABEL=Öl 𝄞", x86)).not.toThrow();
});
