/** Folders of real systems as sources: entries of Fedora's, and the tree of Debian's installer. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FoundSource } from "../../../src/source/open.ts";
import { needing } from "../../needs.ts";
import { installerPackage, unpackedPackage } from "../../vm/lib/packages.ts";

async function listed(path: string) {
  using found = await FoundSource.find({ source: path });
  const listing = await (await found.menu())?.list();
  return { kind: found.kind, entries: [], ...listing };
}

interface Known {
  readonly name: string;
  readonly cmdline: string;
  readonly kernel: { readonly name: string };
  readonly initrd: { readonly name: string };
}

describe("boot entries of Fedora 32", () => {
  const folder = resolve(import.meta.dir, "../../../../shared/menus/bls/fedora_32");
  const { test } = needing(folder);

  test("are those that u-root finds, with its default", async () => {
    const { kind, entries, why } = await listed(folder);
    expect(kind).toBe("boot entries");
    const known = JSON.parse(readFileSync(`${folder}.json`, "utf8")) as Known[];
    const inFolder = (name: string) => name.replace("testdata/fedora_32", "");
    expect(entries.map(({ kernel, initrds, cmdline }) => ({ kernel, initrds, cmdline }))).toEqual(
      known.map(({ kernel, initrd, cmdline }) => ({
        kernel: inFolder(kernel.name),
        initrds: [inFolder(initrd.name)],
        cmdline,
      })),
    );
    // u-root puts the version behind the title, which UAPI.1 shows of entries with the same title.
    for (const [index, { name }] of known.entries()) {
      expect(name).toStartWith(`${entries[index]?.title} `);
    }
    expect(entries.map((entry) => entry.default)).toEqual([true, false]);
    expect(why).toBe("default in loader.conf");
  });
});

describe("menus of disks and of an installer, by their folders", () => {
  const menus = resolve(import.meta.dir, "../../../../shared/menus");
  const { test } = needing(menus);
  const cases = {
    "grub/debian_10_4_installed": ["boot menu", 3, "default=0"],
    // As GRUB: the script's functions and firmware are there, which u-root leaves out.
    "grub/ubuntu_16_04_boot": ["boot menu", 8, "default=0"],
    // Its menu shows these entries by blscfg, and tboot's, which is no Linux.
    "grub/CentOS_8_Stream_x86_64_blscfg_sda1": ["boot entries", 2, "saved_entry in grubenv"],
    "syslinux/debian_10_install": ["boot menu", 22, "MENU DEFAULT"],
  } as const;
  for (const [folder, [kind, count, why]] of Object.entries(cases)) {
    test(folder, async () => {
      const found = await listed(join(menus, folder));
      expect([found.kind, found.entries.length, found.why]).toEqual([kind, count, why]);
      expect(found.entries.filter((entry) => entry.default)).toHaveLength(1);
      const named = found.entries.filter(({ kernel }) => kernel !== undefined);
      for (const { kernel, initrds, cmdline } of named) {
        for (const path of [kernel, ...initrds]) expect(path).toMatch(/^\/[^$]+$/);
        expect(cmdline).not.toContain("$");
      }
    });
  }
});

describe("the netboot tree of Debian's installer", () => {
  const unpacked = unpackedPackage(installerPackage) ?? `/${installerPackage}`;
  const tree = join(unpacked, "usr/lib/debian-installer/images/12/amd64/text");
  const { test } = needing(tree);
  const kernel = "/debian-installer/amd64/linux";
  const initrd = "/debian-installer/amd64/initrd.gz";

  for (const [what, path] of [
    ["by the server's folder", tree],
    ["by pxelinux' configuration", join(tree, "pxelinux.cfg/default")],
  ] as const) {
    test(`${what}: pxelinux' menu`, async () => {
      const { entries } = await listed(path);
      const booting = entries.filter(({ problem }) => problem === undefined);
      expect(booting.map(({ id }) => id)).toEqual([
        ...["install", "expert", "rescue", "auto"],
        ...["installdark", "expertdark", "rescuedark", "autodark"],
      ]);
      for (const entry of booting) expect(entry).toMatchObject({ kernel, initrds: [initrd] });
      const named = "initrd=debian-installer/amd64/initrd.gz";
      expect(booting.map(({ cmdline }) => cmdline).slice(0, 4)).toEqual([
        `vga=788 ${named} --- quiet`,
        `priority=low vga=788 ${named} ---`,
        `vga=788 ${named} rescue/enable=true --- quiet`,
        `auto=true priority=critical vga=788 ${named} --- quiet`,
      ]);
      expect(entries.find((entry) => entry.default)?.id).toBe("install");
    });
  }

  test("by its folder: GRUB's menu, whose names count from the server's root", async () => {
    const { entries } = await listed(join(tree, "debian-installer/amd64"));
    expect(entries[0]).toMatchObject({
      id: "Install",
      kernel,
      initrds: [initrd],
      cmdline: "vga=788 --- quiet",
      default: true,
      problem: undefined,
    });
    expect(entries.length).toBeGreaterThan(20);
    for (const entry of entries) {
      expect(entry).toMatchObject({ kernel, initrds: [initrd], problem: undefined });
      expect(entry.cmdline).not.toContain("$");
    }
  });
});
