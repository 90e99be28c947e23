/**
 * Menus of real systems, each with what u-root finds in it. Where the two differ the boot loader's own
 * documentation, or its source where that is silent, is followed; `differences` says why.
 */
import { describe, expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readGrubMenu } from "../../../src/menu/grub/menu.ts";
import type { ReadEntry } from "../../../src/menu/host.ts";
import { readSyslinuxMenu } from "../../../src/menu/syslinux/menu.ts";
import { needing } from "../../needs.ts";
import { folderHost } from "./hosts.ts";

const menus = join(import.meta.dir, "..", "..", "..", "..", "shared", "menus");
const real = needing(menus).test;

interface Known {
  readonly name: string;
  readonly cmdline?: string;
  readonly image_type: string;
  readonly kernel: { readonly url?: string; readonly name?: string };
  readonly initrd?: { readonly url?: string; readonly name?: string };
}

/**
 * One more way in which ours is not GRUB's: in a submenu GRUB has only variables that were exported.
 * Fedora's live image has its basic graphics there, by a variable that is not: GRUB drops nomodeset, we
 * give what its author wrote and what u-root finds.
 */
interface Case {
  readonly folder: string;
  readonly config: string;
  readonly platform?: "efi" | "pc";
  readonly variables?: Record<string, string>;
  /** Words that u-root adds of its own. */
  readonly added?: string;
  /** By the name that u-root gives: what is ours, and why. */
  readonly differences?: Readonly<
    Record<string, { readonly cmdline: string; readonly why: string }>
  >;
}

const handoff = "root=/dev/mapper/ubuntu--vg-root ro quiet splash vt.handoff=7";
const handoffWhy =
  "the entry calls the menu's function gfxmode with keep, and that sets vt_handoff; u-root runs no functions";

const cases: readonly Case[] = [
  { folder: "grub/debian_10_4_installed", config: "/boot/grub/grub.cfg" },
  {
    folder: "grub/ubuntu_16_04_boot",
    config: "/grub/grub.cfg",
    differences: {
      Ubuntu: { cmdline: handoff, why: handoffWhy },
      "Ubuntu, with Linux 4.10.0-42-generic": { cmdline: handoff, why: handoffWhy },
      "Ubuntu, with Linux 4.10.0-40-generic": { cmdline: handoff, why: handoffWhy },
      "Ubuntu, with Linux 4.10.0-42-generic (upstart)": {
        cmdline: `${handoff} init=/sbin/upstart`,
        why: handoffWhy,
      },
      "Ubuntu, with Linux 4.10.0-40-generic (upstart)": {
        cmdline: `${handoff} init=/sbin/upstart`,
        why: handoffWhy,
      },
    },
  },
  {
    folder: "grub/CentOS_8_Stream_x86_64_blscfg_sda1",
    config: "/EFI/centos/grub.cfg",
    platform: "efi",
  },
  {
    folder: "iso/Fedora-Workstation-Live-43-1.6.x86_64",
    config: "/boot/grub2/loopback.cfg",
    added: "iso-scan/filename=/Fedora-Workstation-Live-43-1.6.x86_64.iso",
  },
  {
    folder: "iso/Fedora-Workstation-Live-43-1.6.x86_64",
    config: "/EFI/BOOT/grub.cfg",
    added: "iso-scan/filename=/Fedora-Workstation-Live-43-1.6.x86_64.iso",
  },
  { folder: "iso/archlinux-2026.03.01-x86_64", config: "/boot/grub/loopback.cfg" },
  { folder: "iso/debian-live-13.4.0-amd64-gnome", config: "/boot/grub/loopback.cfg" },
  { folder: "iso/ubuntu-25.10-desktop-amd64", config: "/boot/grub/loopback.cfg" },
];

/** A menu of the folder; of an ISO image, on a disk with the UUID that u-root is given. */
function entriesOf({
  folder,
  config,
  platform = "pc",
  variables = {},
}: Case): readonly ReadEntry[] {
  const root = join(menus, folder);
  const uuidFile = join(root, "UUID");
  const uuid = existsSync(uuidFile) ? readFileSync(uuidFile, "utf8").trim() : undefined;
  const host = folderHost(root, { uuid });
  const name = `/${folder.slice(folder.indexOf("/") + 1)}.iso`;
  const menu = readGrubMenu(
    {
      ...host,
      devices: ["disk", "outer"],
      status: (place) =>
        place.device === "outer" && place.path === name
          ? { kind: "file", size: 1 }
          : host.status(place),
      facts: (device) => (device === "outer" ? { uuid: "1234-abcd" } : host.facts(device)),
    },
    {
      config: { device: "disk", path: config },
      platform,
      cpu: platform === "efi" ? "x86_64" : "i386",
      variables: folder.startsWith("iso/") ? { iso_path: name, ...variables } : variables,
    },
  );
  return menu?.entries ?? [];
}

describe("GRUB", () => {
  for (const one of cases) {
    real(`${one.folder}, ${one.config}`, () => {
      const entries = entriesOf(one);
      const known = JSON.parse(readFileSync(join(menus, `${one.folder}.json`), "utf8")) as Known[];
      expect(known.length).toBeGreaterThan(0);
      const inFolder = ({ url, name }: { url?: string; name?: string } = {}) => {
        const whole = url ?? name;
        const folder = one.folder.slice(one.folder.indexOf("/"));
        return whole?.slice(whole.indexOf(`${folder}/`) + folder.length);
      };
      for (const theirs of known) {
        const name = theirs.name.replace(/^\[[^\]]*\] /, "");
        // Of boot entries, u-root's names have the version behind the title.
        const mine =
          entries.find(({ title }) => name === title) ??
          entries.find(({ title }) => name.startsWith(`${title} `));
        const words = (theirs.cmdline ?? "").split(/\s+/).filter((word) => word !== "");
        expect({
          name,
          kernel: mine?.kernel?.path,
          initrd: mine?.initrds[0]?.path,
          cmdline: mine?.cmdline,
        }).toEqual({
          name,
          kernel: inFolder(theirs.kernel),
          initrd: inFolder(theirs.initrd),
          cmdline:
            one.differences?.[name]?.cmdline ??
            words.filter((word) => word !== one.added).join(" "),
        });
        if (theirs.image_type === "multiboot") expect(mine?.problem).toContain("Multiboot");
      }
    });
  }
});

real("isolinux: syslinux/debian_10_install", () => {
  const folder = "syslinux/debian_10_install";
  const known = JSON.parse(readFileSync(join(menus, `${folder}.json`), "utf8")) as Known[];
  const menu = readSyslinuxMenu(folderHost(join(menus, folder)), {
    config: { device: "disk", path: "/isolinux/isolinux.cfg" },
    cpu: "x86_64",
  });
  const entries = (menu?.entries ?? []).filter(({ kernel }) => kernel !== undefined);
  const told = (kernel?: string, initrd?: string, cmdline = "") =>
    [kernel, initrd, ...cmdline.split(/\s+/).filter((word) => word !== "")].join(" ");
  const mine = entries.map(({ kernel, initrds, cmdline }) =>
    told(kernel?.path, initrds[0]?.path, cmdline),
  );
  const below = (url = "") => url.slice(url.indexOf("/install.amd"));
  // u-root's names are those of other entries, as it gives a label the MENU LABEL that it saw last; and
  // of labels with one name (mainmenu, help) it keeps one. Kernels, archives and words are the same.
  for (const theirs of known) {
    expect(mine).toContain(
      told(below(theirs.kernel.url), below(theirs.initrd?.url), theirs.cmdline),
    );
  }
  expect(entries.map(({ title }) => title).slice(0, 3)).toEqual([
    "Graphical install",
    "Install",
    "Graphical expert install",
  ]);
  expect(menu?.entries[menu.default ?? -1]?.id).toBe("installgui");
});
