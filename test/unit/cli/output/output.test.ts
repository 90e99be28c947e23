import { expect, test } from "bun:test";
import { colourWanted } from "../../../../src/cli/output/output.ts";

test.each([
  [{}, true],
  [{ TERM: "xterm" }, true],
  [{ NO_COLOR: "" }, true],
  [{ NO_COLOR: "0" }, false],
  [{ NO_COLOR: "1", TERM: "xterm" }, false],
  [{ TERM: "dumb" }, false],
])("with %j, colour is wanted: %p", (environment, wanted) => {
  expect(colourWanted(environment)).toBe(wanted);
});
