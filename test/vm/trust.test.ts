/** Only what was signed boots, and the bytes that were verified are the bytes that boot. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { buildTarget } from "../../build.ts";
import { binaryFor, scene } from "./lib/aegis.ts";
import { type Guest, startGuest } from "./lib/guest.ts";
import { temporaryFolder, temporaryPath } from "./lib/host.ts";
import { type GuestEntry, guestInitramfs } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { asInspection, bootAsPredicted, loadAsPredicted } from "./lib/prediction.ts";
import { printedCommand } from "./lib/readme.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";

const needs = ["shared-x86_64", "tool:openssl", "tool:minisign"] as const;
const consoleWords = "no_timer_check console=ttyS0 quiet panic=-1";

/** The operator's machine: a folder, with aegis-kexec on the PATH. */
class Operator {
  readonly folder = temporaryFolder("operator");
  private constructor(private readonly bin: string) {}

  static async start(): Promise<Operator> {
    const bin = temporaryFolder("bin");
    symlinkSync(await ensureBuilt("linux-x64"), join(bin, "aegis-kexec"));
    return new Operator(bin);
  }

  run(script: string, folder = this.folder): string {
    const child = Bun.spawnSync(["sh", "-ec", script], {
      cwd: folder,
      env: { ...process.env, PATH: `${this.bin}:${process.env["PATH"]}`, HOME: this.folder },
    });
    if (!child.success) throw new Error(`${script}\n${child.stdout}${child.stderr}`);
    return child.stdout.toString();
  }

  /** A folder with kernel and initramfs, signed as `generation`. */
  sign(name: string, generation: number, token: string, cmdline = consoleWords): string {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    const image = readFileSync(kernel("shared-x86_64").path);
    // A kernel of its own for each generation: the last byte is of a checksum that nobody reads.
    image[image.length - 1] = generation;
    writeFileSync(join(folder, "vmlinuz"), image);
    copyFileSync(guestInitramfs({ arch: "x86_64", token }), join(folder, "initrd.img"));
    this.run(
      `aegis-kexec manifest vmlinuz --initrd initrd.img --cmdline "${cmdline}" --generation ${generation} >boot.json; ` +
        "openssl pkeyutl -sign -rawin -inkey ../org.pem -in boot.json -out boot.json.sig",
      folder,
    );
    return folder;
  }
}

/** Every file of a folder of the host, at `place` in the guest. */
function filesOf(folder: string, place: string): GuestEntry[] {
  return readdirSync(folder).map((name) => ({
    type: "host-file",
    path: `${place}/${name}`,
    source: join(folder, name),
  }));
}

for (const tool of ["openssl", "minisign"] as const) {
  // With a kernel that everyone has
  const needs = ["debian-6.12", `tool:${tool}`] as const;
  vmTest(`the README's way from a ${tool} key to a node`, { needs }, async () => {
    const operator = await Operator.start();
    const token = randomUUID();
    copyFileSync(kernel("debian-6.12").path, join(operator.folder, "vmlinuz"));
    copyFileSync(guestInitramfs({ arch: "x86_64", token }), join(operator.folder, "initrd.img"));
    operator.run(printedCommand(`${tool}-key`));
    operator.run(printedCommand("manifest"));
    operator.run(printedCommand(`${tool}-sign`));
    operator.run(printedCommand("check"));

    const given = scene({ first: "debian-6.12", entries: filesOf(operator.folder, "/mnt") });
    const guest = await given.start();
    await guest.check(`cd /mnt; ${printedCommand("node")}`);
    expect(await guest.check("aegis-kexec status")).toContain("/etc/aegis-kexec/policy.json");
    const boot = `cd /mnt; ${printedCommand("boot")}`;
    await guest.check(asInspection(boot));
    const up = await guest.handoff(boot);
    expect(up).toMatchObject({ token, cmdline: "root=LABEL=A quiet console=ttyS0" });
  });
}

/** Manifests that break one rule each, by name. */
function signedNonsense(manifest: string): Readonly<Record<string, string>> {
  return {
    "extra-key": manifest.replace('"generation"', '"extra": 1,\n  "generation"'),
    "duplicate-key": manifest.replace('"generation"', '"generation": 99,\n  "generation"'),
    "dot-dot": manifest.replace('"vmlinuz"', '"../42/vmlinuz"'),
    absolute: manifest.replace('"vmlinuz"', '"/mnt/42/vmlinuz"'),
    size: manifest.replace(/"size": (\d)/, '"size": 1$1'),
  };
}

interface Node {
  readonly guest: Guest;
  readonly token: string;
}

/** A node with generation 42 at /mnt/42, 41 at /mnt/41, minisign's of 42 at /mnt/mini, and the keys. */
async function startNode(program: { path: string; source: string }): Promise<Node> {
  const operator = await Operator.start();
  const token = randomUUID();
  operator.run(printedCommand("openssl-key"));
  operator.run(
    "openssl genpkey -algorithm ed25519 -out other.pem; openssl pkey -in other.pem -pubout -out other.pub",
  );
  const current = operator.sign("42", 42, token);
  operator.run(
    "minisign -G -W -s mini.key -p mini.pub; mkdir mini; cp 42/boot.json mini; minisign -S -s mini.key -m mini/boot.json",
  );
  operator.run(
    "openssl pkeyutl -sign -rawin -inkey ../other.pem -in boot.json -out other.sig",
    current,
  );
  // Properly signed, by the right key, and still nothing that may be loaded.
  const manifest = readFileSync(join(current, "boot.json"), "utf8");
  for (const [name, text] of Object.entries(signedNonsense(manifest))) {
    writeFileSync(join(current, `${name}.json`), text);
    operator.run(
      `openssl pkeyutl -sign -rawin -inkey ../org.pem -in ${name}.json -out ${name}.json.sig`,
      current,
    );
  }
  const older = operator.sign("41", 41, "older", `${consoleWords} older`);
  const entries = [
    ...filesOf(current, "/mnt/42"),
    ...filesOf(older, "/mnt/41"),
    ...filesOf(join(operator.folder, "mini"), "/mnt/mini"),
    ...["org.pub", "other.pub", "mini.pub"].map(
      (name): GuestEntry => ({
        type: "host-file",
        path: `/etc/aegis-kexec/${name}`,
        source: join(operator.folder, name),
      }),
    ),
  ];
  const initramfs = guestInitramfs({ arch: "x86_64", programs: [program], entries });
  return {
    guest: await startGuest({ kernel: kernel("shared-x86_64"), initramfs, memory: 1024 }),
    token,
  };
}

const tamperProgram = async () => ({
  path: "/sbin/tamper",
  source: await buildTarget("linux-x64", {
    entry: join(import.meta.dir, "guest/tamper.ts"),
    outfile: temporaryPath("tamper"),
  }),
});

vmTest(
  "one flipped byte at any of 200 places of each file is refused",
  { needs, timeout: 400 },
  async () => {
    const { guest } = await startNode(await tamperProgram());
    const out = await guest.check(
      "tamper flips /mnt/42 /etc/aegis-kexec/org.pub 200 vmlinuz initrd.img boot.json boot.json.sig",
      { timeout: 350 },
    );
    const minisign = await guest.check(
      "ln /mnt/42/vmlinuz /mnt/42/initrd.img /mnt/mini/; tamper flips /mnt/mini /etc/aegis-kexec/mini.pub 200 boot.json.minisig",
      { timeout: 350 },
    );
    const counts: Record<string, Record<string, number>> = {
      ...JSON.parse(out),
      ...JSON.parse(minisign),
    };
    expect(Object.keys(counts)).toEqual([
      "vmlinuz",
      "initrd.img",
      "boot.json",
      "boot.json.sig",
      "boot.json.minisig",
    ]);
    for (const [name, seen] of Object.entries(counts)) {
      const wrong = Object.keys(seen).filter((outcome) => !outcome.startsWith("5 "));
      expect(`${name}: ${wrong.join(", ")}`).toBe(`${name}: `);
      expect(Object.values(seen).reduce((sum, some) => sum + some, 0)).toBe(200);
    }
    expect(counts["vmlinuz"]).toEqual({ "5 digest-mismatch": 200 });
    expect(counts["initrd.img"]).toEqual({ "5 digest-mismatch": 200 });
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
    // And as it was signed it loads.
    for (const [set, key] of [
      ["42", "org"],
      ["mini", "mini"],
    ]) {
      expect(await guest.check(`tamper race /mnt/${set} /etc/aegis-kexec/${key}.pub 1`)).toBe(
        '{"loaded":1}\n',
      );
    }
  },
);

vmTest(
  "200 loads while the files are rewritten load the signed bytes or refuse",
  { needs, timeout: 400 },
  async () => {
    const { guest, token } = await startNode(await tamperProgram());
    // In place, by rename, and cut short: whatever a writer can do between any two reads. The pause is
    // for a load on a slow host to fit in: unlike the writing, it does not grow with that.
    await guest.check(
      "cp -r /mnt/42 /good; cat >/rewrite <<'end'\n" +
        "while [ ! -e /stop ]; do\n" +
        "  dd if=/mnt/41/initrd.img of=/mnt/42/initrd.img conv=notrunc bs=64k 2>/dev/null\n" +
        "  dd if=/good/initrd.img of=/mnt/42/initrd.img conv=notrunc bs=64k 2>/dev/null\n" +
        "  cp /good/vmlinuz /mnt/42/v; printf x | dd of=/mnt/42/v bs=1 seek=100000 conv=notrunc 2>/dev/null; mv /mnt/42/v /mnt/42/vmlinuz\n" +
        "  head -c 1000000 /good/initrd.img >/mnt/42/initrd.img; cp /good/initrd.img /mnt/42/initrd.img\n" +
        "  cp /good/vmlinuz /mnt/42/v; mv /mnt/42/v /mnt/42/vmlinuz\n" +
        "  usleep 600000\n" +
        "done\nend",
    );
    const out = await guest.check(
      "sh /rewrite & tamper race /mnt/42 /etc/aegis-kexec/org.pub 200; touch /stop; wait",
      { timeout: 350 },
    );
    const counts: Record<string, number> = JSON.parse(out);
    console.log(`race: ${out.trim()}`);
    expect(Object.values(counts).reduce((sum, some) => sum + some, 0)).toBe(200);
    for (const outcome of Object.keys(counts)) {
      expect(outcome).toMatch(/^loaded$|^5 digest-mismatch$|^4 (file-changed|file-empty)$/);
    }
    // Both sides of the race were seen, or it was none.
    expect(counts["loaded"]).toBeGreaterThan(0);
    expect(counts["5 digest-mismatch"]).toBeGreaterThan(0);
    // What the last good load left is the signed set, whatever the files are now.
    await guest.check("echo garbage >/mnt/42/initrd.img; echo garbage >/mnt/42/vmlinuz");
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
    const up = await guest.handoff("tamper exec");
    expect(up.token).toBe(token);
  },
);

{
  let node: Node | undefined;
  const start = async () => {
    node = await startNode({ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") });
    await node.guest.check(
      'cd /etc/aegis-kexec; echo \'{ "trust": ["/etc/aegis-kexec/org.pub"], "minGeneration": 42 }\' >policy.json',
    );
    return node.guest;
  };

  vmSuite("a node with a policy", { needs, start }, (test) => {
    /** Each refused with exit 5, by this code, and nothing loaded. */
    const refusals: readonly (readonly [
      what: string,
      prepare: string,
      options: string,
      code: string,
    ])[] = [
      ["a wrong key", "", "/mnt/42/boot.json --trust /etc/aegis-kexec/other.pub", "policy-refused"],
      ["a bare kernel", "", "/mnt/42/vmlinuz", "untrusted"],
      ["another command line", "", "/mnt/42/boot.json --cmdline x", "policy-refused"],
      ["another initramfs", "", "/mnt/42/boot.json --initrd /mnt/42/initrd.img", "policy-refused"],
      [
        "a word that nobody let through",
        "",
        "/mnt/42/boot.json --append init=/bin/sh",
        "policy-refused",
      ],
      [
        "what another key signed",
        "",
        "/mnt/42/boot.json --signature /mnt/42/other.sig",
        "bad-signature",
      ],
      [
        "the signature of another manifest",
        "",
        "/mnt/42/boot.json --signature /mnt/41/boot.json.sig",
        "bad-signature",
      ],
      ["a generation below the floor", "", "/mnt/41/boot.json", "generation-too-low"],
      [
        "a floor from the command line",
        "",
        "/mnt/42/boot.json --min-generation 43",
        "generation-too-low",
      ],
      ["no signature", "cp -r /mnt/42 /x; rm /x/boot.json.sig", "/x/boot.json", "no-signature"],
      [
        "a signature that a full disk cut to nothing",
        "cp -r /mnt/42 /x; : >/x/boot.json.sig",
        "/x/boot.json",
        "no-signature",
      ],
      [
        "a file that a full disk cut short",
        `mkdir -p /full; mount -t tmpfs -o size=$(($(stat -c %s /mnt/42/vmlinuz) / 1024 + 300))k full /full; ` +
          "cp /mnt/42/boot.json* /mnt/42/vmlinuz /full; cp /mnt/42/initrd.img /full && exit 1; [ -s /full/initrd.img ]",
        "/full/boot.json",
        "digest-mismatch",
      ],
      [
        "the kernel of 41 with the initrd of 42",
        "cp -r /mnt/42 /x; cp /mnt/41/vmlinuz /x",
        "/x/boot.json",
        "digest-mismatch",
      ],
      [
        "the kernel of 42 with the initrd of 41",
        "cp -r /mnt/42 /x; cp /mnt/41/initrd.img /x",
        "/x/boot.json",
        "digest-mismatch",
      ],
      [
        "a manifest of 10 MB",
        "cp -r /mnt/42 /x; head -c 10000000 /dev/zero | tr '\\0' ' ' >>/x/boot.json",
        "/x/boot.json",
        "bad-manifest",
      ],
      [
        "a link out of the folder",
        "cp -r /mnt/42 /x; mv /x/initrd.img /out.img; ln -s ../out.img /x/initrd.img",
        "/x/boot.json",
        "outside-folder",
      ],
      [
        "an absolute link",
        "cp -r /mnt/42 /x; mv /x/initrd.img /x/other; ln -s /x/other /x/initrd.img",
        "/x/boot.json",
        "outside-folder",
      ],
      ["an extra key", "", "/mnt/42/extra-key.json", "bad-manifest"],
      ["a duplicate key", "", "/mnt/42/duplicate-key.json", "bad-manifest"],
      ["a path with ..", "", "/mnt/42/dot-dot.json", "bad-manifest"],
      ["an absolute path", "", "/mnt/42/absolute.json", "bad-manifest"],
      ["a wrong size", "", "/mnt/42/size.json", "digest-mismatch"],
      [
        "a policy with a syntax error",
        "echo '{' >/x",
        "/mnt/42/boot.json --policy /x",
        "policy-broken",
      ],
      [
        "a second policy with another key",
        'echo \'{ "trust": ["/etc/aegis-kexec/other.pub"] }\' >/x',
        "/mnt/42/boot.json --policy /x",
        "policy-refused",
      ],
      [
        "a second policy with a higher floor",
        'echo \'{ "trust": ["/etc/aegis-kexec/org.pub"], "minGeneration": 43 }\' >/x',
        "/mnt/42/boot.json --policy /x",
        "generation-too-low",
      ],
      [
        "a second policy that demands nothing",
        "echo '{ \"minGeneration\": 0 }' >/x",
        "/mnt/42/boot.json --policy /x",
        "policy-broken",
      ],
      [
        "a second policy that wants two keys",
        'echo \'{ "trust": ["/etc/aegis-kexec/org.pub", "/etc/aegis-kexec/other.pub"], "threshold": 2 }\' >/x',
        "/mnt/42/boot.json --policy /x",
        "untrusted",
      ],
      [
        "a secret in place of the first process",
        "echo '#!/bin/sh' >/x",
        "/mnt/42/boot.json --secret /x:/init:0755",
        "policy-refused",
      ],
      [
        "a secret that is executable",
        "echo '#!/bin/sh' >/x",
        "/mnt/42/boot.json --secret /x:/etc/cryptsetup-keys.d/x:0500",
        "policy-refused",
      ],
      [
        "a secret where systemd takes units from",
        "echo x >/x",
        "/mnt/42/boot.json --secret /x:/.extra/credentials/x.cred",
        "policy-refused",
      ],
    ];
    for (const [what, prepare, options, code] of refusals) {
      test(`refuses ${what}`, async (guest) => {
        await guest.check(`rm -rf /x /out.img; ${prepare || ":"}`);
        const { exit, stderr, code: given } = await loadAsPredicted(guest, options);
        expect(`${exit} ${given} ${stderr}`).toStartWith(`5 ${code} aegis-kexec: `);
        expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
      });
    }

    test("names a policy that it may not read", async (guest) => {
      const { exit, stderr } = await guest.run(
        "echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd; chmod 600 /etc/aegis-kexec/policy.json; " +
          "su nobody -s /bin/sh -c 'aegis-kexec load /mnt/42/boot.json --dry-run'",
      );
      expect(exit).toBe(5);
      expect(stderr).toContain("policy /etc/aegis-kexec/policy.json: no permission to read it");
    });

    test("a policy that is a link to nothing is a broken one, not none", async (guest) => {
      const load = "aegis-kexec load /mnt/42/vmlinuz --cmdline x";
      for (const name of ["/etc/aegis-kexec/policy.json", "/etc/aegis-kexec", "/etc"]) {
        const { exit, stderr } = await guest.run(
          `mv ${name} /away; ln -s /nowhere ${name}; ${load}; code=$?; aegis-kexec status >&2; rm ${name}; mv /away ${name}; exit $code`,
        );
        expect(exit).toBe(5);
        expect(stderr).toContain(
          "cannot open the policy /etc/aegis-kexec/policy.json: no such file",
        );
        expect(stderr).toMatch(/broken/);
      }
      // Where there is none at all, nothing has to be signed.
      await guest.check(
        `mv /etc/aegis-kexec/policy.json /away; ${load}; aegis-kexec unload; mv /away /etc/aegis-kexec/policy.json`,
      );
    });

    test("a manifest that does not fit on a disk is an error, not half of one", async (guest) => {
      const { exit } = await guest.run(
        "umount /full; mkdir -p /full; mount -t tmpfs -o size=100k full /full; aegis-kexec manifest /mnt/42/vmlinuz --generation 1 >/full/a; " +
          "head -c 200000 /dev/zero >/full/fill; aegis-kexec manifest /mnt/42/vmlinuz --generation 1 >/full/b",
      );
      expect(exit).toBe(12);
      expect(await guest.check("umount /full; cat /sys/kernel/kexec_loaded")).toBe("0\n");
    });

    test("boots the signed generation, with a secret behind it", async (guest) => {
      await guest.check("printf key >/tmp/key");
      const up = await bootAsPredicted(
        guest,
        "/mnt/42/boot.json --secret /tmp/key:/etc/cryptsetup-keys.d/root.key",
      );
      expect(up).toMatchObject({ token: node?.token, cmdline: consoleWords });
      expect(
        await guest.check(
          "cat /etc/cryptsetup-keys.d/root.key; stat -c %a /etc/cryptsetup-keys.d/root.key",
        ),
      ).toBe("key400\n");
      await guest.stop();
    });
  });
}
