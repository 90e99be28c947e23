/** What the kernel does for a crash kernel: keys of encrypted disks, and processors that come and go. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { initrd, scene, vmlinuz } from "../lib/aegis.ts";
import { temporaryPath } from "../lib/host.ts";
import { kernel } from "../lib/kernels.ts";
import { loadAsPredicted, memberOf } from "../lib/prediction.ts";
import { vmTest } from "../lib/suite.ts";

const name = "x86_64-full";
const keys = "/sys/kernel/config/crash_dm_crypt_keys";
/** setup_header.cmdline_size, Documentation/arch/x86/boot.rst, without the 30 bytes of ` elfcorehdr=` and the NUL. */
const longest = () =>
  new DataView(readFileSync(kernel(name).path).buffer).getUint32(0x238, true) - 31;
/** MAX_DMCRYPTKEYS_STR_LEN, arch/x86/kernel/kexec-bzimage64.c */
const keyWord = 31;

vmTest(
  "the keys that a crash kernel gets: in the status, in the room of its command line, and in its own keyring",
  { needs: [name, "tool:cc"] },
  async () => {
    const program = temporaryPath("logon-key");
    const source = join(import.meta.dir, "../guest/logon-key.c");
    await Bun.$`cc -O2 -static -o ${program} ${source}`.quiet();
    const given = scene({
      first: name,
      entries: [{ type: "host-file", path: "/sbin/logon-key", source: program, mode: 0o755 }],
      guest: { memory: 1536, cmdline: "crashkernel=384M" },
    });
    await using guest = await given.start();
    const crashOf = async () =>
      memberOf(JSON.parse(await guest.check("aegis-kexec status --json")), "crash");
    expect(await crashOf()).toEqual({
      updatesProcessors: null,
      updatesMemory: false,
      keys: null,
      keysReused: null,
    });
    expect(await guest.check("aegis-kexec status")).toContain("configfs is not mounted");
    await guest.check("mount -t configfs c /sys/kernel/config");
    expect(await crashOf()).toMatchObject({ keys: 0, keysReused: false });

    await guest.check(`mkdir ${keys}/one && echo disk:one >${keys}/one/description`);
    expect(await crashOf()).toMatchObject({ keys: 1 });
    const line = (length: number) => `${given.console} `.padEnd(length, "x");
    const load = (length: number) =>
      loadAsPredicted(guest, `--crash ${vmlinuz} --initrd ${initrd} --cmdline '${line(length)}'`);
    // The key is in no keyring.
    const missing = await guest.run(
      `aegis-kexec load --json --crash ${vmlinuz} --initrd ${initrd} --cmdline '${line(200)}'`,
    );
    expect(memberOf(JSON.parse(missing.stdout), "error")["message"]).toMatch(
      /a key of an encrypted disk cannot be read for the crash kernel: No such logon key disk:one/,
    );

    await guest.check("logon-key add disk:one");
    const most = longest() - keyWord;
    expect(await load(most + 1)).toMatchObject({ code: "cmdline-too-long" });
    expect(await load(most)).toMatchObject({ exit: 0 });
    const said = (await guest.check("aegis-kexec status")).replace(/\s+/g, " ");
    expect(said).toContain("1 for the next crash kernel, in 4.0 KiB of its memory");
    expect(await crashOf()).toMatchObject({ updatesProcessors: true, keys: 1, keysReused: false });

    // The keys of the load before are taken again, though nobody has them any more.
    await guest.check(`logon-key unlink disk:one; echo 1 >${keys}/reuse`);
    expect(await crashOf()).toMatchObject({ keysReused: true });
    expect(await load(200)).toMatchObject({ exit: 0 });

    const up = await guest.handoff("echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger");
    expect(up.token).toBe(given.token);
    expect(up.cmdline).toMatch(/ dmcryptkeys=0x[0-9a-f]+/);
    await guest.check(`mount -t configfs c /sys/kernel/config; echo 1 >${keys}/restore`);
    expect(await guest.check("cat /proc/keys")).toContain("disk:one");
  },
);
