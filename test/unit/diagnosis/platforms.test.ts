import { expect, test } from "bun:test";
import { knownPlatforms } from "../../../src/diagnosis/platforms.ts";
import type { Platform } from "../../../src/machine/platform.ts";

const plain: Platform = {
  release: "6.12.117+deb12-amd64",
  vendor: "QEMU",
  product: "Standard PC",
  flags: ["fpu"],
  bugs: ["spectre_v1"],
  xen: undefined,
  enableMethods: ["psci"],
  gicIts: false,
  efi: true,
  drivers: ["ahci"],
};

const ids = (more: Partial<Platform>) => knownPlatforms({ ...plain, ...more }).map(({ id }) => id);

test.each([
  [{}, []],
  [{ vendor: "Microsoft Corporation", product: "Virtual Machine" }, ["hyper-v"]],
  [{ vendor: "Microsoft Corporation", product: "Surface Pro" }, []],
  [{ bugs: ["tdx_pw_mce"] }, ["tdx-host-erratum"]],
  [{ bugs: ["tdx_pw_mce"], release: "7.2.0" }, []],
  [{ flags: ["tdx_guest"] }, []],
  [{ flags: ["tdx_guest"], release: "6.8.0-40-generic" }, ["tdx-guest"]],
  [{ flags: ["tdx_guest"], release: "unreadable" }, []],
  [{ xen: "PV" }, ["xen-pv"]],
  [{ xen: "HVM" }, []],
  [{ enableMethods: ["spin-table"] }, ["arm64-spin-table"]],
  [{ gicIts: true, efi: false }, ["arm64-gic-lpi"]],
  [{ gicIts: true, efi: true }, []],
  [{ drivers: ["megaraid_sas", "amdgpu"] }, ["megaraid-sas", "gpu"]],
] as const)("%j", (more, expected) => {
  expect(ids(more)).toEqual([...expected]);
});

test("each has a source, and what can happen", () => {
  const all = knownPlatforms({
    ...plain,
    vendor: "Microsoft Corporation",
    product: "Virtual Machine",
    bugs: ["tdx_pw_mce"],
    flags: ["tdx_guest"],
    release: "6.1.0",
    xen: "PV",
    enableMethods: ["spin-table"],
    gicIts: true,
    efi: false,
    drivers: ["megaraid_sas", "i915"],
  });
  expect(all).toHaveLength(8);
  for (const { why, source, name } of all) {
    expect(source).toMatch(/\.(c|rst|com)|Linux commit/);
    expect([why, name].every((text) => text.length > 10)).toBe(true);
  }
});
