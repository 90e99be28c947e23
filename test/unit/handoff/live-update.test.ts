import { expect, test } from "bun:test";
import {
  liveUpdateWords,
  sessionKeeper,
  systemdIn,
} from "../../../src/handoff/leave/live-update.ts";
import { scratchIn } from "../../../src/handoff/stages/kexec-handover.ts";

test.each([
  ["7f0 r-xp 0 fe:01 1 /usr/lib/x86_64-linux-gnu/systemd/libsystemd-core-262.so\n", 262],
  ["7f0 r-xp 0 fe:01 1 /usr/lib/systemd/libsystemd-shared-257.9-1.fc42.so\n", 257],
  ["7f0 r-xp 0 fe:01 1 /usr/lib/systemd/libsystemd-core-261~rc1.so\n", 261],
  ["7f0 r-xp 0 fe:01 1 /usr/lib/libsystemd.so.0.39.0\n", undefined],
  ["", undefined],
])("the systemd of %p", (maps, version) => {
  expect(systemdIn(maps)).toBe(version);
});

test.each([
  [undefined, [], false, "its agents are left running"],
  [252, [], true, "their sessions are lost; --force"],
  [260, ["luod"], true, "their sessions are lost (held by luod); --force"],
  [null, [], true, "unless it is 261 or later and keeps them"],
  [261, [], false, "systemd 261 keeps the sessions in the stores"],
  [262, ["luod", "vmm"], true, "other sessions are lost (held by luod, vmm); --force"],
] as const)("sessions with systemd %p, held by %p", (systemd, others, lost, words) => {
  const said = liveUpdateWords(systemd, { first: true, others });
  expect(said.lost).toBe(lost);
  expect(said.text).toStartWith("live update is on (/dev/liveupdate): ");
  expect(said.text).toContain(words);
});

test.each([
  [undefined, "agents"],
  [260, "nobody"],
  [261, "systemd"],
  [300, "systemd"],
] as const)("who keeps sessions with systemd %p: %s", (systemd, keeper) => {
  expect(sessionKeeper(systemd)).toBe(keeper);
});

test("scratch areas show as free pages that CMA does not count", () => {
  const meminfo = (total: number, free: number) =>
    `MemTotal: 1 kB\nCmaTotal:   ${total} kB\nCmaFree:   ${free} kB\n`;
  expect(scratchIn(meminfo(0, 65536))).toBe(true);
  expect(scratchIn(meminfo(65536, 131072))).toBe(true);
  expect(scratchIn(meminfo(65536, 65536))).toBe(false);
  expect(scratchIn(meminfo(0, 0))).toBe(false);
  expect(scratchIn("MemTotal:  1 kB\n")).toBe(false);
});
