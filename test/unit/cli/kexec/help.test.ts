import { expect, test } from "bun:test";
import { spelling } from "../../../../src/cli/arguments/options.ts";
import { helpLines } from "../../../../src/cli/kexec/help.ts";
import { checkImageType } from "../../../../src/cli/kexec/image-type.ts";
import { isTaken, kexecOptions } from "../../../../src/cli/kexec/options.ts";
import { planOf } from "../../../../src/cli/kexec/plan.ts";

const options = kexecOptions("x86_64");
const help = helpLines().join("\n");

test("an option is taken where a command line that has it is", () => {
  for (const { name, id, takesValue } of options) {
    const words = [spelling(name), ...(takesValue ? ["x"] : []), "-l", "K"];
    const plan = () => planOf(words, "x86_64");
    if (isTaken(id)) expect(plan).not.toThrow();
    else expect(plan).toThrow("is not supported");
  }
});

test("the help names every option that is taken", () => {
  for (const { name, id } of options) {
    if (!isTaken(id) || name === "?") continue;
    expect(help).toMatch(new RegExp(`(^|[ ,])${spelling(name)}\\b`, "m"));
  }
});

test("the help names the image types that are taken", () => {
  const types = /on x86_64 (\S+) or (\S+),\s+on aarch64 (\S+) or (\S+); others are refused/.exec(
    help,
  );
  const [, ...named] = types ?? [];
  expect(named).toHaveLength(4);
  for (const [at, type] of named.entries()) {
    const [own, other] =
      at < 2 ? (["x86_64", "aarch64"] as const) : (["aarch64", "x86_64"] as const);
    expect(() => checkImageType(type, own)).not.toThrow();
    expect(() => checkImageType(type, other)).toThrow("unsupported kernel type");
  }
});

test("the help fits 80 columns", () => {
  expect(helpLines().filter((line) => line.length > 80)).toEqual([]);
});
