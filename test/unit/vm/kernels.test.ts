/** The kernels that `bun run kernels` builds: their configurations, and what asks for them. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { configurationOf } from "../../vm/kernels/configuration.ts";
import { builtKernels, builtNames } from "../../vm/lib/built-kernels.ts";
import { buildFor, kernelNames } from "../../vm/lib/kernels.ts";
import { whyNot } from "../../vm/lib/suite.ts";

const folder = join(import.meta.dir, "../../vm/kernels");

for (const name of builtNames) {
  const lines = configurationOf(builtKernels[name]).split("\n").filter(Boolean);

  test(`${name}: lines are settings or comments`, () => {
    const setting = /^CONFIG_[A-Z0-9_]+=(y|m|n|[0-9]+|".*")$/;
    expect(lines.filter((line) => !line.startsWith("#") && !setting.test(line))).toEqual([]);
  });

  test(`${name}: no fragment contradicts another, and kexec with handover is on`, () => {
    const settings = new Map<string, string>();
    for (const line of lines.filter((one) => !one.startsWith("#"))) {
      const [option = "", value = ""] = line.split("=");
      expect(`${option}=${settings.get(option) ?? value}`).toBe(`${option}=${value}`);
      settings.set(option, value);
    }
    for (const option of ["KEXEC_FILE", "KEXEC_HANDOVER", "LIVEUPDATE", "SECURITY_LOCKDOWN_LSM"]) {
      expect(settings.get(`CONFIG_${option}`)).toBe("y");
    }
  });
}

test("every fragment is of some kernel", () => {
  const used = new Set<string>(builtNames.flatMap((name) => builtKernels[name].fragments));
  const kept = readdirSync(folder).filter((file) => file.endsWith(".config"));
  expect(kept.map((file) => file.replace(".config", "")).sort()).toEqual([...used].sort());
});

test("what is not there names the kernel that would have to be built, Debian's none", () => {
  expect([...builtNames].sort() as string[]).toEqual(Object.keys(builtKernels).sort());
  const builds = Object.fromEntries(kernelNames.map((name) => [name, buildFor(name)]));
  expect(builds).toMatchObject({
    "debian-6.1": undefined,
    "debian-6.12": undefined,
    "debian-arm64": undefined,
    "shared-aarch64": "aarch64-small",
    "kho-x86_64": "x86_64-small",
    "aarch64-64k": "aarch64-64k",
  });
});

test("a test that cannot be run says why: what is absent, or else what is not built", () => {
  expect(whyNot([])).toBeUndefined();
  expect(whyNot(["file:/nowhere", "tool:no-such-tool"])).toBe("(needs /nowhere, no-such-tool)");
  // Building would not help where something else is absent
  expect(whyNot(["aarch64-64k", "file:/nowhere"])).toMatch(/^\(needs .*\/nowhere\)$/);
  expect(["(not built: aarch64-64k)", "(needs aarch64-64k)", undefined]).toContain(
    whyNot(["aarch64-64k"]),
  );
  // The source comes with a kernel, and is not a thing that a machine lacks.
  expect(["(not built: x86_64-small)", "(needs kernel-source)", undefined]).toContain(
    whyNot(["kernel-source"]),
  );
});
