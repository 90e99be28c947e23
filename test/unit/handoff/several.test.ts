import { describe, expect, test } from "bun:test";
import { type ErrorCode, KexecError } from "../../../src/errors.ts";
import { parseLoadRequest, requestsOf } from "../../../src/handoff/request.ts";
import { firstThatPasses } from "../../../src/handoff/several.ts";

const requests = requestsOf(parseLoadRequest({ kernel: ["a", "b", "c"], cmdline: "x" }));

/** Tries the SOURCEs, of which these fail. */
async function tried(failures: Readonly<Record<string, ErrorCode | Error>>) {
  const attempts: string[] = [];
  const warnings: string[] = [];
  let pauses = 0;
  const result = await firstThatPasses(
    requests,
    async ({ source: kernel, cmdline }) => {
      attempts.push(`${kernel} ${cmdline}`);
      const failure = failures[kernel];
      if (failure instanceof Error) throw failure;
      if (failure !== undefined) throw new KexecError(failure, { message: `${kernel}: no` });
      return kernel;
    },
    async () => void pauses++,
    { warn: (line) => warnings.push(line) },
  ).catch((error: unknown) => error);
  return { result, attempts, warnings, pauses };
}

describe("of several SOURCEs", () => {
  test("the first that passes is taken, and nothing after it is tried", async () => {
    expect(await tried({ a: "untrusted", c: "not-a-kernel" })).toEqual({
      result: "b",
      attempts: ["a x", "b x"],
      warnings: ["a is passed over: a: no"],
      pauses: 1,
    });
    expect((await tried({})).attempts).toEqual(["a x"]);
  });

  test("where none passes, the first one's error is thrown", async () => {
    const { result, warnings } = await tried({ a: "untrusted", b: "not-a-kernel", c: "io-error" });
    expect(result).toMatchObject({ code: "untrusted", message: "a: no" });
    expect(warnings).toHaveLength(3);
  });

  test.each([
    "no-capability",
    "kexec-disabled",
    "no-kexec-file",
    "policy-broken",
    "internal-error",
  ] as const)("%s would meet each of them: no other is tried", async (code) => {
    const { result, attempts } = await tried({ a: "not-a-kernel", b: code });
    expect(result).toMatchObject({ code });
    expect(attempts).toEqual(["a x", "b x"]);
  });

  test("a mistake of this program is none of SOURCE", async () => {
    const { result, attempts } = await tried({ a: new TypeError("oops") });
    expect(result).toBeInstanceOf(TypeError);
    expect(attempts).toEqual(["a x"]);
  });
});

test("a request has one SOURCE or several, and a list of one is one", () => {
  expect(parseLoadRequest({ kernel: ["k"] }).source).toBe("k");
  expect(parseLoadRequest({ kernel: ["k", "l"] }).source).toEqual(["k", "l"]);
  expect(requests.map(({ source: kernel }) => kernel)).toEqual(["a", "b", "c"]);
  for (const kernel of [[], [""], ["k", 3], { 0: "k" }]) {
    expect(() => parseLoadRequest({ kernel })).toThrow(
      "cannot understand the load request: kernel",
    );
  }
});
