import { expect, test } from "bun:test";
import { secretProblem } from "../../../src/trust/secret-places.ts";

const lists = [
  ["/etc/cryptsetup-keys.d/", "/key", "/run/keys"],
  ["/etc/", "/key", "/run/"],
];

test.each([
  "/etc/cryptsetup-keys.d/root.key",
  "/etc/cryptsetup-keys.d/a/b",
  "/key",
  "/key/below",
  "/run/keys/a",
])("%s is let through", (place) => {
  expect(secretProblem(place, 0o400, lists)).toBeUndefined();
  expect(secretProblem(place, 0o666, lists)).toBeUndefined();
});

test.each([
  "/init",
  "/etc/cryptsetup-keys.d",
  "/etc/cryptsetup-keys.dx/a",
  "/etc/passwd",
  "/keys",
  "/run/keysx",
  "/run/other",
  "/.extra/credentials/x.cred",
  "/.extra",
])("%s is refused", (place) => {
  expect(secretProblem(place, 0o400, lists)).toBeString();
});

test("an execute bit is refused wherever it is", () => {
  for (const mode of [0o755, 0o500, 0o410, 0o401]) {
    expect(secretProblem("/key", mode, lists)).toContain("executable");
  }
});

test("without a policy whoever loads decides; a policy that lets nothing through refuses all", () => {
  expect(secretProblem("/init", 0o755, [])).toBeUndefined();
  expect(secretProblem("/key", 0o400, [[]])).toContain("no secret be put");
  expect(secretProblem("/.extra/x", 0o400, [["/.extra"]])).toContain("/.extra/");
});
