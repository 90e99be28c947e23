/** The modules of a kernel as an initramfs has them: in their folders, as they are packed, with what depmod writes. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { CpioEntry } from "../../../src/initramfs/cpio.ts";
import { moduleNeeds } from "./elf.ts";
import { temporaryFolder } from "./host.ts";
import type { Kernel } from "./kernels.ts";

/** What leads to the disks of a machine, and the file systems on them. */
export const diskModules = [
  // First, for who loads them in this order: what file systems call for by themselves.
  ...["crc32c_generic", "xxhash_generic", "blake2b_generic"],
  ...["virtio_pci", "virtio_blk", "nvme", "ahci", "sd_mod", "xhci_pci", "usb_storage", "uas"],
  ...["ext4", "xfs", "btrfs", "vfat", "exfat", "nls_cp437", "nls_ascii", "nls_iso8859-1"],
  "nls_utf8",
];

const name = (file: string) =>
  basename(file)
    .replace(/\.ko(\.xz|\.zst|\.gz)?$/, "")
    .replaceAll("-", "_");

/** Behind the signature: include/linux/module_signature.h. */
const signed = Buffer.from("~Module signature appended~\n");

/**
 * The modules of these names that the kernel has, and those that they need, at /lib/modules.
 * @param unsigned Names of those that lose their signature.
 */
export function moduleTree(
  { modules, release }: Kernel,
  names: readonly string[],
  unsigned: readonly string[] = [],
): CpioEntry[] {
  if (modules === undefined || release === undefined) throw new Error("a kernel without modules");
  const files = readdirSync(join(modules, "kernel"), { recursive: true, encoding: "utf8" });
  const sources = new Map(
    files.filter((file) => /\.ko(\.xz)?$/.test(file)).map((file) => [name(file), file] as const),
  );
  const wanted = new Set<string>();
  const add = (one: string) => {
    const file = sources.get(name(one));
    if (file === undefined || wanted.has(file)) return;
    wanted.add(file);
    for (const needed of moduleNeeds(unpacked(join(modules, "kernel", file)))) add(needed);
  };
  for (const one of names) add(one);
  const root = temporaryFolder("modules");
  const folder = join(root, "lib/modules", release);
  for (const file of wanted) {
    const place = join(folder, "kernel", file);
    mkdirSync(dirname(place), { recursive: true });
    if (unsigned.includes(name(file))) {
      writeFileSync(place.replace(/\.xz$/, ""), withoutSignature(join(modules, "kernel", file)));
    } else {
      copyFileSync(join(modules, "kernel", file), place);
    }
  }
  for (const one of ["modules.builtin", "modules.order"]) {
    if (existsSync(join(modules, one))) copyFileSync(join(modules, one), join(folder, one));
  }
  const done = Bun.spawnSync(["depmod", "-b", root, release]);
  if (!done.success) throw new Error(`depmod: ${done.stderr.toString()}`);
  return readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ type: "file", path: path.slice(root.length), data: readFileSync(path) }));
}

function withoutSignature(path: string): Uint8Array {
  const bytes = Buffer.from(unpacked(path));
  if (!bytes.subarray(-signed.length).equals(signed)) throw new Error(`${path} is not signed`);
  // struct module_signature, 12 bytes, ends in the length of the signature in front of it.
  const length = bytes.readUInt32BE(bytes.length - signed.length - 4);
  return bytes.subarray(0, bytes.length - signed.length - 12 - length);
}

function unpacked(path: string): Uint8Array {
  if (!path.endsWith(".xz")) return readFileSync(path);
  const { stdout, exitCode } = Bun.spawnSync(["xz", "--decompress", "--stdout", path]);
  if (exitCode !== 0) throw new Error(`xz could not unpack ${path}`);
  return stdout;
}
