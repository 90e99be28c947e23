/** Handovers from each kernel to another, in 448 MB to 8 GB, by the builds for glibc and for musl. */
import { expect } from "bun:test";
import { initrd, scene, unique, vmlinuz } from "../lib/aegis.ts";
import { type KernelName, kernel } from "../lib/kernels.ts";
import { muslPackages } from "../lib/packages.ts";
import { withMusl } from "../lib/preboot.ts";
import { bootAsPredicted } from "../lib/prediction.ts";
import { vmTest } from "../lib/suite.ts";

interface Row {
  readonly first: KernelName;
  readonly next: KernelName;
  /** MiB. */
  readonly memory: number;
  readonly musl?: "x86_64" | "aarch64";
}

const rows: readonly Row[] = [
  { first: "debian-6.1", next: "debian-6.12", memory: 512 },
  { first: "debian-6.12", next: "x86_64-full", memory: 1024 },
  { first: "x86_64-full", next: "debian-6.1", memory: 8192 },
  { first: "shared-x86_64", next: "shared-x86_64", memory: 448 },
  { first: "debian-6.12", next: "debian-6.12", memory: 8192, musl: "x86_64" },
  { first: "x86_64-full", next: "shared-x86_64", memory: 1024, musl: "x86_64" },
  { first: "shared-aarch64", next: "aarch64-full", memory: 448 },
  { first: "aarch64-full", next: "shared-aarch64", memory: 8192 },
  { first: "shared-aarch64", next: "shared-aarch64", memory: 1024, musl: "aarch64" },
];

for (const { first, next, memory, musl } of rows) {
  const libraries = musl === undefined ? [] : muslPackages[musl];
  vmTest(
    `${first} hands over to ${next} in ${memory} MB${musl === undefined ? "" : ", by musl"}`,
    {
      needs: [first, next, ...libraries.map((one) => `package:${one}` as const)],
      timeout: 600,
    },
    async () => {
      const given = scene({
        first,
        next,
        guest: { memory },
        entries: musl === undefined ? [] : await withMusl(first),
      });
      await using guest = await given.start();
      const cmdline = `${given.console} ${unique()}`;
      const words = `${vmlinuz} --initrd ${initrd} --cmdline '${cmdline}'`;
      const up = await bootAsPredicted(guest, words);
      expect(up).toMatchObject({ token: given.token, cmdline });
      const { release } = kernel(next);
      if (release !== undefined) expect(up.release).toBe(release);
    },
  );
}
