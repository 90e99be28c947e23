/** Between kernels of arm64 whose pages have 4, 16 and 64 KiB: a handover with a secret, each way. */
import { expect } from "bun:test";
import { initrd, scene, unique, vmlinuz } from "../lib/aegis.ts";
import type { KernelName } from "../lib/kernels.ts";
import { bootAsPredicted, loadAsPredicted } from "../lib/prediction.ts";
import { vmTest } from "../lib/suite.ts";

const kernels = {
  4: "shared-aarch64",
  16: "aarch64-16k",
  64: "aarch64-64k",
} as const satisfies Record<number, KernelName>;

/** Longer than a page of 4 KiB, shorter than one of 16, and at no page's end. */
const secret = "s3cret".repeat(1500);

for (const [from, to] of [
  [4, 16],
  [16, 64],
  [64, 4],
  [64, 64],
] as const) {
  vmTest(
    `a kernel with pages of ${from} KiB hands over to one with ${to}, with a secret`,
    { needs: [kernels[from], kernels[to]], timeout: 600 },
    async () => {
      const given = scene({ first: kernels[from], next: kernels[to], guest: { memory: 1024 } });
      await using guest = await given.start();
      expect(await guest.check(`aegis-kexec inspect ${vmlinuz}`)).toMatch(
        new RegExp(`page size +${to * 1024}\\b`),
      );
      await guest.check(`printf ${secret} >/tmp/key`);
      const cmdline = `${given.console} ${unique()}`;
      const words = `${vmlinuz} --initrd ${initrd} --secret /tmp/key:/etc/key --cmdline '${cmdline}'`;
      expect(await loadAsPredicted(guest, words)).toMatchObject({ exit: 0 });
      expect(await bootAsPredicted(guest, words)).toMatchObject({ token: given.token, cmdline });
      expect(await guest.check("cat /etc/key")).toBe(secret);
    },
  );
}
