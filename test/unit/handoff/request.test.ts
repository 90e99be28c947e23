import { expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { parseBootRequest, parseExecRequest } from "../../../src/handoff/request.ts";

test("a handover has these defaults", () => {
  expect(parseExecRequest({})).toEqual({
    sync: true,
    force: false,
    quiesce: [],
    onFailure: "return",
  });
});

test("a request to boot is taken apart, and the log goes to both", () => {
  const { load, exec } = parseBootRequest({
    kernel: "k",
    watchdog: 60,
    quiesce: "gpu",
    onFailure: "reboot",
    log: "/log",
  });
  expect(load).toMatchObject({ kernel: "k", log: "/log" });
  expect(exec).toMatchObject({ watchdog: 60, quiesce: ["gpu"], onFailure: "reboot", log: "/log" });
});

test.each([
  [{ watchdog: 0 }],
  [{ watchdog: 1.5 }],
  [{ watchdog: 86_401 }],
  [{ quiesce: ["disk"] }],
  [{ quiesce: ["0000:00:02.0; reboot"] }],
  [{ onFailure: "explode" }],
  [{ log: "" }],
  [{ unknown: true }],
])("%j is refused", (request) => {
  try {
    parseExecRequest(request);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.code).toBe("usage");
    return;
  }
  throw new Error("it was taken");
});
