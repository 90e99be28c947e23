import { afterAll, describe, expect, test } from "bun:test";
import { programs, Workshop } from "./program.ts";

/** Runs a command on a pseudo-terminal; everything that it writes there. */
async function onTerminal(
  workshop: Workshop,
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const child = Bun.spawn(["aegis-kexec", ...words], {
    cwd: workshop.directory(),
    env: { ...workshop.environment, ...environment },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_terminal, chunk) => {
        chunks.push(new Uint8Array(chunk));
      },
    },
  });
  await child.exited;
  // What the terminal still holds arrives behind the exit.
  await Bun.sleep(50);
  child.terminal?.close();
  return Buffer.concat(chunks).toString().replaceAll("\r\n", "\n");
}

for (const program of programs()) {
  describe(program.name, () => {
    const workshop = new Workshop(program);
    afterAll(() => workshop[Symbol.dispose]());
    const plain =
      'aegis-kexec: cannot run: there is no command "stauts"\nhint: did you mean status?\n';

    test("an error on a terminal is coloured", async () => {
      const text = await onTerminal(workshop, ["stauts"], { TERM: "xterm" });
      expect(text).toBe(
        plain
          .replace("aegis-kexec:", "\x1b[1;31maegis-kexec:\x1b[0m")
          .replace("hint:", "\x1b[36mhint:\x1b[0m"),
      );
    });

    test("an empty NO_COLOR is as good as none", async () => {
      const text = await onTerminal(workshop, ["stauts"], { TERM: "xterm", NO_COLOR: "" });
      expect(text).toContain("\x1b[");
    });

    test.each([
      ["NO_COLOR is set", { TERM: "xterm", NO_COLOR: "0" }],
      ["the terminal is dumb", { TERM: "dumb" }],
    ])("no colour when %s", async (_name, environment) => {
      expect(await onTerminal(workshop, ["stauts"], { ...environment })).toBe(plain);
    });

    test("results have no colour", async () => {
      const text = await onTerminal(workshop, ["--version"], { TERM: "xterm" });
      expect(text).toMatch(/^aegis-kexec \d+\.\d+\.\d+\n$/);
    });
  });
}
