import { expect, test } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acceptedBy, mkoverlay } from "../../../build/overlay.ts";
import { whatIsAccepted } from "../../../build/overlay-policy.ts";
import { bytesOf, signerOf } from "../trust/signer.ts";

const org = { path: "/home/org.pub", bytes: bytesOf(signerOf("22".repeat(32)).minisignKey()) };
const second = { path: "/home/second.pem", bytes: bytesOf(signerOf("33".repeat(32)).pem) };
const place = "/etc/aegis-kexec/org.pub";
const good = { trust: [place] };

const accepted = (policy: string | object, keys = [org]) => {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  return whatIsAccepted({ path: "policy.json", bytes: bytesOf(text) }, keys);
};

/** Policies that would stop every node, each with what is said of it. */
const broken: Readonly<Record<string, readonly [policy: string | object, says: RegExp]>> = {
  nothing: ["", /not JSON/],
  "no JSON": ["trust: org.pub", /not JSON/],
  "JSON that is cut": ['{"trust": ["/etc/aegis-kexec/org.pub"', /not JSON/],
  "a comma too many": [`{"trust": ["${place}"],}`, /not JSON/],
  "a comment": [`// ours\n{"trust": ["${place}"]}`, /not JSON/],
  "a list": ["[]", /broken/],
  null: ["null", /broken/],
  "no trust": [{ minGeneration: 1 }, /trust/],
  "nobody trusted": [{ trust: [] }, /trust/],
  "a trust that is no list": [{ trust: place }, /trust/],
  "a relative key": [{ trust: ["org.pub"] }, /trust/],
  "a key of another place": [{ trust: ["/etc/keys/org.pub"] }, /not packed/],
  "a key that is not packed": [
    { trust: [place, "/etc/aegis-kexec/next.pub"] },
    /next\.pub.*not packed/,
  ],
  "a member that is misspelt": [{ ...good, minGenaration: 4 }, /minGenaration/],
  "a member twice": [`{"trust": ["${place}"], "minGeneration": 9, "minGeneration": 1}`, /broken/],
  "a generation as text": [{ ...good, minGeneration: "40" }, /minGeneration/],
  "a generation below zero": [{ ...good, minGeneration: -1 }, /minGeneration/],
  "a threshold of nothing": [{ ...good, threshold: 0 }, /threshold/],
  "more signatures than keys": [{ ...good, threshold: 2 }, /threshold|2 signatures/],
  "a secret anywhere": [{ ...good, allowSecret: ["etc/"] }, /allowSecret/],
  "a secret that climbs": [{ ...good, allowSecret: ["/etc/../"] }, /allowSecret/],
  "words to append that are no list": [{ ...good, allowAppend: "console=" }, /allowAppend/],
  "no file system's name": [{ ...good, fileSystems: ["EXT 4"] }, /fileSystems/],
  "a PCR that there is not": [{ ...good, measure: { pcr: 99 } }, /measure/],
  "a required that is text": [{ ...good, measure: { pcr: 12, required: "yes" } }, /measure/],
};

test.each(Object.entries(broken))("%s is refused", (_, [policy, says]) => {
  expect(() => accepted(policy)).toThrow(says);
});

test("a key that nobody could read is refused, with a policy and without", () => {
  const empty = { path: "/home/org.pub", bytes: new Uint8Array() };
  expect(() => accepted(good, [empty])).toThrow(/public key \/home\/org\.pub/);
  expect(() => whatIsAccepted(undefined, [empty])).toThrow(/public key/);
});

test("one key under two names signs once", () => {
  const again = { ...org, path: "/home/again.pub" };
  const policy = { trust: [place, "/etc/aegis-kexec/again.pub"], threshold: 2 };
  expect(() => accepted(policy, [org, again])).toThrow(/one key under two names/);
});

test("what the node will accept is told", () => {
  const policy = {
    trust: [place, "/etc/aegis-kexec/second.pem"],
    threshold: 2,
    minGeneration: 40,
    allowAppend: ["console="],
    fileSystems: ["ext4"],
    measure: { pcr: 12, required: true },
  };
  const unused = {
    ...second,
    path: "/home/unused.pem",
    bytes: bytesOf(signerOf("44".repeat(32)).pem),
  };
  const lines = accepted(policy, [org, second, unused]);
  expect(lines[0]).toMatch(
    /what 2 of these keys signed: minisign:\w{16} \(org\.pub\), sha256:\w{16} \(second\.pem\)$/,
  );
  expect(lines.slice(1)).toEqual([
    "generations: from 40 on",
    "words to append: console=",
    "secrets: /etc/cryptsetup-keys.d/",
    "file systems: ext4",
    "measured into PCR 12, or not started",
    "/etc/aegis-kexec/unused.pem is packed and not trusted",
  ]);
  expect(whatIsAccepted(undefined, [])).toHaveLength(1);
});

test("mkoverlay refuses before it packs anything", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aegis-overlay-"));
  const policy = join(folder, "policy.json");
  writeFileSync(policy, JSON.stringify(good));
  await expect(acceptedBy({ policy })).rejects.toThrow("not packed");
  await expect(mkoverlay({ system: "x64", noLibraries: true, policy })).rejects.toThrow(
    "not packed",
  );
});
