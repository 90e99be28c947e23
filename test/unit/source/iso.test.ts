/** ISO images as sources: what is used is what is verified, and what lies around the image. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withSignedWhole } from "../../../src/handoff/gate/whole.ts";
import { inspect } from "../../../src/handoff/inspect.ts";
import { manifest } from "../../../src/handoff/manifest.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { archiveChunks, type CpioEntry } from "../../../src/initramfs/cpio.ts";
import { InputFile } from "../../../src/linux/file.ts";
import { parseMountinfo } from "../../../src/linux/mounts.ts";
import { archiveNames } from "../../../src/source/archive-names.ts";
import { IsoFiles } from "../../../src/source/iso/files.ts";
import { findMount, pathOn } from "../../../src/source/iso/holder.ts";
import { hasModule } from "../../../src/source/iso/modules.ts";
import { FoundSource, Source } from "../../../src/source/open.ts";
import type { OpenFile } from "../../../src/source/open-file.ts";
import { onItsFileSystem } from "../../where.ts";
import { mutate, seeded } from "../fuzz.ts";
import { makeBzImage } from "../image/build.ts";
import { pack, plant } from "../image/iso-build.ts";

let folder = "";
let image = "";
let key = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "iso-source-"));
  plant(join(folder, "tree"), {
    "boot/grub/grub.cfg":
      'menuentry "Live" --id live {\n linux /live/vmlinuz boot=live console=tty0\n initrd /live/initrd\n}\n',
    "live/vmlinuz": makeBzImage(),
    "live/initrd": archiveOf([file("init", "#!/bin/sh")]),
    "live/filesystem.squashfs": "hsqs".repeat(1000),
  });
  mkdirSync(join(folder, "isos"));
  image = pack(join(folder, "tree"), join(folder, "isos", "live.iso"), "both", ["-V", "LIVE"]);
  const secret = join(folder, "key");
  key = join(folder, "key.pub");
  run(["minisign", "-G", "-W", "-p", key, "-s", secret]);
  run(["minisign", "-S", "-s", secret, "-m", image]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(stderr.toString());
}

function file(path: string, data: string | Uint8Array): CpioEntry {
  return {
    type: "file",
    path,
    data: typeof data === "string" ? new TextEncoder().encode(data) : data,
  };
}

function archiveOf(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat([...archiveChunks(entries)]));
}

/** Bytes with a name; nothing can be copied of it. */
function openBytes(bytes: Uint8Array): OpenFile {
  const { size, read } = bytesOf(bytes);
  return { path: "x", canonicalPath: "x", fd: undefined, extents: [], size, read };
}

/** A copy of the image that a test may change, with its signature. */
function ownCopy(): { readonly path: string; readonly bytes: Buffer } {
  const path = join(mkdtempSync(join(folder, "copy-")), "live.iso");
  const bytes = readFileSync(image);
  writeFileSync(path, bytes);
  writeFileSync(`${path}.minisig`, readFileSync(`${image}.minisig`));
  return { path, bytes };
}

describe("under trust", () => {
  test("a signed image passes, and its signature is its own", async () => {
    const { trust, verdict, cmdline } = await inspect({ kernel: image, trust: [key] });
    expect(trust.signed?.signer.key).toBe(key);
    expect(verdict.reasons.filter(({ exit }) => exit === 5)).toEqual([]);
    expect(cmdline?.text).toContain(`findiso=${onItsFileSystem(image)}`);
  });

  test("a changed byte anywhere is exit 5, whatever it breaks", async () => {
    const { path, bytes } = ownCopy();
    const at = (text: string, from = 0) => Buffer.from(bytes).indexOf(text, from);
    const places = {
      "system area": 100,
      "volume label": 16 * 2048 + 40,
      "size of a block": 16 * 2048 + 128,
      "end of the descriptors": bytes.indexOf(Buffer.from("\xffCD001", "latin1"), 17 * 2048),
      "directory record": at("vmlinuz"),
      "length of a record": at("VMLINUZ.;1") - 33,
      "first word of the menu": at("menuentry"),
      "kernel's path": at("vmlinuz boot=live"),
      kernel: at("HdrS") + 100,
      "kernel's magic": at("HdrS"),
      archive: at("#!/bin/sh"),
      "archive's magic": at("070701"),
      "what nobody reads here": at("hsqshsqs"),
      "last byte": bytes.length - 1,
    };
    for (const [what, offset] of Object.entries(places)) {
      expect([what, offset]).toEqual([what, Math.max(0, offset)]);
      const changed = Uint8Array.from(bytes);
      changed[offset] = (changed[offset] ?? 0) ^ 0x55;
      writeFileSync(path, changed);
      const { verdict } = await inspect({ kernel: path, trust: [key] });
      expect([what, verdict.reasons.some(({ exit }) => exit === 5)]).toEqual([what, true]);
      const source = await open(path, [key]).catch((error: unknown) => error);
      expect(source).toMatchObject({ exit: 5 });
    }
  });

  test("an OpenPGP signature is said not to be checked", async () => {
    const { path } = ownCopy();
    writeFileSync(join(path, "..", "SHA256SUMS.sign"), "-----BEGIN PGP SIGNATURE-----\n");
    const { verdict } = await inspect({ kernel: path, trust: [key] });
    expect(verdict.notes.join("\n")).toContain("SHA256SUMS.sign beside it is an OpenPGP signature");
    writeFileSync(`${path}.minisig`, "-----BEGIN PGP SIGNATURE-----\n");
    const { verdict: other } = await inspect({ kernel: path, trust: [key] });
    expect(other.reasons.map(({ message }) => message).join("\n")).toContain(
      "it is an OpenPGP signature",
    );
  });
});

async function open(path: string, trust: string[]) {
  const { gateFor } = await import("../../../src/handoff/gate/choose-gate.ts");
  const { parseLoadRequest } = await import("../../../src/handoff/request.ts");
  const { Verified } = await import("../../../src/handoff/stages/verify.ts");
  const request = { ...parseLoadRequest({ kernel: path, trust }), source: path };
  const gate = await gateFor(request);
  using source = await Source.open(request, {}, gate);
  using verified = await Verified.from(source, request, "x86_64", gate, {});
  return verified.cmdline;
}

describe("what was used is what is digested", () => {
  const digest = (bytes: Uint8Array) => new Bun.CryptoHasher("blake2b512").update(bytes).digest();
  const digestOf = (
    whole: Parameters<typeof withSignedWhole>[0],
    covers: "blake2b-512" | "message",
  ) =>
    withSignedWhole(whole, covers, {}, async (signed) =>
      "digest" in signed ? signed.digest : digest(signed.message),
    );

  test("copies stand in their places, whatever the file has by then", async () => {
    const { path, bytes } = ownCopy();
    using held = new DisposableStack();
    const opened = held.use(InputFile.open(path, "image"));
    const files = held.use(new IsoFiles(opened, true, {}));
    files.readStart("/boot/grub/grub.cfg", 1 << 16);
    const kernel = files.open("/live/vmlinuz", "kernel");
    files.open("live//vmlinuz", "kernel");
    files.open("/live/initrd", "initramfs");
    const whole = {
      file: opened,
      openBeside: () => {
        throw new Error("not asked for");
      },
      get copies() {
        return files.copies(held);
      },
    };
    const good = digest(bytes);
    for (const covers of ["blake2b-512", "message"] as const) {
      expect(await digestOf(whole, covers)).toEqual(good);
    }
    const used = Uint8Array.from(bytes);
    const [start = 0] = files.tree.find("/live/vmlinuz")?.extents.map(({ offset }) => offset) ?? [];
    used[start + 700] = 0x55;
    writeFileSync(path, used);
    expect(kernel.read(700, 1)[0]).toBe(bytes[start + 700] ?? -1);
    expect(await digestOf(whole, "blake2b-512")).toEqual(good);
    const unused = Uint8Array.from(bytes);
    unused[Buffer.from(bytes).indexOf("hsqshsqs")] = 0;
    writeFileSync(path, unused);
    expect(await digestOf(whole, "blake2b-512")).not.toEqual(good);
    // Of one place two copies, which differ: one of them is not what is digested.
    const copies = files.copies(held);
    const doubled = { ...whole, copies: [...copies, { offset: 10, bytes: openBytes(used) }] };
    await expect(digestOf(doubled, "blake2b-512")).rejects.toMatchObject({ code: "file-changed" });
    const agreeing = { ...whole, copies: [...copies, { offset: 0, bytes: openBytes(bytes) }] };
    expect(await digestOf(agreeing, "blake2b-512")).toEqual(good);
  });

  test("an image that changes before all of it is read is refused", async () => {
    const { path, bytes } = ownCopy();
    using source = await Source.open({ source: path, initrd: [] });
    source.requireUnchanged();
    writeFileSync(path, bytes.with(bytes.length - 1, 1));
    expect(() => source.requireUnchanged()).toThrow("it changed while it was read");
  });
});

describe("a directory of images", () => {
  beforeAll(() => {
    const isos = join(folder, "isos");
    writeFileSync(join(isos, "broken.iso"), "no image");
    pack(join(folder, "tree"), join(isos, "a.ISO"), "rock-ridge", ["-V", "OTHER"]);
    writeFileSync(join(isos, "notes.txt"), "");
  });

  test("each is an entry, with its label and what lies beside it", async () => {
    const { entries } = await inspect({ kernel: join(folder, "isos") });
    expect(entries?.map(({ id }) => id)).toEqual(["a.ISO", "broken.iso", "live.iso"]);
    expect(entries?.[0]).toMatchObject({ title: "OTHER (no signature)", problem: null });
    expect(entries?.[1]?.problem).toContain("not an ISO 9660 image");
    expect(entries?.[2]?.title).toMatch(
      /^LIVE \(signature by key [0-9A-F]{16}, not looked at yet\)$/,
    );
  });

  test("one is named by file, by label or number, and an entry of it behind >", async () => {
    const path = join(folder, "isos");
    for (const entry of ["live.iso", "live.iso>live", "live.iso>Live", "2"]) {
      const { cmdline } = await inspect({ kernel: path, entry });
      expect(cmdline?.text).toContain(`findiso=${onItsFileSystem(join(path, "live.iso"))}`);
    }
    for (const entry of ["live.iso>none", "none.iso>live", "none.iso", "broken.iso"]) {
      const { cmdline } = await inspect({ kernel: path, entry });
      expect([entry, cmdline]).toEqual([entry, null]);
    }
  });

  test("under trust the first that is signed is taken", async () => {
    const { cmdline, trust } = await inspect({ kernel: join(folder, "isos"), trust: [key] });
    expect(cmdline?.text).toContain("live.iso");
    expect(trust.signed?.signer.key).toBe(key);
  });
});

test("no manifest names what is inside of an image", async () => {
  const refused = manifest({ kernel: image }).catch((error: unknown) => error);
  expect(await refused).toMatchObject({ code: "usage", hint: expect.stringContaining("minisign") });
});

test("the kind is told by content", async () => {
  const other = join(folder, "x.bin");
  writeFileSync(other, readFileSync(image));
  using found = await FoundSource.find({ source: other });
  expect(found.kind).toBe("ISO image");
});

test("the path is the one on the file system: in a subvolume, on a bind mount", () => {
  const mounts = parseMountinfo(`27 1 254:0 / / rw - ext4 /dev/vda rw
40 27 0:40 /@home /home rw - btrfs /dev/sda2 rw
41 27 8:17 /images/isos /mnt/my\\040isos rw - vfat /dev/sdb1 rw
42 27 8:33 / /mnt/x rw - ext4 /dev/sdc1 rw
43 27 8:34 / /mnt/x rw - ext4 /dev/sdc2 rw`);
  const at = (path: string, id?: number) => {
    const mount = findMount(mounts, path, id);
    return mount === undefined ? undefined : `${mount.source}:${pathOn(mount, path)}`;
  };
  expect(at("/x.iso")).toBe("/dev/vda:/x.iso");
  expect(at("/home/me/x.iso")).toBe("/dev/sda2:/@home/me/x.iso");
  expect(at("/mnt/my isos/x.iso")).toBe("/dev/sdb1:/images/isos/x.iso");
  expect(at("/mnt/x/x.iso")).toBe("/dev/sdc2:/x.iso");
  expect(at("/mnt/x/x.iso", 42)).toBe("/dev/sdc1:/x.iso");
  expect(at("/mnt/xy/x.iso")).toBe("/dev/vda:/mnt/xy/x.iso");
  expect(at("/x.iso", 99)).toBeUndefined();
});

describe("names in an archive", () => {
  const builtin = "kernel/fs/ext4/ext4.ko\n";
  const entries = [
    file("init", "x".repeat(10_000)),
    file("usr/lib/modules/6/kernel/fs/fat/vfat.ko.xz", "module"),
    file("usr/lib/modules/6/modules.builtin", builtin),
    file("last", ""),
  ];
  const microcode = archiveOf([file("kernel/x86/microcode/GenuineIntel.bin", "m".repeat(3000))]);
  const forms = () => {
    const plain = archiveOf(entries);
    return {
      plain,
      gzip: Bun.gzipSync(plain),
      zstd: Bun.zstdCompressSync(plain),
      "behind microcode": Buffer.concat([microcode, new Uint8Array(512), Bun.gzipSync(plain)]),
    };
  };

  test.each(Object.entries({ plain: 0, gzip: 0, zstd: 0, "behind microcode": 0 }))(
    "of one that is %s",
    async (form) => {
      const bytes = new Map<string, Uint8Array>(Object.entries(forms())).get(form);
      const opened = openBytes(bytes ?? new Uint8Array());
      const names: string[] = [];
      const whole = await archiveNames(opened, (name) => {
        names.push(name);
        return false;
      });
      expect(whole).toBe(true);
      expect(names.slice(-4)).toEqual(entries.map(({ path }) => path));
      expect(await hasModule([opened], "vfat")).toBe(true);
      expect(await hasModule([opened], "ext4")).toBe(true);
      expect(await hasModule([opened], "exfat")).toBe(false);
    },
  );

  test("where they cannot be had, nothing is told", async () => {
    const xz = openBytes(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0));
    expect(await hasModule([xz], "vfat")).toBeUndefined();
    expect(await hasModule([openBytes(archiveOf([file("init", "")]))], "vfat")).toBeUndefined();
  });

  test("of bytes that are changed: it ends, and says so or not", async () => {
    const rng = seeded(21);
    const all = Object.values(forms());
    for (let round = 0; round < 400; round++) {
      const opened = openBytes(mutate(rng.pick(all), rng));
      let count = 0;
      await archiveNames(opened, () => ++count > 10_000);
      expect(count).toBeLessThan(10_002);
    }
  });
});
