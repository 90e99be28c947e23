import { describe, expect, test } from "bun:test";
import { parseKeys, revokedHashOf, trustedKeyOf } from "../../../src/machine/proc-keys.ts";

const subject = "Debian Secure Boot CA";
const id = "6ccece7e4c6c0d1f6149f3dd27dfcc5cbb419ea1";
// As a kernel under Secure Boot prints them.
const listing = `0418d46a I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 2
0b0d3202 I------     1 perm 1f030000     0     0 keyring   .dns_resolver: empty
16d8e08a I------     1 perm 1f030000     0     0 asymmetri ${subject}: ${id}: X509.rsa bb419ea1 []
2707f802 I--Q---     2   3d 1f3f0000  1000 65534 keyring   _uid.1000: empty
31c5a1f0 I------     1 perm 0c030000     0     0 blacklist bin:${"ab".repeat(32)}
31c5a1f1 I------     1 perm 0c030000     0     0 blacklist tbs:${"cd".repeat(32)}
`;

describe("/proc/keys", () => {
  const keys = parseKeys(listing);

  test("every line, with description and detail apart", () => {
    expect(keys.map(({ serial, type }) => [serial.toString(16), type])).toEqual([
      ["418d46a", "keyring"],
      ["b0d3202", "keyring"],
      ["16d8e08a", "asymmetri"],
      ["2707f802", "keyring"],
      ["31c5a1f0", "blacklist"],
      ["31c5a1f1", "blacklist"],
    ]);
    expect(keys[0]).toMatchObject({ description: ".builtin_trusted_keys", detail: "2" });
    expect(keys[2]).toMatchObject({ detail: "X509.rsa bb419ea1 []", usable: true });
  });

  test("certificates and revoked hashes", () => {
    expect(keys.map(trustedKeyOf).filter((key) => key !== undefined)).toEqual([{ subject, id }]);
    expect(keys.map(revokedHashOf).filter((key) => key !== undefined)).toEqual([
      { of: "bin", hash: "ab".repeat(32) },
      { of: "tbs", hash: "cd".repeat(32) },
    ]);
  });

  test("a subject with colons keeps them", () => {
    const [key] = parseKeys(
      `1 I------     1 perm 1f030000     0     0 asymmetri O: a: b: c0ffee: X509.ecdsa c0ffee []`,
    );
    expect(key && trustedKeyOf(key)).toEqual({ subject: "O: a: b", id: "c0ffee" });
  });

  test("revoked, dead, negative and invalidated keys trust nobody", () => {
    for (const flags of ["IR-----", "I-D----", "I----N-", "I-----i"]) {
      const [key] = parseKeys(
        `1 ${flags}     1 perm 1f030000     0     0 asymmetri a: c0ffee: X509.rsa c0ffee []`,
      );
      expect(key?.usable).toBe(false);
      expect(key && trustedKeyOf(key)).toBeUndefined();
    }
  });

  test("what does not look like a line is left out, and control characters are too", () => {
    expect(parseKeys("\n\x1b[2J\nnonsense\n1 I 1\n")).toEqual([]);
    const [key] = parseKeys(
      `1 I------     1 perm 1f030000     0     0 asymmetri a\x1b[2J\u202eb: c0ffee: X509.rsa c []`,
    );
    expect(key && trustedKeyOf(key)).toEqual({ subject: "a[2Jb", id: "c0ffee" });
  });

  test("a huge listing takes bounded time", () => {
    const start = performance.now();
    const line = `1 I------     1 perm 1f030000     0     0 asymmetri ${": a".repeat(600)}\n`;
    expect(parseKeys(line.repeat(30_000)).length).toBe(20_000);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
