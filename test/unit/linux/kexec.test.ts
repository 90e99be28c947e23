import { expect, test } from "bun:test";
import { knowsDebug } from "../../../src/linux/kexec.ts";

test.each([
  ["6.6.99", false],
  ["6.7.0-rc1", true],
  ["6.12.1-cloud-amd64", true],
  ["6.1.0-13-amd64", false],
  ["5.19", false],
  ["7.2.0", true],
  ["10.0", true],
  ["", false],
  ["next", false],
])("release %p knows KEXEC_FILE_DEBUG: %p", (release, knows) => {
  expect(knowsDebug(release)).toBe(knows);
});
