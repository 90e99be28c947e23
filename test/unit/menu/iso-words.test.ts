/** By which words a live system finds its image, and how the system is told. */
import { expect, test } from "bun:test";
import {
  findingCmdline,
  type IsoPlace,
  isoVariables,
  tellByArchive,
  tellSystem,
} from "../../../src/menu/iso-words.ts";
import { liveSystems } from "../../../src/menu/live-systems.ts";
import { processorTime } from "../fuzz.ts";

const place: IsoPlace = { path: "/isos/x.iso", uuid: "1234-ABCD" };

function way(cmdline: string, kernel = "/boot/vmlinuz", files: readonly string[] = [], at = place) {
  const told = tellSystem({ cmdline, kernel, has: (path) => files.includes(path) });
  return findingCmdline(cmdline, told, at);
}

function added(cmdline: string, kernel?: string, files?: readonly string[]) {
  const found = way(cmdline, kernel, files);
  return found.kind === "known" ? [found.system.name, found.cmdline] : found.why;
}

test("each system gets its own words", () => {
  expect(added("boot=live components quiet")).toEqual([
    "live-boot",
    "boot=live components quiet findiso=/isos/x.iso",
  ]);
  expect(added("quiet splash", "/casper/vmlinuz")).toEqual([
    "casper",
    "quiet splash iso-scan/filename=/isos/x.iso",
  ]);
  expect(added("--- quiet splash", "/casper_pop-os_24.04/vmlinuz.efi")).toEqual([
    "casper",
    "iso-scan/filename=/isos/x.iso --- quiet splash",
  ]);
  expect(added("quiet root=live:CDLABEL=Fedora rd.live.image")).toEqual([
    "dracut's dmsquash-live",
    "quiet root=live:CDLABEL=Fedora rd.live.image iso-scan/filename=/isos/x.iso",
  ]);
  expect(added("archisobasedir=arch archisosearchuuid=2026-01-01")).toEqual([
    "archiso",
    "archisobasedir=arch archisosearchuuid=2026-01-01 img_dev=UUID=1234-ABCD img_loop=/isos/x.iso",
  ]);
  expect(added("inst.stage2=hd:LABEL=CentOS quiet")).toEqual([
    "anaconda",
    "inst.stage2=hd:LABEL=CentOS quiet iso-scan/filename=/isos/x.iso",
  ]);
  expect(added("quiet", "/boot/vmlinuz64", ["/boot/corepure64.gz"])).toEqual([
    "Tiny Core",
    "quiet iso=UUID=1234-ABCD/isos/x.iso",
  ]);
  expect(added("init=/nix/store/a/init")).toEqual([
    "NixOS",
    "init=/nix/store/a/init findiso=/isos/x.iso",
  ]);
  expect(added("ramdisk_size=1 ramdisk_blocksize=4096")).toEqual([
    "kiwi before dracut",
    "ramdisk_size=1 ramdisk_blocksize=4096 isofrom_device=/dev/disk/by-uuid/1234-ABCD isofrom_system=/isos/x.iso",
  ]);
});

test("what needs nothing of its image gets no words, and what cannot do with a file says so", () => {
  expect(added("", "/boot/memtest86+/memtest")).toEqual(["a memory test", ""]);
  expect(added("", "/live/memtest.x64")).toEqual(["a memory test", ""]);
  expect(added("splash=silent", "/boot/x86_64/loader/linux", ["/boot/x86_64/root"])).toEqual([
    "openSUSE's installer",
    "splash=silent install=disk:/isos/x.iso",
  ]);
  expect(added("ro quiet", "/boot/linux26", ["/.pve-cd-id.txt"])).toContain("on a CD");
});

test("what the menu brings is left as it is", () => {
  const brought = "boot=live  findiso=/isos/x.iso quiet";
  expect(way(brought)).toMatchObject({ kind: "known", cmdline: brought, added: [], foreign: [] });
  expect(way("boot=live findiso=//isos/x.iso")).toMatchObject({ added: [], foreign: [] });
  expect(way("boot=live findiso=/other.iso")).toMatchObject({ foreign: ["findiso=/other.iso"] });
  // A variable of the menu that nobody set.
  expect(way("boot=live findiso= quiet")).toMatchObject({
    cmdline: "boot=live quiet findiso=/isos/x.iso",
    added: ["findiso=/isos/x.iso"],
  });
  expect(way("unheard=of findiso=/isos/x.iso")).toMatchObject({ kind: "known", added: [] });
});

test("the command line counts before the kernel's place, and that before what lies on the image", () => {
  const files = ["/live", "/casper", "/LiveOS"];
  expect(added("boot=live", "/casper/vmlinuz", files)).toContain("live-boot");
  expect(added("quiet", "/casper/vmlinuz", files)).toContain("casper");
  expect(added("quiet", "/boot/vmlinuz", ["/LiveOS"])).toContain("dracut's dmsquash-live");
  expect(added("quiet", "/install/vmlinuz", files)).toContain("looks for a CD");
});

test("without a way nothing is guessed", () => {
  expect(way("quiet")).toMatchObject({
    kind: "unknown",
    give: expect.stringContaining("--append"),
  });
  expect(way("quiet", "/boot/vmlinuz-lts")).toMatchObject({
    kind: "unknown",
    why: expect.stringContaining("Alpine"),
  });
  expect(way("archisobasedir=arch", "", [], { ...place, uuid: undefined })).toMatchObject({
    kind: "unknown",
    give: expect.stringContaining("img_dev=UUID=UUID img_loop=/isos/x.iso"),
  });
  for (const name of ["my image.iso", 'a"b.iso', "a$b.iso", "a[1].iso"]) {
    const other = { ...place, path: `/${name}` };
    expect(way("boot=live", "", [], other)).toMatchObject({ kind: "unknown" });
  }
});

test("an archive tells what nothing else does", () => {
  const names: Readonly<Record<string, string>> = {
    "scripts/casper": "casper",
    "usr/lib/live/boot/9990-main.sh": "live-boot",
    "usr/sbin/iso-scan": "dracut's dmsquash-live",
    "hooks/archiso_loop_mnt": "archiso",
    "usr/lib/debian-installer/retriever/net-retriever": "Debian's installer from a network",
    "usr/lib/debian-installer/retriever/cdrom-retriever": "Debian's installer from a CD",
  };
  for (const [name, system] of Object.entries(names)) {
    expect(tellByArchive(name)?.name).toBe(system);
  }
  expect(tellByArchive("usr/bin/casper-like")).toBeUndefined();
  const system = tellByArchive("usr/lib/debian-installer/retriever/net-retriever");
  if (system === undefined) throw new Error("not told");
  const found = findingCmdline("--- quiet", [system, "its archive"], place);
  expect(found).toMatchObject({ kind: "known", cmdline: "--- quiet", added: [] });
});

test("variables of menus for images in files", () => {
  expect(isoVariables(place)).toMatchObject({
    iso_path: "/isos/x.iso",
    isofile: "/isos/x.iso",
    rootuuid: "1234-ABCD",
    img_dev: "/dev/disk/by-uuid/1234-ABCD",
  });
  expect(isoVariables({ ...place, uuid: undefined })).not.toHaveProperty("rootuuid");
});

test("each row has a source, and a value for each word", () => {
  for (const { source, words, unable, cmdline, kernel, files, archive } of liveSystems) {
    expect(source).toMatch(/^[^:]+: \S/);
    for (const word of words) expect(word).toMatch(/^[a-z_/-]+=\S*\{(?:path|uuid)\}$/);
    expect(words.length > 0 && unable !== undefined).toBe(false);
    expect([cmdline, kernel, archive].some((told) => told !== undefined) || files.length > 0).toBe(
      true,
    );
  }
});

test("blanks in a line take no time, and U+00A0 is part of a word", () => {
  const before = processorTime();
  const blanks = " ".repeat(200_000);
  expect(added(`boot=live${blanks}x${blanks}`)).toEqual([
    "live-boot",
    `boot=live${blanks}x findiso=/isos/x.iso`,
  ]);
  expect(added("boot=live a\u00a0 \u00a0-- b")).toEqual([
    "live-boot",
    "boot=live a\u00a0 \u00a0-- b findiso=/isos/x.iso",
  ]);
  expect(processorTime() - before).toBeLessThan(2000);
});
