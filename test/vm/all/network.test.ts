/** Over the network: what comes before the call, on another architecture; what is never sent. */
import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { unique } from "../lib/aegis.ts";
import { startGuest } from "../lib/guest.ts";
import { temporaryPath } from "../lib/host.ts";
import { text } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import {
  clientWords,
  hostAddress,
  networkArchive,
  networkCard,
  serveFolder,
  tlsFiles,
  urlOf,
} from "../lib/network.ts";
import { accelerator } from "../lib/qemu.ts";
import { consoleOfFailure, generation, generationFiles, startPreboot } from "../lib/stores.ts";
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
    let shown = "";
    const said = await consoleOfFailure(
      startGuest({
        kernel: kernel("debian-arm64"),
        initramfs,
        cmdline: `rdinit=/sbin/aegis-kexec -- load ${urlOf(server, hostAddress)} ${clientWords} --dry-run`,
        memory: 1536,
        bootTimeout: 400,
        extraQemuArgs: networkCard,
        onConsole: (text) => {
          shown += text;
        },
      }),
    );
    // Emulated, it makes every third of these boots crash: qemu.ts, emulatedArm.
    expect(shown).toContain("CPU features: detected:");
    if (accelerator === "tcg") expect(shown).not.toContain("Scalable Vector Extension");
    expect(said).toContain("ended with exit code 0");
    expect(server.paths).toEqual(generationFiles.map((name) => `/node/${name}`));
    expect(server.log.every(({ certified }) => certified)).toBe(true);
  },
);

/** The ways in which bytes could be written down. */
const formsOf = (bytes: Uint8Array): readonly Buffer[] => [
  Buffer.from(bytes),
  ...(["hex", "base64"] as const).map((form) => Buffer.from(Buffer.from(bytes).toString(form))),
];

for (const scheme of ["https", "http"] as const) {
  vmTest(
    `no secret and no key is in what is sent by ${scheme}, in the server's log or on the console`,
    { needs: ["debian-6.12-full", "shared-x86_64", "package:busybox-static:amd64", ...tools] },
    async () => {
      const first = "debian-6.12-full";
      const [token, secret] = [unique(), randomBytes(32)];
      const folder = generation({ generation: 7, name: "shared-x86_64", token });
      using server = serveFolder(folder, { plain: scheme === "http" });
      const capture = temporaryPath("capture.pcap");
      const place = "/etc/cryptsetup-keys.d/root.key";
      await using guest = await startPreboot(first, {
        initramfs: await networkArchive(first, [text("/key", secret.toString("hex"))]),
        words: `--verbose ${urlOf(server, hostAddress, scheme)} ${clientWords} --secret /key:${place}`,
        disks: [...networkCard, "-object", `filter-dump,id=dump,netdev=net0,file=${capture}`],
        // Whoever wrote the command line would like to have them.
        cmdline: "SSLKEYLOGFILE=/dev/ttyS0 NODE_OPTIONS=--tls-keylog=/dev/ttyS0",
      });
      expect(guest.announcement).toMatchObject({ token });
      expect(await guest.check(`cat ${place}`)).toBe(secret.toString("hex"));

      const keys = server.keyLog.map((line) => line.split(" "));
      const [privateKey = ""] = /(?<=BEGIN PRIVATE KEY-----\n)[^-]+/.exec(tlsFiles.client) ?? [];
      const der = Buffer.from(privateKey, "base64");
      // RFC 5915 in RFC 5208: the number itself is the first string of 32 bytes.
      const scalar = der.subarray(der.indexOf(Buffer.of(0x04, 0x20)) + 2).subarray(0, 32);
      const hidden = [
        secret,
        der,
        scalar,
        ...keys.map(([, , key = ""]) => Buffer.from(key, "hex")),
      ].flatMap(formsOf);
      const seen = {
        capture: readFileSync(capture),
        received: Buffer.from(server.received),
        log: Buffer.from(JSON.stringify(server.log)),
        console: Buffer.from(guest.serialLog()),
      };
      for (const [where, bytes] of Object.entries(seen)) {
        for (const form of [...hidden, ...privateKey.trim().split("\n")]) {
          expect({ where, form, found: bytes.includes(form) }).toEqual({
            where,
            form,
            found: false,
          });
        }
      }
      // What was sent is in the capture: each connection's random number; in the clear, the file's name.
      const sent =
        scheme === "http"
          ? [Buffer.from("GET /node/vmlinuz HTTP/1.1\r\n")]
          : keys.map(([, random = ""]) => Buffer.from(random, "hex"));
      expect(keys.length > 0).toBe(scheme === "https");
      for (const bytes of sent) expect(seen.capture.includes(bytes)).toBe(true);
    },
  );
}
