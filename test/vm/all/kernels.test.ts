/** Each kernel that `bun run kernels` builds boots, loads its modules, and hands over to itself. */
import { expect } from "bun:test";
import { initrd, scene, unique, vmlinuz } from "../lib/aegis.ts";
import { type BuiltName, builtNames, findBuilt } from "../lib/built-kernels.ts";
import { kernel } from "../lib/kernels.ts";
import { bootAsPredicted } from "../lib/prediction.ts";
import { vmTest } from "../lib/suite.ts";

/** What the full ones have as modules, and the small ones not at all. */
const modules = ["squashfs", "loop"];

/** The lines of its configuration that its fragments ask for first of all. */
const promises = ["CONFIG_KEXEC_FILE=y", "CONFIG_KEXEC_HANDOVER=y", "CONFIG_LIVEUPDATE=y"];

for (const name of builtNames) {
  vmTest(`${name} hands over to itself`, { needs: [name], timeout: 600 }, async () => {
    const full = kernel(name).modules !== undefined;
    const given = scene({
      first: name,
      guest: { memory: 1024 },
      ...(full ? { initramfs: { modules: { kernel: kernel(name), names: modules } } } : {}),
    });
    await using guest = await given.start();
    const configuration = (await guest.check("zcat /proc/config.gz")).split("\n");
    expect(promises.filter((line) => !configuration.includes(line))).toEqual([]);
    expect(configuration).toContain(pagesOf(name));
    if (full) {
      const loaded = await guest.check("cat /proc/modules; cat /proc/filesystems");
      for (const one of [...modules, "ext4"]) expect(loaded).toContain(one);
      expect(findBuilt(name)?.signingKey).toBeString();
    }
    const cmdline = `${given.console} ${unique()}`;
    const words = `${vmlinuz} --initrd ${initrd} --cmdline '${cmdline}'`;
    expect(await bootAsPredicted(guest, words)).toMatchObject({ token: given.token, cmdline });
  });
}

/** The line by which the kernel's pages have the size that its name says. */
function pagesOf(name: BuiltName): string {
  if (name.startsWith("x86_64")) return "CONFIG_X86_64=y";
  return `CONFIG_ARM64_${/-(16|64)k$/.exec(name)?.[1] ?? "4"}K_PAGES=y`;
}
