import { expect, test } from "bun:test";
import { isSince } from "../../src/kernel-release.ts";

test.each([
  ["6.16.0", true],
  ["6.16-rc1", true],
  ["6.17.3+deb14-amd64", true],
  ["7.0", true],
  ["10.2", true],
  ["6.12.117+deb12-cloud-amd64", false],
  ["6.2.16", false],
  ["5.19.16", false],
  ["6", false],
  ["", false],
  ["v6.16", false],
  ["NaN.16", false],
])("%p is Linux 6.16 or later: %p", (release, expected) => {
  expect(isSince(release, 6, 16)).toBe(expected);
});
