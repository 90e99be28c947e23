/** A node with a policy, something signed that it boots, and an attacker's files beside it. */
import { readFileSync, writeFileSync } from "node:fs";
import { bytesOf, sha256Of } from "../../../src/image/bytes.ts";
import { formatManifest } from "../../../src/trust/manifest.ts";
import { ascii, makePe } from "../../unit/image/build.ts";
import { signerOf } from "../../unit/trust/signer.ts";
import { binaryFor } from "./aegis.ts";
import { consoleArguments, type Guest, type GuestOptions, startGuest } from "./guest.ts";
import { temporaryPath } from "./host.ts";
import { type GuestEntry, guestInitramfs, text } from "./initramfs.ts";
import { type KernelName, kernel } from "./kernels.ts";

export const consoleWords = `${consoleArguments("x86_64")} quiet`;
const org = signerOf("11".repeat(32));
const stranger = signerOf("22".repeat(32));

/** Below /mnt/42 a signed manifest; in /etc/aegis-kexec the key, and no policy yet. */
export async function startAttacked(
  name: KernelName,
  token: string,
  more: { readonly entries?: readonly GuestEntry[]; readonly guest?: Partial<GuestOptions> } = {},
): Promise<Guest> {
  const next = guestInitramfs({ arch: "x86_64", token });
  const described = (path: string, source: string) => {
    const file = bytesOf(readFileSync(source));
    return { path, size: file.size, sha256: sha256Of(file) };
  };
  const manifest = formatManifest({
    format: "aegis-kexec/1",
    generation: 42,
    architecture: "x86_64",
    kernel: described("vmlinuz", kernel(name).path),
    initrds: [described("initrd.img", next)],
    cmdline: consoleWords,
  });
  const signature = temporaryPath("boot.json.sig");
  writeFileSync(signature, org.sign(new TextEncoder().encode(manifest)));
  const initramfs = guestInitramfs({
    arch: "x86_64",
    token: "first",
    programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
    entries: [
      { type: "host-file", path: "/mnt/42/vmlinuz", source: kernel(name).path },
      { type: "host-file", path: "/mnt/42/initrd.img", source: next },
      { type: "host-file", path: "/mnt/42/boot.json.sig", source: signature },
      text("/mnt/42/boot.json", manifest),
      text("/etc/aegis-kexec/org.pub", org.pem),
      text("/etc/aegis-kexec/mini.pub", org.minisignKey("00000000000000AA")),
      text("/etc/aegis-kexec/other.pub", stranger.pem),
      ...(more.entries ?? []),
    ],
  });
  return startGuest({ memory: 1024, ...more.guest, kernel: kernel(name), initramfs });
}

/** A UKI that nobody signed, with 2 MB of NULs in the middle of a text; as a file of the host. */
export function slowUki(): string {
  const path = temporaryPath("slow.efi");
  const nuls = new Uint8Array(2 << 20);
  const osrel = new Uint8Array([...ascii("ID=a\n"), ...nuls, ...ascii("x"), ...nuls]);
  writeFileSync(
    path,
    makePe([
      { name: ".osrel", content: osrel },
      {
        name: ".cmdline",
        content: new Uint8Array([...ascii("a"), ...new Uint8Array(60_000), ...ascii("b")]),
      },
      { name: ".linux", content: new Uint8Array(readFileSync(kernel("shared-x86_64").path)) },
    ]),
  );
  return path;
}

/** A signature in minisign's form by a key that is not the policy's. */
export function strangersSignature(): string {
  return stranger.minisign(new TextEncoder().encode("x"), { keyId: "00000000000000BB" });
}
