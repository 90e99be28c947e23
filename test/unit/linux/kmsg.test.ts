import { expect, test } from "bun:test";
import { lineBytes, parseRecord } from "../../../src/linux/kmsg.ts";

const textOf = (line: string) => new TextDecoder("utf-8", { fatal: true }).decode(lineBytes(line));

test("a line goes to the log as this program's, and is not taken for the kernel's", () => {
  expect(textOf("loaded: /boot/vmlinuz")).toBe("<15>aegis-kexec: loaded: /boot/vmlinuz\n");
  // As it is read back: facility 1 and severity 7.
  expect(parseRecord("15,1234,5678,-;aegis-kexec: loaded: Lockdown: kexec\n")).toBeUndefined();
});

test("what a record does not hold is cut between characters", () => {
  for (const character of ["x", "ü", "☃", "🂡"]) {
    for (let more = 0; more < 8; more++) {
      const text = textOf(`${"x".repeat(920 + more)}${character.repeat(400)}`);
      expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(960);
      expect(text).toMatch(/[^\n]\.\.\.\n$/);
      expect(text).not.toContain("\ufffd");
    }
  }
});
