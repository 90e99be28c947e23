/** Where the key of a LUKS volume goes, and by which words the next initramfs finds it. */
import { describe, expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { parseLuks } from "../../../src/initramfs/luks/option.ts";
import { planKeys, type Seen } from "../../../src/initramfs/luks/plan.ts";
import { parseCrypttab } from "../../../src/initramfs/luks/table.ts";
import type { Framework } from "../../../src/initramfs/luks/volume.ts";
import { mutate, seeded } from "../fuzz.ts";
import { refusal } from "./samples.ts";

const uuid = "6a1c1b5e-0f7a-4f3c-9a52-1d0b8c3d2e4f";
const other = "11111111-2222-3333-4444-555555555555";
const folder = "/etc/cryptsetup-keys.d";

describe("UUID=SRC[:FRAMEWORK]", () => {
  test.each([
    [`${uuid}=key`, { kind: "file", path: "key" }, undefined],
    [`${uuid.toUpperCase()}=-`, { kind: "standard-input" }, undefined],
    [`${uuid}=-:systemd`, { kind: "standard-input" }, "systemd"],
    [`${uuid}=fd:7:initramfs-tools`, { kind: "descriptor", descriptor: 7 }, "initramfs-tools"],
    [`${uuid}=/a:b=c:encrypt`, { kind: "file", path: "/a:b=c" }, "encrypt"],
    [`${uuid}=/a:other`, { kind: "file", path: "/a:other" }, undefined],
  ] as const)("%s", (text, source, framework) => {
    expect(parseLuks(text)).toEqual({
      source,
      destination: `${folder}/luks-${uuid}.key`,
      mode: 0o400,
      luks: { uuid, framework },
    });
  });

  test.each([
    ["key", "no = between"],
    ["=key", "no UUID"],
    ["root=key", "no UUID"],
    [`${uuid}0=key`, "no UUID"],
    [`../${uuid}=key`, "no UUID"],
    [`${uuid}=`, "SRC is empty"],
    [`${uuid}=:systemd`, "SRC is empty"],
    [`${uuid}=a\0b`, "NUL"],
    [`${uuid}=fd:x`, "no such descriptor"],
  ])("%j is refused, and nothing of it is shown", (text, why) => {
    const error = refusal(() => parseLuks(text));
    expect([error.code, error.message]).toEqual(["usage", expect.stringContaining(why)]);
    expect(error.message).not.toContain(uuid);
  });
});

test("a crypttab: names, sources, keys and options", () => {
  const text = [
    "# comment",
    "",
    "one UUID=a",
    "\ttwo  /dev/vda2\tnone luks,discard ",
    "three UUID=b - ",
    "four UUID=c /key luks",
    "alone",
    "five a b c d e",
  ];
  expect(parseCrypttab(text.join("\n"))).toEqual([
    { name: "one", source: "UUID=a", key: undefined, options: [] },
    { name: "two", source: "/dev/vda2", key: undefined, options: ["luks", "discard"] },
    { name: "three", source: "UUID=b", key: undefined, options: [] },
    { name: "four", source: "UUID=c", key: "/key", options: ["luks"] },
  ]);
});

function seen(framework: Framework | undefined, crypttab?: string, more: Partial<Seen> = {}): Seen {
  return {
    frameworks: new Set(framework === undefined ? [] : [framework]),
    tables:
      framework === undefined || crypttab === undefined
        ? {}
        : { [framework]: parseCrypttab(crypttab) },
    keys: new Set(),
    whole: true,
    ...more,
  };
}

/** The place of one key, and the words. */
function plan(what: Seen, line = "root=/dev/mapper/root quiet", framework?: Framework) {
  const { keys, words, warnings } = planKeys([{ uuid, framework }], what, line);
  return [keys[0]?.destination, words.join(" "), warnings.length];
}

const systemd = (crypttab?: string) => seen("systemd", crypttab);
const tools = (crypttab?: string) => seen("initramfs-tools", crypttab);

test.each<[string, Seen, string, string, string]>([
  // crypttab's name, by each way to write the volume
  ["crypttab", systemd(`root UUID=${uuid}`), "", `${folder}/root.key`, ""],
  ["none", systemd(`root UUID=${uuid.toUpperCase()} none luks`), "", `${folder}/root.key`, ""],
  ["quoted", systemd(`root UUID="${uuid}" -`), "", `${folder}/root.key`, ""],
  ["by-uuid", systemd(`root /dev/disk/by-uuid/${uuid}`), "", `${folder}/root.key`, ""],
  ["by name", systemd(`luks-${uuid} /dev/vda2`), "", `${folder}/luks-${uuid}.key`, ""],
  ["its own key", systemd(`root UUID=${uuid} /luks/root.bin`), "", "/luks/root.bin", ""],
  [
    "crypttab over the line",
    systemd(`root UUID=${uuid}`),
    `rd.luks.name=${uuid}=other`,
    `${folder}/root.key`,
    "",
  ],
  [
    "crypttab not on the line's list",
    systemd(`root UUID=${uuid}`),
    `rd.luks.uuid=${other}`,
    `${folder}/root.key`,
    `rd.luks.uuid=${uuid}`,
  ],
  [
    "crypttab that is not read",
    systemd(`root UUID=${uuid}`),
    `rd.luks.crypttab=no rd.luks.uuid=${uuid}`,
    `${folder}/luks-${uuid}.key`,
    "",
  ],
  // The line's name
  ["rd.luks.name", systemd(), `rd.luks.name=${uuid}=root`, `${folder}/root.key`, ""],
  ["luks.name", systemd(), `luks.name=${uuid}=root`, `${folder}/root.key`, ""],
  [
    "the other's name",
    systemd(),
    `rd.luks.name=${other}=root`,
    `${folder}/luks-${uuid}.key`,
    `rd.luks.uuid=${uuid}`,
  ],
  ["rd.luks.uuid", systemd(), `rd.luks.uuid=luks-${uuid}`, `${folder}/luks-${uuid}.key`, ""],
  ["nothing", systemd(), "", `${folder}/luks-${uuid}.key`, `rd.luks.uuid=${uuid}`],
  [
    "others in crypttab, it on the line",
    systemd(`swap UUID=${other}`),
    `rd.luks.uuid=${uuid}`,
    `${folder}/luks-${uuid}.key`,
    "",
  ],
  // The line's key
  ["rd.luks.key", systemd(), `rd.luks.uuid=${uuid} rd.luks.key=${uuid}=/k`, "/k", ""],
  ["one for all", systemd(), `rd.luks.uuid=${uuid} rd.luks.key=/k`, "/k", ""],
  // Debian's
  [
    "its crypttab",
    tools(`vda2_crypt UUID=${uuid} none luks,discard,keyscript=/bin/ask`),
    "",
    `${folder}/vda2_crypt.key`,
    `cryptopts=target=vda2_crypt,source=UUID=${uuid},key=${folder}/vda2_crypt.key,luks,discard`,
  ],
  [
    "another volume stays",
    tools(
      `root UUID=${uuid} none luks\nswap UUID=${other} /FIXME-initramfs-rootmnt/k luks,keyscript=/s`,
    ),
    "",
    `${folder}/root.key`,
    `cryptopts=target=root,source=UUID=${uuid},key=${folder}/root.key,luks cryptopts=target=swap,source=UUID=${other},key=/FIXME-initramfs-rootmnt/k,luks,keyscript=/s`,
  ],
  [
    "no crypttab: root's name",
    tools(),
    "root=/dev/mapper/vg-root",
    `${folder}/vg-root.key`,
    `cryptopts=target=vg-root,source=UUID=${uuid},key=${folder}/vg-root.key,luks`,
  ],
  [
    "an empty one",
    tools(""),
    "root=UUID=x",
    `${folder}/cryptroot.key`,
    `cryptopts=target=cryptroot,source=UUID=${uuid},key=${folder}/cryptroot.key,luks`,
  ],
  ["the line's key file", tools(), `cryptopts=source=UUID=${uuid},key=/k,luks`, "/k", ""],
  [
    "another on the line",
    tools(`root UUID=${uuid} none luks`),
    `cryptopts=target=swap,source=UUID=${other} root=/dev/mapper/r`,
    `${folder}/r.key`,
    `cryptopts=target=r,source=UUID=${uuid},key=${folder}/r.key,luks`,
  ],
  // Arch Linux'
  [
    "encrypt",
    seen("encrypt"),
    `cryptdevice=UUID=${uuid}:root`,
    `${folder}/luks-${uuid}.key`,
    `cryptkey=rootfs:${folder}/luks-${uuid}.key`,
  ],
  [
    "encrypt without a device",
    seen("encrypt"),
    "root=/dev/mapper/root",
    `${folder}/luks-${uuid}.key`,
    `cryptdevice=UUID=${uuid}:root cryptkey=rootfs:${folder}/luks-${uuid}.key`,
  ],
  [
    "encrypt with a key",
    seen("encrypt"),
    `cryptdevice=UUID=${uuid}:root:allow-discards cryptkey=rootfs:/k`,
    "/k",
    "",
  ],
])("%s", (_name, what, line, place, words) => {
  expect(plan(what, line)).toEqual([place, words, 0]);
});

test.each<[string, Seen, string, string]>([
  ["nothing that opens volumes", seen(undefined), "", "have nothing of the kind"],
  ["an archive that cannot be read", seen(undefined, "", { whole: false }), "", "cannot be read"],
  [
    "two that do",
    seen("systemd", "", { frameworks: new Set(["systemd", "encrypt"] as const) }),
    "",
    "more than one thing that opens volumes: systemd, encrypt",
  ],
  ["luks=no", systemd(), "quiet rd.luks=0", "luks=no"],
  ["others in crypttab alone", systemd(`swap UUID=${other}`), "", "other volumes (swap)"],
  ["others in Debian's", tools("a /dev/vda2 none luks"), "", "other volumes (a)"],
  [
    "a key on another disk",
    systemd(`root UUID=${uuid} /k:LABEL=x`),
    "",
    "no file in the initramfs",
  ],
  [
    "a key below /run",
    systemd(`root UUID=${uuid} /run/k/root.key`),
    "",
    "mounts a new file system",
  ],
  ["a key on the line below /run", systemd(), `rd.luks.key=${uuid}=/run/k`, "a new file system"],
  ["a name that leads away", systemd(`../../init UUID=${uuid}`), "", "etc/cryptsetup-keys.d/../.."],
  ["a key that is no path", systemd(`root UUID=${uuid} /a/../b`), "", "/a/../b"],
  [
    "a file that is there",
    seen("systemd", `root UUID=${uuid}`, { keys: new Set([`${folder}/root.key`]) }),
    "",
    "has a file at",
  ],
  ["cryptopts without a key", tools(), `cryptopts=source=UUID=${uuid}`, "without a key file"],
  ["words that are no words", tools(`a\\040b UUID=${uuid} none luks`), "", "calls the volume"],
  [
    "another's word that is none",
    tools(`a UUID=${uuid} none luks\nb UUID=${other} none "x`),
    "",
    "cannot be written on a command line",
  ],
  ["a comma in a name", tools(`a,b UUID=${uuid} none luks`), "", "cannot be written as cryptopts="],
  ["a field in options", tools(`a UUID=${uuid} none luks,key=/x`), "", "as cryptopts="],
  ["encrypt's other volume", seen("encrypt"), `cryptdevice=UUID=${other}:a`, "another volume"],
  ["encrypt's other key", seen("encrypt"), "cryptkey=/dev/sda:1:2", "no file in the initramfs"],
])("%s: refused", (_name, what, line, why) => {
  expect(refusal(() => plan(what, line)).message).toContain(why);
});

test("an archive that cannot be read, with the framework named: said, and told by words", () => {
  const unread = seen(undefined, undefined, { whole: false });
  expect(plan(unread, "", "systemd")).toEqual([
    `${folder}/luks-${uuid}.key`,
    `rd.luks.uuid=${uuid} rd.luks.key=${uuid}=${folder}/luks-${uuid}.key`,
    1,
  ]);
  expect(plan(unread, `rd.luks.uuid=${uuid}`, "systemd")[1]).toBe(
    `rd.luks.key=${uuid}=${folder}/luks-${uuid}.key`,
  );
  expect(plan(unread, "root=/dev/mapper/r", "initramfs-tools")).toEqual([
    `${folder}/r.key`,
    `cryptopts=target=r,source=UUID=${uuid},key=${folder}/r.key,luks`,
    1,
  ]);
  expect(plan(seen(undefined), "", "encrypt")[2]).toBe(1);
  expect(plan(seen("encrypt"), "cryptdevice=/dev/sda2:root")[2]).toBe(1);
});

test("two volumes: a place for each, and one entry for each in Debian's table", () => {
  const volumes = [uuid, other].map((one) => ({ uuid: one, framework: undefined }));
  const table = `a UUID=${other} none luks\nb UUID=${uuid} none luks`;
  const debian = planKeys(volumes, tools(table), "");
  expect(debian.keys.map(({ destination }) => destination)).toEqual([
    `${folder}/b.key`,
    `${folder}/a.key`,
  ]);
  expect(debian.words).toEqual([
    `cryptopts=target=a,source=UUID=${other},key=${folder}/a.key,luks`,
    `cryptopts=target=b,source=UUID=${uuid},key=${folder}/b.key,luks`,
  ]);
  expect(planKeys(volumes, systemd(), "").words).toEqual([
    `rd.luks.uuid=${uuid}`,
    `rd.luks.uuid=${other}`,
  ]);
  expect(
    planKeys(volumes, tools(), "root=/dev/mapper/r").keys.map((key) => key.destination),
  ).toEqual([`${folder}/luks-${uuid}.key`, `${folder}/luks-${other}.key`]);
  expect(refusal(() => planKeys(volumes, seen("encrypt"), "")).message).toContain(
    "one volume only",
  );
});

test("whatever crypttab and command line say: a place that an archive can hold, and plain words, or an error", () => {
  const rng = seeded(7);
  const tables = [
    `root UUID=${uuid} none luks,discard\nswap UUID=${other} /k luks`,
    `luks-${uuid} /dev/vda2 /a/b:LABEL=x\n#x\na\\040b UUID="${uuid}" - keyscript=/s`,
  ];
  const lines = [
    `root=/dev/mapper/r rd.luks.name=${uuid}=n rd.luks.key=${uuid}=/k luks=1`,
    `cryptopts=target=a,source=UUID=${uuid},key=/k "cryptopts=source=UUID=${other}"`,
    `cryptdevice=UUID=${uuid}:r:x cryptkey=rootfs:/k root=/dev/mapper/../x`,
  ];
  let planned = 0;
  for (let round = 0; round < 3000; round++) {
    const changed = (text: string) =>
      new TextDecoder().decode(mutate(new TextEncoder().encode(text), rng));
    const framework = rng.pick(["systemd", "initramfs-tools", "encrypt"] as const);
    const what = seen(framework, changed(rng.pick(tables)));
    try {
      const { keys, words } = planKeys([{ uuid, framework }], what, changed(rng.pick(lines)));
      planned++;
      for (const word of words) expect(word).toMatch(/^[!-~]+$/);
      for (const { destination } of keys) {
        expect(destination).toMatch(/^(\/[^/\p{Cc}]+)+$/u);
        expect(destination.split("/").some((name) => name === ".." || name === ".")).toBe(false);
      }
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
    }
  }
  expect(planned).toBeGreaterThan(300);
});
