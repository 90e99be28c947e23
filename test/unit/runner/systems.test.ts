/** A run makes the systems that its tests name, and no others. */
import { expect, test } from "bun:test";
import { stages } from "../../runner/jobs.ts";
import { systemNames, systemsOf } from "../../runner/systems.ts";

test("of a few groups those that they use, through what they import, too", () => {
  expect(systemsOf(["types", "unit", "cli", "build/release", "vm/readme"])).toEqual([]);
  expect(systemsOf(["vm/systemd"])).toEqual(["systemd"]);
  expect(systemsOf(["vm/all/debian-13"])).toContain("trixie");
  expect(systemsOf(["vm/packaging"])).toEqual(["initramfs-tools"]);
  expect(systemsOf(["vm/all/debian-package"])).toEqual(["arm64"]);
  // By test/vm/lib/installed.ts
  expect(systemsOf(["vm/menus"])).toContain("installed");
});

test("of everything all of them", () => {
  const names = stages().flatMap((stage) => stage.map(({ name }) => name));
  expect(systemsOf(names)).toEqual([...systemNames]);
});
