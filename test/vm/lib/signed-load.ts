/** In a guest of `scene`: its kernel and archive signed, and a policy that demands that they are measured. */
import { join } from "node:path";
import { initrd, vmlinuz } from "./aegis.ts";
import type { Guest } from "./guest.ts";
import { temporaryFolder } from "./host.ts";

/** Writes /boot/boot.json with its signature, and the policy: PCR 12, required. */
export async function demandMeasuring(guest: Guest, cmdline = "x"): Promise<void> {
  const folder = temporaryFolder("keys");
  const run = (script: string) => {
    const child = Bun.spawnSync(["sh", "-ec", script], { cwd: folder });
    if (!child.success) throw new Error(`${child.stderr}`);
  };
  run(
    "openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out org.pub",
  );
  await guest.check(
    `aegis-kexec manifest ${vmlinuz} --initrd ${initrd} --cmdline "${cmdline}" --generation 1 >/boot/boot.json`,
  );
  await Bun.write(join(folder, "boot.json"), await guest.check("cat /boot/boot.json"));
  run("openssl pkeyutl -sign -rawin -inkey key.pem -in boot.json -out boot.json.sig");
  const put = async (name: string, path: string) => {
    const base64 = Buffer.from(await Bun.file(join(folder, name)).bytes()).toString("base64");
    await guest.check(`echo ${base64} | base64 -d >${path}`);
  };
  await put("boot.json.sig", "/boot/boot.json.sig");
  await guest.check("mkdir -p /etc/aegis-kexec");
  await put("org.pub", "/etc/aegis-kexec/org.pub");
  await guest.check(
    `echo '{"trust":["/etc/aegis-kexec/org.pub"],"measure":{"pcr":12,"required":true}}' >/etc/aegis-kexec/policy.json`,
  );
}
