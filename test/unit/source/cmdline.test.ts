import { describe, expect, test } from "bun:test";
import type { KexecError } from "../../../src/errors.ts";
import { withoutRepeats } from "../../../src/kernel-words.ts";
import {
  type CmdlineLimit,
  checkCmdline,
  joinCmdline,
  longestCmdline,
  reusableCmdline,
} from "../../../src/source/cmdline.ts";

const x86: CmdlineLimit = { architecture: "x86_64", cmdlineSize: 2047 };
const arm64: CmdlineLimit = { architecture: "aarch64", cmdlineSize: 0 };

const plain = { crash: false, firstProcess: false };

const refusal = (code: KexecError["code"], message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

test("what the boot loader added is not used again, quoted or not", () => {
  const running =
    'BOOT_IMAGE=/vmlinuz root=/dev/vda1 initrd=\\a.img dyndbg="file a +p" crashkernel=1M';
  expect(reusableCmdline(running, plain)).toBe('root=/dev/vda1 dyndbg="file a +p" crashkernel=1M');
  expect(reusableCmdline(running, { ...plain, crash: true })).toBe(
    'root=/dev/vda1 dyndbg="file a +p"',
  );
  expect(reusableCmdline('a="x BOOT_IMAGE=y initrd=z"', plain)).toBe('a="x BOOT_IMAGE=y initrd=z"');
  expect(reusableCmdline("myinitrd=1 xBOOT_IMAGE=2", plain)).toBe("myinitrd=1 xBOOT_IMAGE=2");
  expect(reusableCmdline("", plain)).toBe("");
  expect(reusableCmdline("initrd=a ", plain)).toBe("");
  expect(reusableCmdline("  a\t initrd=x  b ", plain)).toBe("a b");
});

test("a letter whose second byte is white space to the kernel stays whole", () => {
  for (const line of ["label=à quiet", "label=xày z", "à", "a=\u00a0b", "à à"]) {
    expect(reusableCmdline(line, plain)).toBe(line);
    expect(reusableCmdline(`initrd=a ${line} initrd=b`, plain)).toBe(line);
  }
  // The kernel takes what stands behind that byte for a word of its own.
  expect(reusableCmdline("label=àinitrd=x b", plain)).toBe("label=àb");
});

test("a first process does not hand its own arguments on, nor itself as init", () => {
  const running = "console=ttyS0 rdinit=/sbin/aegis-kexec quiet -- boot /boot/vmlinuz --force";
  expect(reusableCmdline(running, { ...plain, firstProcess: true })).toBe("console=ttyS0 quiet");
  expect(reusableCmdline(running, plain)).toBe(running);
});

describe("words are appended", () => {
  test.each([
    ["a b", "c", "a b c"],
    ["a b", undefined, "a b"],
    [undefined, "", ""],
    ["", "c", "c"],
    ["console=ttyS0 -- single", "panic=7", "console=ttyS0 panic=7 -- single"],
    ['console=ttyS0 "--" single', "panic=7", "console=ttyS0 panic=7 -- single"],
    ["console=ttyS0 --", "panic=7", "console=ttyS0 panic=7 --"],
    ["-- single", "panic=7", "panic=7 -- single"],
    ["a -- single", "b -- c d", "a b -- single c d"],
    ["a", "-- single", "a -- single"],
    // Neither is the word that ends the parameters.
    ['note="a -- b" --c d--', "e", 'note="a -- b" --c d-- e'],
    ["a\tb\t\tc", "d\te", "a b  c d e"],
    ["root=LABEL=à -- à\tb", "c", "root=LABEL=à c -- à b"],
  ])("%j and %j", (own, appended, joined) => {
    expect(joinCmdline(own, appended)).toBe(joined);
  });

  test("and a quote that is left open is refused, in either part", () => {
    const open = (what: string) =>
      refusal("malformed-cmdline", `cannot use ${what}: it has a quote that is not closed`);
    expect(() => joinCmdline('a="b c', "d")).toThrow(open("the command line"));
    expect(() => joinCmdline('a="b c', 'd"')).toThrow(open("the command line"));
    expect(() => joinCmdline("a", 'dyndbg="b')).toThrow(
      open("what is appended to the command line"),
    );
    expect(joinCmdline('a="b c"', 'd="e"f""')).toBe('a="b c" d="e"f""');
  });

  test("and a tab in a value is left to be refused", () => {
    const line = joinCmdline('a="b\tc"\td', undefined);
    expect(line).toBe('a="b\tc" d');
    expect(() => checkCmdline(line, x86)).toThrow(refusal("malformed-cmdline", "0x09"));
  });
});

test.each([
  ["a b a", "b a"],
  ["console=ttyS0 console=tty0 console=ttyS0", "console=tty0 console=ttyS0"],
  ["a a a a", "a"],
  ["a b -- a a", "a b -- a a"],
  ['x="a b" c x="a b"', 'c x="a b"'],
  ["a A a=1 a", "A a=1 a"],
])("%j with each parameter once is %j", (line, once) => {
  expect(withoutRepeats(line)).toBe(once);
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
