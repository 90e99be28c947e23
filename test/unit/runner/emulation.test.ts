/** What is left out of the command-line cases where processors are emulated. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lackOfEmulation, leftOut } from "../../cli/emulation.ts";
import { parseCases } from "../../cli/format.ts";

test("cases that there are, each once, with what they lack", () => {
  const folder = join(import.meta.dir, "../../cli/cases");
  const names = readdirSync(folder).flatMap((file) =>
    parseCases(readFileSync(join(folder, file), "utf8"), file).map(({ name }) => name),
  );
  expect(leftOut.map((one) => [one, names.filter((name) => name === one).length])).toEqual(
    leftOut.map((one) => [one, 1]),
  );
  expect(leftOut.map(lackOfEmulation)).not.toContain(undefined);
  expect(lackOfEmulation("an option that does not exist")).toBeUndefined();
});
