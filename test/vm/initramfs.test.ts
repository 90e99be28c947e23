/** Archives joined by aegis-kexec, as the next kernel unpacks them. */
import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import type { CpioEntry } from "../../src/initramfs/cpio.ts";
import { initrd, type Scene, scene, vmlinuz } from "./lib/aegis.ts";
import {
  archiveOf,
  type Format,
  formats,
  lz4Frame,
  type Residue,
  residuesOf,
} from "./lib/archives.ts";
import type { Guest } from "./lib/guest.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import { bootAsPredicted } from "./lib/prediction.ts";
import { vmSuite } from "./lib/suite.ts";

const tools = ["tool:xz", "tool:lz4", "tool:bzip2"] as const;

interface Member {
  readonly format: Format;
  readonly residue: Residue;
}

const members: readonly Member[] = formats.flatMap((format) =>
  residuesOf(format).map((residue) => ({ format, residue })),
);

/**
 * A row of archives in which every format and length stands before every format at least once: each
 * next one is of a format that is still missing there, and the one of it with most left to do.
 */
function everyJunction(): Member[] {
  const missing = new Map(members.map((member) => [member, new Set<Format>(formats)]));
  const left = (member: Member) => missing.get(member)?.size ?? 0;
  const row: Member[] = [];
  for (let last: Member | undefined = members[0]; last !== undefined; ) {
    row.push(last);
    const wanted: Set<Format> | undefined = missing.get(last);
    const [next] = members
      .filter((member) => wanted?.size === 0 || wanted?.has(member.format))
      .sort((one, other) => left(other) - left(one));
    if (next === undefined || members.every((member) => left(member) === 0)) break;
    wanted?.delete(next.format);
    last = next;
  }
  return row;
}

/** The junctions of a row, as `format/residue format`. */
function junctionsOf(row: readonly Member[]): Set<string> {
  return new Set(
    row.slice(1).map(({ format }, index) => {
      const before = row[index];
      return `${before?.format}/${before?.residue} ${format}`;
    }),
  );
}

/** Archive `index` holds a file of its own, and one that every later archive replaces. */
function numbered(index: number, prefix: string): CpioEntry[] {
  return [
    { type: "directory", path: prefix },
    text(`${prefix}/${index}`, `${index}\n`),
    text(`${prefix}/last`, `${index}\n`),
  ];
}

/** The archives as guest files, in folder `name`. */
function archives(name: string, list: readonly Member[]): GuestEntry[] {
  return list.map(({ format, residue }, index) => ({
    type: "file",
    path: `/boot/${name}/${index}`,
    data: archiveOf(format, residue, numbered(index, name)),
  }));
}

function options(name: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `--initrd /boot/${name}/${index}`).join(" ");
}

async function expectAll(guest: Guest, name: string, count: number): Promise<void> {
  const found = await guest.check(
    `cd /${name}; i=0; while [ $i -lt ${count} ]; do read x <$i || echo missing $i; [ "$x" = $i ] || echo wrong $i; i=$((i+1)); done; cat last`,
  );
  expect(found).toBe(`${count - 1}\n`);
}

/** As tools/bootconfig writes it: Documentation/admin-guide/bootconfig.rst. */
function bootconfigTrailer(config: string, checksumError = 0): Uint8Array {
  const data = new TextEncoder().encode(config);
  const size = Math.ceil((data.length + 1) / 4) * 4;
  const bytes = new Uint8Array(size + 8 + 12);
  bytes.set(data);
  const view = new DataView(bytes.buffer);
  view.setUint32(size, size, true);
  view.setUint32(size + 4, data.reduce((sum, byte) => sum + byte, 0) + checksumError, true);
  bytes.set(new TextEncoder().encode("#BOOTCONFIG\n"), size + 8);
  return bytes;
}

const mark = 'kernel.aegis_mark = "value"\n';

/** An archive with a bootconfig at its end. */
function withTrailer(trailer: Uint8Array): Uint8Array {
  const archive = archiveOf("gzip", 1, numbered(0, "few"));
  const bytes = new Uint8Array(archive.length + trailer.length);
  bytes.set(archive);
  bytes.set(trailer, archive.length);
  return bytes;
}

// retain_initrd shows at /sys/firmware/initrd what the kernel took for the initramfs: without the
// bootconfig where it found a good one (init/main.c, get_boot_config_from_initrd).
const initrdTail =
  "tail -c 12 /sys/firmware/initrd; echo; tail -c 100000 /sys/firmware/initrd | grep -c aegis_mark";

for (const name of ["shared-x86_64", "shared-aarch64"] as const) {
  const junctions = everyJunction();
  // Two, three and five archives, each beginning elsewhere in the list of members.
  const few = [2, 3, 5].map((count, turn) =>
    Array.from({ length: count }, (_, index) => (turn * 11 + index * 7) % members.length).flatMap(
      (index) => members[index] ?? [],
    ),
  );
  const secret = randomBytes(100_000);
  let made: Scene | undefined;
  const given = () => {
    made ??= scene({
      first: name,
      entries: [
        ...archives("many", junctions),
        ...few.flatMap((list) => archives(`few${list.length}`, list)),
        { type: "file", path: "/boot/secret", data: secret },
        { type: "file", path: "/boot/frame", data: lz4Frame([text("/frame", "unpacked")]) },
        { type: "file", path: "/boot/config", data: withTrailer(bootconfigTrailer(mark)) },
      ],
      nextEntries: [
        { type: "directory", path: "/etc/keys", mode: 0o700, uid: 7, gid: 8 },
        text("/etc/keys/old", "stays"),
        text("/etc/keys/key", "from the base archive", 0o644),
      ],
    });
    return made;
  };
  const wordsOf = (words: string) =>
    `${vmlinuz} --initrd ${initrd} ${words} --cmdline '${given().console} retain_initrd'`;

  vmSuite(
    `initramfs on ${name}`,
    { needs: [name, ...tools], start: () => given().start(), timeout: 300 },
    (test) => {
      test("every format and length joins before every format", async (guest) => {
        expect(junctionsOf(junctions).size).toBe(members.length * formats.length);
        await guest.check("ulimit -n 4096");
        // The kernel has no decoder for lz4 frames (lib/decompress.c): the last one is warned of,
        // joined, and left alone.
        const all = `aegis-kexec boot ${wordsOf(`${options("many", junctions.length)} --initrd /boot/frame`)}`;
        const dry = await guest.run(`ulimit -n 4096; ${all} --dry-run`);
        expect(dry.stderr).toContain("/boot/frame is lz4, which the kernel does not unpack");
        const up = await guest.handoff(`ulimit -n 4096; ${all}`);
        expect(up.token).toBe(given().token);
        await expectAll(guest, "many", junctions.length);
        expect((await guest.run("ls /frame")).exit).not.toBe(0);
        await guest.stop();
      });

      for (const list of few) {
        const count = list.length;
        const shown = list.map(({ format, residue }) => `${format}/${residue}`).join(" ");
        test(`a base with a bootconfig, ${count} archives: ${shown}, and a secret`, async (guest) => {
          const up = await bootAsPredicted(
            guest,
            wordsOf(
              `--initrd /boot/config ${options(`few${count}`, count)} --secret /boot/secret:/etc/keys/key --secret /boot/secret:/new/place/key:0440`,
            ),
          );
          expect(up.token).toBe(given().token);
          expect(await guest.check("cat /few/0")).toBe("0\n");
          const { stdout } = await guest.run(initrdTail);
          expect(stdout).not.toContain("#BOOTCONFIG");
          expect(stdout).toEndWith("\n0\n");
          await expectAll(guest, `few${count}`, count);
          const digest = new Bun.CryptoHasher("sha256").update(secret).digest("hex");
          const seen = await guest.check(
            "sha256sum /etc/keys/key /new/place/key; stat -c '%a %u %g %n' /etc/keys /etc/keys/key /new /new/place /new/place/key; cat /etc/keys/old; ls -a /",
          );
          expect(seen).toStartWith(
            `${digest}  /etc/keys/key\n${digest}  /new/place/key\n` +
              "700 7 8 /etc/keys\n400 0 0 /etc/keys/key\n755 0 0 /new\n755 0 0 /new/place\n440 0 0 /new/place/key\nstays",
          );
          expect(seen).not.toContain("aegis-kexec");
          await guest.stop();
        });
      }
    },
  );
}

{
  let made: Scene | undefined;
  const given = () => {
    made ??= scene({
      first: "shared-x86_64",
      entries: [
        { type: "file", path: "/boot/broken", data: withTrailer(bootconfigTrailer(mark, 1)) },
      ],
    });
    return made;
  };

  vmSuite(
    "bootconfig on shared-x86_64",
    { needs: ["shared-x86_64", ...tools], start: () => given().start() },
    (test) => {
      test("a broken trailer is refused where something would follow it", async (guest) => {
        const wordsOf = (words: string) =>
          `${vmlinuz} ${words} --cmdline '${given().console} retain_initrd'`;
        const broken = wordsOf(`--initrd ${initrd} --initrd /boot/broken`);
        const joined = await guest.run(`aegis-kexec boot ${broken}`);
        expect(joined.exit).toBe(4);
        expect(joined.stderr).toContain("broken bootconfig: its checksum does not match");
        // Alone it is the kernel's to judge, and it judges it no bootconfig.
        await guest.check(`cat ${initrd} /boot/broken >/tmp/alone`);
        await bootAsPredicted(guest, wordsOf("--initrd /tmp/alone"));
        const { stdout } = await guest.run(initrdTail);
        expect(stdout).toContain("#BOOTCONFIG\n\n1\n");
        await guest.stop();
      });
    },
  );
}
