import { expect, test } from "bun:test";
import { checkSecrets, parseSecret, type SecretSource } from "../../../src/initramfs/secret.ts";
import { refusal } from "./samples.ts";

const file = (path: string): SecretSource => ({ kind: "file", path });
const descriptor = (number: number): SecretSource => ({ kind: "descriptor", descriptor: number });

test.each<[string, SecretSource, string, number]>([
  ["key:/etc/key", file("key"), "/etc/key", 0o400],
  ["/run/key:/etc/key:0440", file("/run/key"), "/etc/key", 0o440],
  ["/run/key:/etc/key:600", file("/run/key"), "/etc/key", 0o600],
  ["key:/etc/key:0000", file("key"), "/etc/key", 0],
  ["key:/etc/key:0777", file("key"), "/etc/key", 0o777],
  ["-:/etc/key", { kind: "standard-input" }, "/etc/key", 0o400],
  ["./-:/etc/key", file("./-"), "/etc/key", 0o400],
  ["fd:3:/etc/key", descriptor(3), "/etc/key", 0o400],
  ["fd:0:/etc/key:444", descriptor(0), "/etc/key", 0o444],
  ["./fd:3:/etc/key", file("./fd:3"), "/etc/key", 0o400],
  ["/a:b:c:/etc/key", file("/a:b:c"), "/etc/key", 0o400],
  ["/a:/b:/etc/key:400", file("/a:/b"), "/etc/key", 0o400],
  ["schlüssel :/etc/größe x", file("schlüssel "), "/etc/größe x", 0o400],
])("%s", (text, source, destination, mode) => {
  expect(parseSecret(text)).toEqual({ source, destination, mode });
});

test.each([
  ["", "no absolute DEST"],
  ["key", "no absolute DEST"],
  ["key:", "no absolute DEST"],
  ["key:etc/key", "no absolute DEST"],
  ["/etc/key", "no absolute DEST"],
  [":/etc/key", "SRC is empty"],
  ["a\0b:/etc/key", "SRC contains a NUL"],
  ["key:/etc/key:", "MODE is not within"],
  ["key:/etc/key:8", "MODE is not within"],
  ["key:/etc/key:0800", "MODE is not within"],
  ["key:/etc/key:40", "MODE is not within"],
  ["key:/etc/key:1777", "MODE is not within"],
  ["key:/etc/key:4755", "MODE is not within"],
  ["key:/etc/key:00400", "MODE is not within"],
  ["key:/etc/key:0o400", "MODE is not within"],
  ["key:/etc/a:b:0400", "DEST contains a colon"],
  ["fd::/etc/key", "no such descriptor"],
  ["fd:x:/etc/key", "no such descriptor"],
  ["fd:-1:/etc/key", "no such descriptor"],
  ["fd:03:/etc/key", "no such descriptor"],
  ["fd:3 :/etc/key", "no such descriptor"],
  ["fd:2147483648:/etc/key", "no such descriptor"],
])("wrong use: %#", (text, why) => {
  const error = refusal(() => parseSecret(text));
  expect(error.code).toBe("usage");
  expect(error.message).toContain(why);
  expect(error.message).not.toMatch(/[\n\0]/);
  expect(error.hint).toBeString();
});

test.each([
  ["/", "is not a file"],
  ["/etc/", "ends in a slash"],
  ["//etc/key", "empty component"],
  ["/etc//key", "empty component"],
  ["/etc/./key", 'contains "."'],
  ["/etc/../key", 'contains ".."'],
  ["/etc/..", 'contains ".."'],
  ["/etc/\0", "control character"],
  ["/etc/a\nb", "control character"],
  ["/etc/\u009b", "control character"],
  ["/.aegis-kexec/key", "reserved"],
  ["/.aegis-kexec", "reserved"],
])("a bad place is refused: %#", (destination, why) => {
  const error = refusal(() => parseSecret(`key:${destination}`));
  expect(error.code).toBe("malformed-input");
  expect(error.message).toContain(why);
  expect(error.message).not.toMatch(/\p{Cc}/u);
});

test("a relative place and a mode out of range are refused", () => {
  expect(() => parseSecret("key:/etc/key:0777")).not.toThrow();
  expect(refusal(() => parseSecret("key:etc/key")).message).toContain("no absolute DEST");
  for (const mode of ["-1", "1000", "0.5", "NaN", "8"]) {
    expect(refusal(() => parseSecret(`key:/etc/key:${mode}`)).message).toContain("000 and 777");
  }
});

test.each([
  [["a:/etc/key", "b:/etc/key"], 'two secrets have the same place: "/etc/key"'],
  [
    ["a:/etc/key/x", "b:/etc/key"],
    'a secret cannot be a directory of another: "/etc/key" and "/etc/key/x"',
  ],
  [
    ["b:/etc", "a:/etc/key/x"],
    'a secret cannot be a directory of another: "/etc" and "/etc/key/x"',
  ],
  [["-:/a", "-:/b"], "two secrets have the same source: descriptor 0"],
  [["-:/a", "fd:0:/b"], "two secrets have the same source: descriptor 0"],
  [["fd:5:/a", "fd:5:/b"], "two secrets have the same source: descriptor 5"],
])("%j exclude each other", (texts, message) => {
  const error = refusal(() => checkSecrets(texts.map(parseSecret)));
  expect(error.code).toBe("malformed-input");
  expect(error.message).toBe(message);
});

test("neighbours, namesakes and one file for two places are fine", () => {
  const texts = ["a:/etc/key", "a:/etc/keys/a", "b:/etc/key2", "-:/x", "fd:3:/y"];
  expect(() => checkSecrets(texts.map(parseSecret))).not.toThrow();
});
