import { expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import {
  parseBootRequest,
  parseExecRequest,
  parseLoadRequest,
} from "../../../src/handoff/request.ts";

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
  expect(load).toMatchObject({ source: "k", log: "/log" });
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

test.each([
  [undefined, "boot request: invalid type: expected object but received undefined"],
  [null, "boot request: invalid type: expected object but received null"],
  ["kernel", 'boot request: invalid type: expected object but received "kernel"'],
  [{}, "load request: kernel: it is missing"],
  [{ kernel: 3 }, "load request: kernel: a path must be text"],
  [{ kernel: "k", initrds: ["i"] }, "load request: initrds: there is no such member"],
  [{ kernel: "k", initrd: [""] }, "load request: initrd: one of them is empty"],
  [{ kernel: "k", initrd: [3] }, "load request: initrd: it must be a list of paths"],
  [
    { kernel: "k", quiesce: "disk" },
    "exec request: quiesce: it must be a list of gpu, usb, net, storage or PCI addresses",
  ],
  [{ kernel: "k", sync: "yes" }, "exec request: sync: it must be true or false"],
])("to boot %j is no request", (request, says) => {
  expect(() => parseBootRequest(request)).toThrow(
    expect.objectContaining({ code: "usage", message: `cannot understand the ${says}` }),
  );
});

test("one archive may stand without a list", () => {
  expect(parseLoadRequest({ kernel: "k", initrd: "i" }).initrd).toEqual(["i"]);
});
