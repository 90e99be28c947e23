/** Which scripts are held against `inspect`: none of them must slip through unnoticed. */
import { expect, test } from "bun:test";
import { scriptedLoad } from "../../vm/lib/load-words.ts";

test.each([
  ["aegis-kexec load /a --initrd /b --cmdline 'c d' --json", "/a --initrd /b --cmdline 'c d'"],
  [
    'aegis-kexec boot /a --cmdline "x y=\\"z\\"" --verbose --log /l >/dev/ttyS0 2>&1',
    '/a --cmdline "x y=\\"z\\""',
  ],
  ["cd /mnt; aegis-kexec boot m.json --trust k.pub --force --watchdog=5", "m.json --trust k.pub"],
  ["env -i /sbin/aegis-kexec load /a --lock", "/a"],
  ["/run/aegis-kexec boot /a --on-failure reboot --quiesce gpu,usb --entry b", "/a --entry b"],
])("%s", (script, words) => {
  expect(scriptedLoad(script)?.words).toBe(words);
});

test.each([
  "aegis-kexec status",
  "aegis-kexec load /a && aegis-kexec exec",
  "aegis-kexec load /a; cat /x",
  "aegis-kexec load /a --dry-run --json",
  "aegis-kexec load /a --secret -:/b </key",
  "exec 9>>/a; aegis-kexec load /a",
  "kexec -l /a",
])("not: %s", (script) => {
  expect(scriptedLoad(script)).toBeUndefined();
});
