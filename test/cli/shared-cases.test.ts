/**
 * Situations of people's disks that went wrong once, from a folder beside the project, where it is there;
 * each kind has tests of its own elsewhere. `inspect` and `load` must agree on each, and whatever is left
 * out must be named by a line.
 */
import { describe, expect, test as plainTest } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeArchive } from "../../src/initramfs/cpio.ts";
import { describePrograms, type ProgramTest, programs, type Workshop } from "./program.ts";

const cases = join(import.meta.dir, "..", "..", "..", "shared", "cases");

interface Seen {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

if (!existsSync(join(cases, "entries"))) {
  describe("the cases", () => {
    plainTest.skip(`are judged alike by load and inspect (needs ${cases})`, () => {});
  });
} else describePrograms(tryCases, programs().slice(0, 1));

function tryCases(workshop: Workshop, test: ProgramTest): void {
  const folder = workshop.directory();
  const archive = Bun.gzipSync(
    Uint8Array.from(encodeArchive([{ type: "directory", path: "new" }])),
  );
  writeFileSync(join(folder, "i.gz"), archive);

  const run = (...words: string[]): Seen => {
    const { exitCode, stdout, stderr } = Bun.spawnSync(["aegis-kexec", ...words], {
      cwd: folder,
      env: workshop.environment,
    });
    return { exit: exitCode, out: stdout.toString(), err: stderr.toString() };
  };
  /** A dry run, and that `inspect` comes to the same. */
  const loadAndInspect = (...words: string[]): Seen => {
    const loaded = run("load", "--dry-run", ...words);
    const { out } = run("inspect", ...words, "--json");
    const { verdict, cmdline, initrds } = JSON.parse(out);
    const reasons: readonly { readonly code: string }[] = verdict.reasons;
    // Whether this machine could load anything at all is not what the case is about.
    const own = reasons.filter(
      ({ code }) => !/^(no-|kexec-|lockdown|not-permitted|load-limit)/.test(code),
    );
    expect([words, own.length === 0]).toEqual([words, loaded.exit === 0]);
    if (loaded.exit === 0) {
      expect(loaded.out).toContain(`cmdline  ${cmdline.text}`);
      for (const { path } of initrds) expect(loaded.out).toContain(path);
    }
    return loaded;
  };

  const entries = join(folder, "entries");
  mkdirSync(entries);
  for (const name of readdirSync(join(cases, "entries"))) {
    cpSync(join(cases, "entries", name), join(entries, name));
  }
  for (const name of ["extlinux.conf", "grub.cfg"]) cpSync(join(cases, name), join(entries, name));
  for (const name of ["vmlinuz", "vmlinuz-1", "vmlinuz-2"]) {
    cpSync(join(folder, "kernel"), join(entries, name));
  }
  for (const name of ["initrd.img", "ucode.img", "initrd-1", "initrd-2"]) {
    writeFileSync(join(entries, name), archive);
  }

  const entriesSeen: readonly (readonly [string, string[], string, string[]])[] = [
    ["backslash-paths", ["/initrd.img"], "root=/dev/sda1", []],
    ["boot-prefix-mounted-elsewhere", ["/initrd.img"], "root=/dev/sda1", []],
    [
      "fedora-tuned",
      ["/initrd.img"],
      "root=UUID=1 ro quiet",
      ["no grubenv beside it", "$tuned_initrd"],
    ],
    ["initrd-in-options", ["/initrd.img"], "root=/dev/sda1 rw", []],
    ["latin1-title", ["/initrd.img"], "root=/dev/sda1", []],
    ["misspelt-keys", [], "quiet", ["line 3: initrds", "line 4: option "]],
    ["tab-in-options", ["/initrd.img"], "root=/dev/sda1 rw quiet", []],
    ["two-initrds-one-line", ["/ucode.img", "/initrd.img"], "root=/dev/sda1", []],
  ];
  for (const [name, initrds, cmdline, warnings] of entriesSeen) {
    test(`entries/${name}.conf`, () => {
      const { exit, out, err } = loadAndInspect(join(entries, `${name}.conf`));
      expect([exit, err]).toEqual([0, expect.any(String)]);
      expect(out).toEndWith(`cmdline  ${cmdline}\n`);
      const found = [...out.matchAll(/^ {2}initrd +(?:.*(\/[^/ ]+) \(|none)/gm)].flatMap(
        ([, one]) => one ?? [],
      );
      expect(found).toEqual(initrds);
      for (const warning of warnings) expect(err).toContain(warning);
    });
  }

  test("words are appended before --", () => {
    const { out } = loadAndInspect(join(entries, "dashes.conf"), "--append", "panic=7");
    expect(out).toEndWith("cmdline  root=/dev/sda1 panic=7 -- single\n");
  });

  for (const name of ["extlinux.conf", "grub.cfg"]) {
    test(`${name} is not booted as a boot entry`, () => {
      const { exit, out, err } = loadAndInspect(join(entries, name));
      const isMenu = exit === 0;
      // Where machines have device trees, an entry that wants another than the running one is refused
      const refusal =
        workshop.program.arch === "arm64"
          ? /wants a device tree/
          : /configuration of (syslinux|GRUB)/;
      expect(isMenu ? out : err).toMatch(isMenu ? /vmlinuz-[12]/ : refusal);
      if (isMenu) expect(out).toMatch(/cmdline {2}root=/);
    });
  }

  test("trees.sh", () => {
    const trees = join(folder, "trees");
    const made = Bun.spawnSync(
      ["sh", join(cases, "trees.sh"), trees, join(folder, "kernel"), join(folder, "i.gz")],
      { stderr: "inherit" },
    );
    expect(made.exitCode).toBe(0);
    const rows: readonly (readonly [string, string, number])[] = [
      ["fedora", "root=UUID=1 ro rhgb quiet", 1],
      ["two", "root=/dev/sda1", 2],
      ["tab", "root=/dev/sda1 rw quiet", 1],
      // By the specification's order the name counts, and "old" stands before "new kernel".
      ["blank", "root=/dev/old", 0],
      ["ostree", "root=UUID=1 ostree=/ostree/boot.1/fc/1/0", 1],
      ["prefix", "root=/dev/sda1", 1],
      ["efi", "root=/dev/sda1 rw", 1],
      ["rollback", "init=/nix/store/g41/init", 1],
    ];
    for (const [tree, cmdline, archives] of rows) {
      const { exit, out, err } = loadAndInspect(join(trees, tree));
      expect([tree, exit, err]).toEqual([tree, 0, expect.any(String)]);
      expect([tree, out]).toEqual([tree, expect.stringContaining(`cmdline  ${cmdline}\n`)]);
      expect([tree, out.match(/^ {2}initrd +\//gm)?.length ?? 0]).toEqual([tree, archives]);
    }
    const blank = join(trees, "blank");
    expect(run("inspect", blank).out).toContain("new kernel.conf (New 2)");
    expect(loadAndInspect(blank, "--entry", "new kernel").out).toContain("root=/dev/new");
    const entry = join(trees, "ostree", "loader", "entries", "ostree-1.conf");
    expect(loadAndInspect(entry).exit).toBe(0);
  }, 60_000);

  test("a UKI whose one section is long is read in linear time", () => {
    const { exit } = loadAndInspect(join(cases, "quad-profile-1.efi"));
    expect(exit).not.toBe(0);
  });
}
