import { expect, test } from "bun:test";
import { lastWords } from "../../../../src/cli/output/describe.ts";
import type { LoadReport } from "../../../../src/handoff/report.ts";

const signer = (name: string, id: string) => ({
  key: `/etc/aegis-kexec/${name}.pub`,
  fingerprint: `minisign:${id}`,
  signature: "/mnt/boot.json.minisig",
  trustedComment: null,
});

const report: LoadReport = {
  target: "reboot",
  loaded: true,
  kernel: {
    path: "/mnt/vmlinuz",
    size: 1 << 20,
    format: "bzImage",
    version: "6.12.1",
    release: "6.12.1",
  },
  initrds: [{ path: "/mnt/initrd.img", size: 2 << 20, unchecked: null }],
  measured: [],
  measureLog: null,
  luks: [],
  secrets: [{ destination: "/etc/disk.key", size: 32, mode: "0400" }],
  cmdline: "root=LABEL=A",
  generation: 42,
  trust: {
    signer: { key: "/etc/aegis-kexec/org.pub", fingerprint: "minisign:0123456789ABCDEF" },
    signature: "/mnt/boot.json.minisig",
    trustedComment: null,
    signers: [signer("org", "0123456789ABCDEF")],
    passedOver: [],
  },
  locked: false,
  milliseconds: 1,
  warnings: [],
};

test("the last words say what is booted, from where, and who vouches for it", () => {
  const words = lastWords(report);
  const said = words.join("\n");
  for (const word of [
    "/mnt/vmlinuz",
    "6.12.1",
    "/mnt/initrd.img",
    "/etc/disk.key (32 bytes, mode 0400)",
    "root=LABEL=A",
    "42",
    "/etc/aegis-kexec/org.pub",
  ]) {
    expect(said).toContain(word);
  }
  expect(words.at(-1)).toBe(
    "handing over to the new kernel: signed by minisign:0123456789ABCDEF; secrets, which no signature covers, at /etc/disk.key",
  );
  expect(lastWords({ ...report, secrets: [] }).at(-1)).toEndWith("0123456789ABCDEF");
});

test("that nobody does is said as well, and that it is not known", () => {
  expect(lastWords({ ...report, trust: null }).at(-1)).toContain("no signature was asked for");
  expect(lastWords(undefined)).toEqual(["handing over to the kernel that was loaded before"]);
});

test("of several signers each is named, and keys of volumes and a log with their places", () => {
  const { trust } = report;
  if (trust === null) throw new Error("no trust");
  const signers = [...trust.signers, signer("ben", "00000000000000BE")];
  const uuid = "6a1c1b5e-0f7a-4f3c-9a52-1d0b8c3d2e4f";
  const place = { size: 32, mode: "0400" };
  const words = lastWords({
    ...report,
    trust: { ...trust, signers },
    luks: [{ uuid, framework: "systemd", destination: "/etc/cryptsetup-keys.d/a.key", ...place }],
    measureLog: { destination: "/etc/measured.log", size: 900, mode: "0444" },
  });
  const said = words.join("\n");
  expect(said).toContain("/etc/aegis-kexec/ben.pub");
  expect(said).toMatch(
    new RegExp(`key +of ${uuid}, for systemd, at /etc/cryptsetup-keys.d/a.key \\(32 bytes`),
  );
  expect(said).toMatch(/log +of measurements, at \/etc\/measured.log \(900 bytes, mode 0444\)/);
  expect(words.at(-1)).toBe(
    "handing over to the new kernel: signed by minisign:0123456789ABCDEF and minisign:00000000000000BE; secrets, which no signature covers, at /etc/disk.key, /etc/cryptsetup-keys.d/a.key",
  );
});
