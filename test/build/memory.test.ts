/** The memory that the binary takes, all of it: the runtime's own too. */
import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { truncateSync } from "node:fs";
import { ensureBuilt } from "../../build/reuse.ts";
import { archiveChunks } from "../../src/initramfs/cpio.ts";
import { needing } from "../needs.ts";
import { makeBzImage } from "../unit/image/build.ts";
import { pack, plant } from "../unit/image/iso-build.ts";
import { temporaryFolder, temporaryPath } from "../vm/lib/host.ts";
import { onItsFileSystem } from "../where.ts";

/**
 * Runs a command as the child of a small process, whose own memory does not count as the command's;
 * its last line on standard error is the most that was resident, in KiB.
 */
const measure =
  "import os, sys; pid = os.fork() or os.execv(sys.argv[1], sys.argv[1:]); print(os.wait4(pid, 0)[2].ru_maxrss, file=sys.stderr)";

needing("python3", "xorriso").test(
  "an ISO image of 8 GiB is inspected within 64 MiB",
  async () => {
    const folder = temporaryFolder("large");
    plant(folder, {
      "boot/grub/grub.cfg":
        "menuentry a {\n linux /live/vmlinuz boot=live\n initrd /live/initrd\n}\n",
      "live/vmlinuz": makeBzImage(),
      // Nothing of it is unpacked.
      "live/initrd": Bun.gzipSync(
        Buffer.concat([
          ...archiveChunks([{ type: "file", path: "x", data: randomBytes(30 << 20) }]),
        ]),
        { level: 1 },
      ),
      ...Object.fromEntries(
        Array.from({ length: 2000 }, (_, number) => [`pool/package-${number}.deb`, "x"] as const),
      ),
    });
    const image = pack(folder, temporaryPath("large.iso"));
    truncateSync(image, 8 * 2 ** 30);
    const command = [await ensureBuilt("linux-x64"), "inspect", image, "--json"];
    const child = Bun.spawn(["python3", "-c", measure, ...command], { stderr: "pipe" });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect(JSON.parse(out).entries[0].cmdline).toBe(`boot=live findiso=${onItsFileSystem(image)}`);
    const kilobytes = Number(err.trim().split("\n").at(-1));
    expect(kilobytes).toBeGreaterThan(1024);
    expect(kilobytes).toBeLessThan(64 << 10);
  },
  120_000,
);
