/**
 * Why the same load costs the kernel more at one time than at another.
 *
 * Each page of an image is copied to whatever page the allocator hands out. A page that lies where
 * the image itself must go at the jump is put aside, and for each of those the kernel walks the
 * whole list of pages so far (kernel/kexec_core.c, kimage_alloc_page, kimage_dst_used): the cost
 * grows with the square of the image. On x86 the image goes to the top of memory
 * (arch/x86/kernel/kexec-bzimage64.c: kexec_buf.top_down), which is where the boot loader had put
 * the first initramfs, whose pages are free by then and the first to be handed out.
 */
import { startGuest } from "../vm/lib/guest.ts";
import { guestInitramfs, text } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { guestScript, measureCommand } from "./measure.ts";
import type { Scene } from "./scene.ts";

/** One load after something that a caller could do before it. */
export interface LayoutCost {
  readonly before: string;
  /** Guest instructions inside the system call. */
  readonly call: number;
}

const load = '/bench/floor /boot/vmlinuz "$cmdline" /boot/initrd.img';
const unload = "/bench/floor";

/** Each list is a guest of its own; they all boot alike, and begin with a load. */
const sequences: readonly (readonly { readonly before: string; readonly script: string }[])[] = [
  [
    { before: "the kernel is left loaded, and replaced", script: "true" },
    { before: "and once more", script: "true" },
  ],
  [{ before: "the kernel is unloaded", script: unload }],
  [
    {
      before: "it is unloaded, and caches are dropped",
      script: `${unload}; echo 3 >/proc/sys/vm/drop_caches`,
    },
  ],
  [
    {
      before: "it is unloaded, and memory is compacted",
      script: `${unload}; echo 1 >/proc/sys/vm/compact_memory`,
    },
  ],
  [
    {
      before: "it is unloaded, and a tmpfs takes as much memory as the archive",
      script: `${unload}; cat /boot/initrd.img >/run/copy`,
    },
  ],
];

/** @returns undefined where the C program that makes the calls cannot be built */
export async function measureLayout(
  scene: Scene,
  report: (line: string) => void,
): Promise<LayoutCost[] | undefined> {
  const { floor } = scene;
  if (floor === undefined) return undefined;
  const debian = kernel("debian-6.12");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    token: "layout",
    entries: [
      guestScript("measure.sh"),
      guestScript("today.sh"),
      text("/bench/cmdline", "x\n"),
      { type: "host-file", path: "/bench/floor", source: floor, mode: 0o755 },
      { type: "host-file", path: "/boot/vmlinuz", source: debian.path },
      { type: "host-file", path: "/boot/initrd.img", source: scene.files.initrd },
    ],
  });
  const costs: LayoutCost[] = [];
  for (const [index, sequence] of sequences.entries()) {
    report(`layout: guest ${index + 1} of ${sequences.length}`);
    await using guest = await startGuest({
      kernel: debian,
      initramfs,
      memory: 2048,
      icount: "shift=0,sleep=off",
      // A kernel at the same place in each: otherwise chance has a part in what is free
      cmdline: "quiet rootfstype=ramfs nokaslr",
      bootTimeout: 300,
    });
    await guest.check(". /bench/measure.sh; prepare; mount -t tmpfs run /run; sleep 20");
    const first = await measureCommand(guest, load);
    if (index === 0) costs.push({ before: "nothing: the first load after boot", call: first.call });
    for (const { before, script } of sequence) {
      await guest.check(script, { timeout: 300 });
      const { call } = await measureCommand(guest, load);
      costs.push({ before, call });
    }
  }
  return costs;
}
