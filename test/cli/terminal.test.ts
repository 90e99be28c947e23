import { expect } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describePrograms, type Workshop } from "./program.ts";

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

describePrograms((workshop, test) => {
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

  for (const [name, environment] of [
    ["NO_COLOR is set", { TERM: "xterm", NO_COLOR: "0" }],
    ["the terminal is dumb", { TERM: "dumb" }],
  ] as const) {
    test(`no colour when ${name}`, async () => {
      expect(await onTerminal(workshop, ["stauts"], { ...environment })).toBe(plain);
    });
  }

  test("a refusal that inspect shows on the screen is not said there once more", async () => {
    const words = ["inspect", "archive"];
    const piped = Bun.spawnSync(["aegis-kexec", ...words], {
      cwd: workshop.directory(),
      env: workshop.environment,
    });
    const [, said = ""] = /^aegis-kexec: (.+)\nhint: /.exec(piped.stderr.toString()) ?? [];
    expect(said).not.toBe("");
    const text = await onTerminal(workshop, words, { TERM: "dumb" });
    expect(text.replace(/\s+/g, " ").split(said)).toHaveLength(2);
    expect(text).toContain("\nhint: ");
  });

  test("work longer than a second shows how far it is, and in a pipe nothing", async () => {
    const cwd = workshop.directory();
    writeFileSync(join(cwd, "large.img"), "BZh");
    // Holes, which take no disk: as much as a kernel takes, four times, so that both are stopped before the end.
    truncateSync(join(cwd, "large.img"), 2 ** 32);
    const archives = Array.from({ length: 4 }, () => ["--initrd", "large.img"]).flat();
    const command = ["aegis-kexec", "manifest", "kernel", ...archives, "--cmdline=x"];
    const options = { cwd, env: { ...workshop.environment, TERM: "xterm" } };
    const piped = Bun.spawn([...command, "--generation", "1"], { ...options, stderr: "pipe" });
    const chunks: Uint8Array[] = [];
    const shown = () => Buffer.concat(chunks).toString();
    const child = Bun.spawn([...command, "--generation", "1"], {
      ...options,
      terminal: { cols: 80, rows: 24, data: (_, chunk) => void chunks.push(chunk.slice()) },
    });
    const started = performance.now();
    while (shown() === "" && child.exitCode === null) await Bun.sleep(50);
    expect(performance.now() - started).toBeGreaterThan(900);
    expect(shown()).toMatch(/^\rreading large\.img: \d+ % of 4\.0 GiB +/);
    for (const one of [child, piped]) {
      one.kill();
      await one.exited;
    }
    child.terminal?.close();
    expect(await new Response(piped.stderr).text()).toBe("");
  }, 60_000);

  test("results have no colour", async () => {
    const text = await onTerminal(workshop, ["--version"], { TERM: "xterm" });
    expect(text).toMatch(/^aegis-kexec \d+\.\d+\.\d+\n$/);
  });
});
