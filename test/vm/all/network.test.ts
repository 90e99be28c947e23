/** What comes before the call, over the network, on another architecture. */
import { expect } from "bun:test";
import { startGuest } from "../lib/guest.ts";
import { kernel } from "../lib/kernels.ts";
import {
  clientWords,
  hostAddress,
  networkArchive,
  networkCard,
  serveFolder,
  urlOf,
} from "../lib/network.ts";
import { consoleOfFailure, generation, generationFiles } from "../lib/stores.ts";
import { vmTest } from "../lib/suite.ts";

const tools = ["tool:depmod", "tool:mke2fs"] as const;

// Debian's kernel for arm64 has no kexec_file_load(2): what comes before the call is shown by it.
vmTest(
  "fetches and verifies over https as the first process of debian-arm64",
  { needs: ["debian-arm64", "package:busybox-static:arm64", ...tools], timeout: 600 },
  async () => {
    const folder = generation({ generation: 7, name: "debian-arm64", token: "none" });
    using server = serveFolder(folder);
    const initramfs = await networkArchive("debian-arm64");
    const said = await consoleOfFailure(
      startGuest({
        kernel: kernel("debian-arm64"),
        initramfs,
        cmdline: `rdinit=/sbin/aegis-kexec -- load ${urlOf(server, hostAddress)} ${clientWords} --dry-run`,
        memory: 1536,
        bootTimeout: 400,
        extraQemuArgs: networkCard,
      }),
    );
    expect(said).toContain("ended with exit code 0");
    expect(server.paths).toEqual(generationFiles.map((name) => `/node/${name}`));
    expect(server.log.every(({ certified }) => certified)).toBe(true);
  },
);
