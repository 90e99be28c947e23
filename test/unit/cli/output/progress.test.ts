import { expect, test } from "bun:test";
import { WIDTH } from "../../../../src/cli/output/layout.ts";
import { formatBytes, Progress, progressLine } from "../../../../src/cli/output/progress.ts";

function observed(): { progress: Progress; at(time: number): void; written: string[] } {
  let now = 0;
  const written: string[] = [];
  return {
    progress: new Progress(
      () => now,
      (text) => written.push(text),
    ),
    at: (time) => {
      now = time;
    },
    written,
  };
}

test("work shorter than a second shows nothing, and clears nothing", () => {
  const { progress, at, written } = observed();
  progress.update("copying", 0, 100);
  at(999);
  progress.update("copying", 99, 100);
  progress.clear();
  expect(written).toEqual([]);
});

test("longer work shows one line, ten times a second, and takes it away", () => {
  const { progress, at, written } = observed();
  for (let time = 0; time <= 1500; time += 10) {
    at(time);
    progress.update("copying", time, 3000);
  }
  expect(written).toHaveLength(6);
  expect(written[0]).toBe(`\r${"copying: 33 % of 2.9 KiB".padEnd(WIDTH)}`);
  progress.clear();
  progress.clear();
  expect(written).toHaveLength(7);
  expect(written.at(-1)).toBe(`\r${" ".repeat(WIDTH)}\r`);
});

test("the line fits the terminal and cannot command it", () => {
  const line = progressLine(`\x1b[2J${"x".repeat(200)}`, 1, 2);
  expect(line).toHaveLength(WIDTH);
  expect(line).toStartWith("\\x1b[2J");
  expect(line).toEndWith(": 50 % of 2 bytes");
  expect(progressLine("nothing", 0, 0)).toBe("nothing: 0 % of 0 bytes");
});

test.each([
  [0, "0 bytes"],
  [1023, "1023 bytes"],
  [1024, "1.0 KiB"],
  [11_655_104, "11.1 MiB"],
  [5 * 1024 ** 3, "5.0 GiB"],
  [2 ** 52, "4096.0 TiB"],
])("%d is %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("what goes on in silence is said at once, with its size, and taken away", () => {
  const { progress, written } = observed();
  progress.wait("giving the kernel its files", 70 << 20);
  expect(written).toEqual([`\r${"giving the kernel its files (70.0 MiB) ...".padEnd(WIDTH)}`]);
  progress.wait(undefined, 0);
  expect(written.at(-1)).toBe(`\r${" ".repeat(WIDTH)}\r`);
});

test("what comes from elsewhere has a rate and a rest, each file its own", () => {
  const { progress, at, written } = observed();
  const mebi = 1 << 20;
  progress.update("fetching a", 0, 40 * mebi, true);
  at(2000);
  progress.update("fetching a", 10 * mebi, 40 * mebi, true);
  expect(written.at(-1)).toContain("fetching a: 25 % of 40.0 MiB, 5.0 MiB/s, 6 s left");
  at(3000);
  progress.update("fetching b", 4 * mebi, 8 * mebi, true);
  expect(written.at(-1)).toContain("fetching b: 50 % of 8.0 MiB ");
  at(4000);
  progress.update("fetching b", 5 * mebi, 8 * mebi, true);
  expect(written.at(-1)).toContain("fetching b: 62 % of 8.0 MiB, 1.0 MiB/s, 3 s left");
  expect(progressLine("x".repeat(200), 1, 2 ** 40, 1)).toHaveLength(WIDTH);
});
