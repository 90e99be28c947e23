/** Scripts of packages of the other architecture are run by this machine, and must not change it. */
import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { needing } from "../../needs.ts";
import { withoutChroot } from "../../vm/lib/arm64-image.ts";
import { temporaryPath } from "../../vm/lib/host.ts";

/** With this shell in the place of mmdebstrap. */
function make(script: string) {
  const image = temporaryPath("disk.ext4");
  const told = `echo "$TMPDIR"; echo disk >"$TMPDIR/image"; ${script}`;
  const command = withoutChroot.command(["sh", "-euc", told], "bookworm", image);
  const { success, stdout } = Bun.spawnSync(command, { stdout: "pipe", stderr: "inherit" });
  return { image, success, place: stdout.toString().trim() };
}

const { test } = needing(...withoutChroot.tools);

test("they take themselves for root, and have no rights", () => {
  const { image, success, place } = make(
    '[ "$(id -u)" = 0 ]; [ ! -w /usr ]; [ ! -w /var/lib/dpkg ]',
  );
  expect(success).toBe(true);
  expect(readFileSync(image, "utf8")).toBe("disk\n");
  expect(place).toStartWith("/var/tmp/");
  expect(existsSync(place)).toBe(false);
});

test("what fails leaves nothing behind", () => {
  const { image, success, place } = make("exit 3");
  expect(success).toBe(false);
  expect(existsSync(image)).toBe(false);
  expect(place).toStartWith("/var/tmp/");
  expect(existsSync(place)).toBe(false);
});
