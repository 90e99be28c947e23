/** Mounts that nobody sees; real disks are mounted so in the tests of virtual machines. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { mountDetached } from "../../../src/linux/detached-mount.ts";
import { isBlockDevice, Uevents } from "../../../src/linux/device/uevents.ts";

const asRoot = process.getuid?.() === 0;
const tmpfs = { source: undefined, type: "tmpfs", options: ["size=64k"], writable: false };
/** A container may be denied it. */
const probe = asRoot ? mountDetached(tmpfs) : undefined;
const may = probe?.ok === true;
if (probe?.ok) probe[Symbol.dispose]();

test(`a mount ${may ? "that only its descriptor reaches" : "is refused with the call that failed"}`, () => {
  const before = readFileSync("/proc/self/mountinfo", "utf8");
  const mount = mountDetached(tmpfs);
  if (!mount.ok) {
    expect(mount).toMatchObject({ call: "fsopen", errno: 1 });
    return;
  }
  using _ = mount;
  expect(readdirSync(`/proc/self/fd/${mount.fd}`)).toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).toBe(before);
  const info = readFileSync(`/proc/self/fdinfo/${mount.fd}`, "utf8");
  expect(info).toContain("mnt_id:");
});

test("a file system that the kernel does not know, and an option that it refuses", () => {
  expect(mountDetached({ ...tmpfs, type: "nothing" })).toMatchObject({
    ok: false,
    call: "fsopen",
    errno: may ? 19 : 1,
  });
  if (!may) return;
  expect(mountDetached({ ...tmpfs, options: ["no-such-option"] })).toMatchObject({
    ok: false,
    call: "fsconfig",
    option: "no-such-option",
    errno: 22,
    log: [expect.stringContaining("no-such-option")],
  });
});

test("a block device is told from others", () => {
  const message = (...words: readonly string[]) =>
    new TextEncoder().encode(`${words.join("\0")}\0`);
  expect(isBlockDevice(message("add@/devices/x", "ACTION=add", "SUBSYSTEM=block"))).toBe(true);
  expect(isBlockDevice(message("change@/devices/x", "ACTION=change", "SUBSYSTEM=block"))).toBe(
    true,
  );
  expect(isBlockDevice(message("remove@/devices/x", "ACTION=remove", "SUBSYSTEM=block"))).toBe(
    false,
  );
  expect(isBlockDevice(message("add@/devices/x", "ACTION=add", "SUBSYSTEM=net"))).toBe(false);
});

test("a wait without a device ends in its time", () => {
  using events = Uevents.listen();
  const start = performance.now();
  expect(events.waitForDevice(60)).toBe(false);
  expect(performance.now() - start).toBeGreaterThan(50);
});
