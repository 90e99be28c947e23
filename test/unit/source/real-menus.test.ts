/** Folders of real systems as sources: entries of Fedora's, and the tree of Debian's installer. */
import { describe, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { FoundSource } from "../../../src/source/open.ts";
import { needing } from "../../needs.ts";
import { installerPackage, unpackedPackage } from "../../vm/lib/packages.ts";

async function listed(path: string) {
  using found = await FoundSource.find({ kernel: path });
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
