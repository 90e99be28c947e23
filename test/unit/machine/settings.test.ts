import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readKexecState } from "../../../src/machine/kernel.ts";

const onLinux = process.platform === "linux" ? test : test.skip;

onLinux("a setting that this kernel does not have is not taken for a missing /proc", () => {
  const { disabled, loadLimitReboot, loadLimitPanic } = readKexecState();
  for (const [name, reading] of Object.entries({
    kexec_load_disabled: disabled,
    kexec_load_limit_reboot: loadLimitReboot,
    kexec_load_limit_panic: loadLimitPanic,
  })) {
    const isThere = existsSync(`/proc/sys/kernel/${name}`);
    expect([name, reading.known]).toEqual([name, isThere]);
    if (reading.known) continue;
    const why = existsSync("/proc/sys/kernel")
      ? "this kernel does not have the setting"
      : expect.stringContaining("/proc");
    expect(JSON.parse(JSON.stringify(reading))).toEqual({ known: false, why });
  }
});
