/** A real Secure Boot chain: firmware, a signed kernel, lockdown and an enforced signature check. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { binaryFor } from "./lib/aegis.ts";
import { type Guest, startGuest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { guestInitramfs } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { listOf, loadAsPredicted, memberOf, type Outcome } from "./lib/prediction.ts";
import {
  enrolledKey,
  foreignKey,
  revoking,
  secureBootNeeds,
  signaturePlaces,
  signed,
  unsigned,
} from "./lib/secureboot.ts";
import { vmSuite } from "./lib/suite.ts";

const token = randomUUID();
const needs = [...secureBootNeeds, "debian-6.12"] as const;

/** Shell commands that make a bad image of /images/good, each as /tmp/NAME. */
let making: Readonly<Record<string, string>> = {};

const ui = join(import.meta.dir, "..", "ui");

/** The library's user interface, as `bun build --compile` makes a program of it. */
async function compiledUi(): Promise<string> {
  const made = temporaryPath("ui");
  await Bun.$`${process.execPath} build --compile ${join(ui, "ui.ts")} --outfile ${made}`.quiet();
  return made;
}

async function start() {
  const debian = kernel("debian-6.12");
  const [enrolled, foreign] = [await enrolledKey(), await foreignKey("Nobody Knows")];
  const revoked = await foreignKey("Revoked Once");
  const good = await signed(debian.path, enrolled);
  const images = {
    good,
    unsigned: await unsigned(debian.path),
    foreign: await signed(debian.path, foreign),
    revoked: await signed(debian.path, revoked),
  };
  making = makers(good);
  const binary = await binaryFor("x86_64");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    token: "first",
    programs: [
      { path: "/sbin/aegis-kexec", source: binary },
      { path: "/ui/ui", source: await compiledUi() },
    ],
    modules: { kernel: debian, names: ["efivarfs"] },
    entries: [
      { type: "host-file", path: "/ui/ui.sh", source: join(ui, "ui.sh") },
      ...Object.entries(images).map(
        ([name, source]) => ({ type: "host-file", path: `/images/${name}`, source }) as const,
      ),
      {
        type: "host-file",
        path: "/next/initrd.img",
        source: guestInitramfs({ arch: "x86_64", token }),
      },
    ],
  });
  return startGuest({
    kernel: { ...debian, path: good },
    initramfs,
    memory: 2048,
    firmware: revoking(revoked.certificate),
    bootTimeout: 240,
  });
}

function makers(good: string): Readonly<Record<string, string>> {
  const { wrapper, signerDigest, signedYear, messageDigest } = signaturePlaces(good);
  const write = (name: string, at: number, ...bytes: readonly number[]) => {
    const escaped = bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
    return `printf '${escaped}' | dd of=/tmp/${name} bs=1 seek=${at} conv=notrunc 2>/dev/null`;
  };
  const { size } = Bun.file(good);
  const zero = 0x30;
  return {
    // Byte 1 MiB is compressed kernel, and nobody packs to zeros.
    changed: write("changed", 1 << 20, 0, 0, 0, 0, 0, 0, 0, 0),
    // In the signature itself, the last part of a PKCS#7 message.
    damaged: write("damaged", size - 100, 0, 0, 0, 0),
    cut: `truncate -s ${size - 512} /tmp/cut`,
    revision: write("revision", wrapper + 4, 0, 1),
    long: write("long", wrapper + 9, 0x83),
    syntax: write("syntax", wrapper + 12, 0x07),
    algorithm: write("algorithm", signerDigest, 0x63),
    early: write("early", signedYear, zero, zero),
    other: write("other", messageDigest, 0, 0, 0, 0),
    headless: write("headless", 0, 0, 0),
  };
}

/** What the first signature's first signer is called. */
function signerOf({ inspection }: Outcome): unknown {
  const [signature = {}] = listOf(memberOf(inspection, "image"), "signatures");
  return listOf(signature, "signers")[0]?.["subject"];
}

/** In German: nothing of it can have been taken from a sentence of the program. */
const shownActions: Readonly<Record<string, string>> = {
  "choose-another": "Anderes System wählen.",
  "copy-again": "Neu kopieren.",
  "enrol-key": "Schlüssel eintragen oder anderes System wählen.",
};

/** A user interface in shell and one against the library show progress, cause and action. */
async function showsInItsOwnWords(
  guest: Guest,
  path: string,
  error: Readonly<Record<string, unknown>>,
): Promise<void> {
  const action = shownActions[String(error["action"])];
  expect(action).toBeDefined();
  for (const command of [`sh /ui/ui.sh ${path} --cmdline x`, `/ui/ui ${path} x`]) {
    const { stdout, exit } = await guest.run(command);
    const lines = stdout.trimEnd().split("\n");
    expect([command, exit]).toEqual([command, 1]);
    expect(lines[0]).toBe("Öffnen ...");
    expect(lines).toContain("Übergabe an den Kern 0 %");
    expect(lines.at(-2)).not.toContain("Nicht geladen");
    expect(lines.at(-1)).toBe(action);
    const { signer } = memberOf(error, "details");
    if (error["code"] === "kernel-signer-unknown") expect(lines.at(-2)).toContain(String(signer));
  }
}

vmSuite("Secure Boot", { needs, start, timeout: 600 }, (test) => {
  test("the kernel is locked down and says who is trusted", async (guest) => {
    expect(await guest.check("cat /sys/kernel/security/lockdown")).toContain("[integrity]");
    const bare = JSON.parse(await guest.check("aegis-kexec status --json"));
    // Without efivarfs the kernel's own log tells.
    expect(bare).toMatchObject({ lockdown: "integrity", secureBoot: true, setupMode: null });
    await guest.check("mount -t efivarfs none /sys/firmware/efi/efivars");
    const status = JSON.parse(await guest.check("aegis-kexec status --json"));
    expect(status).toMatchObject({
      secureBoot: true,
      setupMode: false,
      kexec: { fileLoad: true },
      signatures: { checked: true, enforced: true },
    });
    expect(JSON.stringify(status.keyrings.platform)).toContain(
      "63b8d5ee5df87b9a2f08dde4dba1e606c854dadb",
    );
    expect(status.keyrings.builtin).not.toBeEmpty();
    expect(status.keyrings.blacklist.hashes).toEqual({ tbs: 1, bin: 1 });
  });

  const refusals = [
    ["unsigned", "kernel-unsigned", "ENODATA", "carries no signature", "sbsign"],
    ["foreign", "kernel-signer-unknown", "ENOKEY", '"CN=Nobody Knows"', "mokutil --import"],
    ["revoked", "kernel-signature-revoked", "EKEYREJECTED", '"CN=Revoked Once"', "newer"],
    ["changed", "kernel-changed-after-signing", "EKEYREJECTED", "changed after", "again"],
    ["damaged", "kernel-signature-bad", "EINVAL", "damaged", "again"],
    ["other", "kernel-signature-bad", "EKEYREJECTED", "other content", "again"],
    ["early", "kernel-signature-bad", "EKEYREJECTED", "at a time", "is valid"],
    ["algorithm", "kernel-signature-algorithm", "ENOPKG", "not known", "SHA-256"],
    ["syntax", "kernel-signature-malformed", "EBADMSG", "malformed", "again"],
    ["revision", "kernel-signature-malformed", "ENOTSUPP", "revision", "again"],
    ["long", "kernel-signature-malformed", "EMSGSIZE", "64 KiB", "again"],
    ["cut", "kernel-signature-malformed", "ELIBBAD", "does not lie inside", "again"],
    ["headless", "kernel-unsigned", "ELIBBAD", "no EFI header", "CONFIG_EFI_STUB"],
  ] as const;
  for (const [name, code, errno, says, cure] of refusals) {
    test(`${name}: ${code}, as predicted`, async (guest) => {
      const make = making[name];
      if (make !== undefined) await guest.check(`cp /images/good /tmp/${name}; ${make}`);
      const path = make === undefined ? `/images/${name}` : `/tmp/${name}`;
      const outcome = await loadAsPredicted(guest, `${path} --cmdline x`);
      await showsInItsOwnWords(guest, path, memberOf(outcome.result, "error"));
      if (make !== undefined) await guest.check(`rm ${path}`);
      // The prediction is a certain one.
      expect(listOf(memberOf(outcome.inspection, "verdict"), "reasons")).toHaveLength(1);
      const error = memberOf(outcome.result, "error");
      expect({ exit: outcome.exit, code: error["code"], errno: error["errno"] }).toEqual({
        exit: 6,
        code,
        errno,
      });
      expect(String(error["message"])).toContain(says);
      expect(String(error["hint"])).toContain(cure);
      expect(outcome.stderr).not.toMatch(/disable/i);
      expect(outcome.stderr).toContain("kernel: ");
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
    });
  }

  test("signed by the enrolled key: the next kernel is locked down again", async (guest) => {
    const words =
      "/images/good --initrd /next/initrd.img --cmdline 'no_timer_check console=ttyS0 panic=-1'";
    const outcome = await loadAsPredicted(guest, words);
    expect(outcome.exit).toBe(0);
    expect(signerOf(outcome)).toContain("SnakeOil");
    expect(memberOf(outcome.inspection, "image")).toMatchObject({
      changedAfterSigning: false,
      trustedBy: ".platform",
    });
    const next = await guest.handoff("aegis-kexec exec", { timeout: 240 });
    expect(next.token).toBe(token);
    expect(await guest.check("cat /sys/kernel/security/lockdown")).toContain("[integrity]");
    await guest.stop();
  });
});
