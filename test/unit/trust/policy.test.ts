import { describe, expect, test } from "bun:test";
import { parsePublicKey } from "../../../src/trust/keys.ts";
import { acceptedKeys, checkGeneration, type Policy, tighten } from "../../../src/trust/policy.ts";
import { parsePolicy } from "../../../src/trust/policy-file.ts";
import { mutate, seeded } from "../fuzz.ts";
import { bytesOf, errorOf, refusedOr, signerOf } from "./signer.ts";

const path = "/etc/aegis-kexec/policy.json";
const parse = (text: string) => parsePolicy(bytesOf(text), path);
const example =
  '{ "trust": ["/etc/aegis-kexec/org.pub"], "minGeneration": 40, "allowAppend": ["console=", "loglevel="] }';

describe("parsePolicy", () => {
  test("reads every key, and the least", () => {
    const digest = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");
    const bare = '{"trust":["/etc/aegis-kexec/org.pub"]}';
    const least: Policy = {
      path,
      sha256: digest(bare),
      trust: ["/etc/aegis-kexec/org.pub"],
      threshold: 1,
      minGeneration: undefined,
      allowAppend: [],
      allowSecret: ["/etc/cryptsetup-keys.d/"],
      fileSystems: undefined,
      measure: undefined,
    };
    expect(parse(bare)).toEqual(least);
    expect(parse(example)).toEqual({
      ...least,
      sha256: digest(example),
      minGeneration: 40,
      allowAppend: ["console=", "loglevel="],
    });
    const all =
      '{"trust":["/a","/b"],"threshold":2,"minGeneration":0,"allowAppend":["x"],"allowSecret":["/run/","/key"],' +
      '"fileSystems":["ext4","iso9660"],"measure":{"pcr":12,"required":true}}';
    expect(parse(all)).toEqual({
      path,
      sha256: digest(all),
      trust: ["/a", "/b"],
      threshold: 2,
      minGeneration: 0,
      allowAppend: ["x"],
      allowSecret: ["/run/", "/key"],
      fileSystems: ["ext4", "iso9660"],
      measure: { pcr: 12, required: true },
    });
    expect(parse('{"trust":["/a"],"measure":{"pcr":0}}').measure).toEqual({
      pcr: 0,
      required: false,
    });
    expect(parse('{"trust":["/a"],"allowSecret":[]}').allowSecret).toEqual([]);
  });

  test.each(["{}", '{"minGeneration":40}', '{"allowAppend":["console="]}', '{"threshold":1}'])(
    "%s demands nothing and is broken",
    (text) => {
      expect(errorOf("policy-broken", () => parse(text)).message).toContain("trust: missing");
    },
  );

  const floor = "minGeneration: must be a whole number from 0 to 9007199254740991";
  test.each([
    ["", "not JSON: line 1: it ends too early"],
    ['{"trust": ["/a"]', "not JSON: line 1: it ends too early"],
    ["null", "must be an object"],
    ["[]", "must be an object"],
    ['{"trust":["/a"],"threshold":0}', "threshold: must be a whole number from 1 to 64"],
    ['{"trust":["/a"],"threshold":"1"}', "threshold: must be a whole number from 1 to 64"],
    [
      '{"trust":["/a","/a"],"threshold":2}',
      "threshold: must not be larger than the number of keys, 1",
    ],
    [
      '{"trust":["/a"],"allowSecret":["/"]}',
      "allowSecret[0]: must not be /: a secret could replace everything that is signed",
    ],
    ['{"trust":["/a"],"allowSecret":["etc/"]}', "allowSecret[0]: must be an absolute path"],
    ['{"trust":["/a"],"allowSecret":["/a/../b/"]}', "allowSecret[0]: must not have .. components"],
    [
      '{"trust":["/a"],"allowSecret":["/.extra/credentials/"]}',
      "allowSecret[0]: must not be below /.extra/: systemd takes units from there",
    ],
    ['{"trust":["/a"],"allowSecret":"/a"}', "allowSecret: must be an array"],
    [
      '{"trust":["/a"],"fileSystems":["EXT4"]}',
      "fileSystems[0]: must be the type of a file system",
    ],
    ['{"trust":["/a"],"measure":{}}', "measure.pcr: missing"],
    ['{"trust":["/a"],"measure":12}', "measure: must be an object"],
    ['{"trust":["/a"],"measure":{"pcr":16}}', "measure.pcr: must be a whole number from 0 to 15"],
    [
      '{"trust":["/a"],"measure":{"pcr":1,"required":1}}',
      "measure.required: must be true or false",
    ],
    ['{"trust":["/a"],"measure":{"pcr":1,"bank":1}}', "measure.bank: unknown key"],
    ["[]x", "not JSON: line 1: text after the end"],
    ['{"Trust":["/a"]}', "Trust: unknown key; trust: missing"],
    ['{"trust":["/a"],"x":1,"y":2}', "x: unknown key; y: unknown key"],
    ['{"trust":["/a"],"minGeneration":40,"minGeneration":0}', "minGeneration: duplicate key"],
    ['{"trust":[]}', "trust: must not be empty: no key could ever be trusted"],
    ['{"trust":null}', "trust: must be an array"],
    ['{"trust":"/a"}', "trust: must be an array"],
    ['{"trust":["a.pub"]}', "trust[0]: must be an absolute path"],
    ['{"trust":["/a/../b"]}', "trust[0]: must not have .. components"],
    ['{"trust":["/a",""]}', "trust[1]: must not be empty"],
    ['{"trust":["/"]}', "trust[0]: must not have empty components (// or a / at the end)"],
    ['{"trust":["/a"],"minGeneration":-1}', floor],
    ['{"trust":["/a"],"minGeneration":"40"}', floor],
    ['{"trust":["/a"],"minGeneration":null}', floor],
    [
      '{"trust":["/a"],"allowAppend":["a b"]}',
      "allowAppend[0]: must be one word of printable ASCII",
    ],
    ['{"trust":["/a"],"allowAppend":[""]}', "allowAppend[0]: must not be empty"],
    [
      '{"trust":["/a"],"minGeneration":-1,"allowAppend":1}',
      `${floor}; allowAppend: must be an array`,
    ],
  ])("%s", (text, why) => {
    const error = errorOf("policy-broken", () => parse(text));
    expect(error.message).toBe(`policy ${path} is broken: ${why}`);
    expect(error.exit).toBe(5);
  });

  test("too large, too many", () => {
    expect(errorOf("policy-broken", () => parse(" ".repeat(65537))).message).toContain("larger");
    const many = JSON.stringify({ trust: Array(65).fill("/a") });
    expect(errorOf("policy-broken", () => parse(many)).message).toContain("more than 64 entries");
  });

  test("hostile bytes: broken, or a policy", () => {
    const rng = seeded(5);
    let broken = 0;
    for (let count = 0; count < 2000; count += 1) {
      const bytes = mutate(bytesOf(example), rng);
      const policy = refusedOr("policy-broken", () => parsePolicy(bytes, path));
      if (policy === undefined) broken += 1;
      else expect(policy.trust.length).toBeGreaterThan(0);
    }
    expect(broken).toBeGreaterThan(1000);
  });
});

describe("tighten", () => {
  const policy = parse(example);
  const nothing = { trust: [], minGeneration: undefined };

  test("without a policy, the command line decides", () => {
    const open = {
      required: false,
      keyLists: [],
      threshold: 1,
      minGeneration: undefined,
      allowAppend: [],
      allowSecret: [],
      fileSystems: undefined,
    };
    expect(tighten([], nothing)).toEqual(open);
    expect(tighten([], { trust: ["k"], minGeneration: 3 })).toEqual({
      ...open,
      required: true,
      keyLists: [["k"]],
      minGeneration: 3,
    });
  });

  test("a policy holds whatever the command line says", () => {
    expect(tighten([policy], nothing)).toEqual({
      required: true,
      keyLists: [["/etc/aegis-kexec/org.pub"]],
      threshold: 1,
      minGeneration: 40,
      allowAppend: ["console=", "loglevel="],
      allowSecret: [["/etc/cryptsetup-keys.d/"]],
      fileSystems: ["ext4", "vfat", "iso9660", "squashfs", "erofs"],
    });
  });

  test("--trust adds a list that must hold too, and no key", () => {
    const { keyLists } = tighten([policy], { trust: ["/tmp/evil.pub"], minGeneration: undefined });
    expect(keyLists).toEqual([["/etc/aegis-kexec/org.pub"], ["/tmp/evil.pub"]]);
  });

  test("the floor only rises", () => {
    const floor = (minGeneration: number) =>
      tighten([policy], { trust: [], minGeneration }).minGeneration;
    expect([floor(0), floor(39), floor(40), floor(41)]).toEqual([40, 40, 40, 41]);
  });

  test("a second policy cannot loosen the first", () => {
    const second = parse(
      '{"trust":["/tmp/evil.pub"],"minGeneration":0,"allowAppend":["console=","init="],"allowSecret":["/x"],"fileSystems":["xfs","vfat"]}',
    );
    expect(tighten([policy, second], nothing)).toEqual({
      required: true,
      keyLists: [["/etc/aegis-kexec/org.pub"], ["/tmp/evil.pub"]],
      threshold: 1,
      minGeneration: 40,
      allowAppend: ["console="],
      allowSecret: [["/etc/cryptsetup-keys.d/"], ["/x"]],
      fileSystems: ["vfat"],
    });
    const strict = parse('{"trust":["/a","/b"],"threshold":2}');
    expect(tighten([policy, strict], nothing)).toMatchObject({ threshold: 2, allowAppend: [] });
  });
});

describe("acceptedKeys", () => {
  const key = (seed: string, name: string) => {
    const signer = signerOf(seed.repeat(32));
    const file = name.endsWith(".pem") ? signer.pem : signer.minisignKey();
    return parsePublicKey(bytesOf(file), name);
  };
  const a = key("aa", "a.pub");
  const aPem = key("aa", "a.pem");
  const b = key("bb", "b.pub");
  const c = key("cc", "c.pub");

  test("a key must be in every list, by its bytes and not by its name or format", () => {
    expect(acceptedKeys([[a, b]])).toEqual([a, b]);
    expect(
      acceptedKeys([
        [a, b],
        [aPem, c],
      ]),
    ).toEqual([a]);
    expect(acceptedKeys([[a, b, c], [c, b], [b]])).toEqual([b]);
  });

  test("no common key: refused", () => {
    const renamed = key("cc", "a.pub");
    expect(errorOf("policy-refused", () => acceptedKeys([[a, b], [renamed]])).exit).toBe(5);
    errorOf("policy-refused", () => acceptedKeys([[a], []]));
    errorOf("policy-refused", () => acceptedKeys([[]]));
  });
});

test("checkGeneration", () => {
  const requirement = tighten([], { trust: ["k"], minGeneration: 40 });
  checkGeneration(40, requirement);
  checkGeneration(0, tighten([], { trust: ["k"], minGeneration: undefined }));
  const error = errorOf("generation-too-low", () => checkGeneration(39, requirement));
  expect(error.message).toBe("generation 39 is refused: the lowest accepted is 40");
});
