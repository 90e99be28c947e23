/** `--menu` on a pseudo-terminal of 80 columns and 25 lines, as a person at a serial console has it. */
import { expect, setDefaultTimeout } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pack, plant } from "../unit/image/iso-build.ts";
import { describePrograms, type Workshop } from "./program.ts";

setDefaultTimeout(60_000);

const grub = `set default=1
menuentry Alpha --id a { linux /kernel root=/dev/a }
menuentry Beta --id b { linux /kernel root=/dev/b }
menuentry Setup --id s { fwsetup }
menuentry Gamma --id g { linux /kernel root=/dev/g }
`;

function plantMenu(cwd: string, menu: string): void {
  mkdirSync(join(cwd, "disk/grub"), { recursive: true });
  writeFileSync(join(cwd, "disk/grub/grub.cfg"), menu);
  copyFileSync(join(cwd, "kernel"), join(cwd, "disk/kernel"));
}

class Screen implements AsyncDisposable {
  private text = "";
  private readonly child;

  constructor(
    workshop: Workshop,
    words: readonly string[],
    menu = grub,
    fill = (cwd: string) => plantMenu(cwd, menu),
  ) {
    const cwd = workshop.directory();
    fill(cwd);
    const decoder = new TextDecoder();
    this.child = Bun.spawn(
      ["aegis-kexec", "load", "disk", "--menu", "--dry-run", "--verbose", ...words],
      {
        cwd,
        env: { ...workshop.environment, TERM: "vt100", NO_COLOR: "1" },
        terminal: {
          cols: 80,
          rows: 25,
          data: (_terminal, chunk) => {
            // The terminal makes \\r\\n of a line's end, whatever stands before it.
            this.text = `${this.text}${decoder.decode(chunk, { stream: true })}`.replace(
              /\r+\n/g,
              "\n",
            );
          },
        },
      },
    );
  }

  /** Waits until the pattern is on the screen behind what was seen last, and takes it as seen. */
  async sees(pattern: RegExp): Promise<string> {
    for (let turn = 0; turn < 600; turn += 1) {
      const found = pattern.exec(this.text);
      if (found !== null) {
        const seen = this.text.slice(0, found.index + found[0].length);
        this.text = this.text.slice(seen.length);
        return seen;
      }
      await Bun.sleep(25);
    }
    throw new Error(`${pattern} does not appear:\n${JSON.stringify(this.text)}`);
  }

  type(keys: string): void {
    this.child.terminal?.write(keys);
  }

  /** The exit code. */
  async ended(): Promise<number> {
    const exit = await this.child.exited;
    await Bun.sleep(50);
    return exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill();
    await this.child.exited;
    this.child.terminal?.close();
  }
}

const list = /q to leave[^\n]*\n[^\n]*\n/;

describePrograms((workshop, test) => {
  test("shows a plain list that fits, the default marked", async () => {
    await using screen = new Screen(workshop, []);
    const shown = await screen.sees(list);
    expect(shown.split("\n").slice(0, 6)).toEqual([
      "Boot which?",
      "  0  Alpha",
      "> 1  Beta",
      "  2  Setup  (cannot be booted)",
      "  3  Gamma",
      "arrows or digits, Enter to boot, i to inspect, q to leave",
    ]);
    screen.type("\r");
    await screen.sees(/menu entry: b /);
  });

  test("arrows and digits choose, and what cannot be booted is not taken", async () => {
    await using screen = new Screen(workshop, []);
    await screen.sees(list);
    screen.type("\x1b[A");
    await screen.sees(/> 0 {2}Alpha/);
    await screen.sees(list);
    screen.type("2");
    await screen.sees(/> 2 {2}Setup/);
    await screen.sees(list);
    screen.type("\r");
    await screen.sees(/it cannot be booted: it opens the firmware's setup/);
    screen.type("\x1bOB");
    await screen.sees(/> 3 {2}Gamma/);
    screen.type("\r");
    await screen.sees(/menu entry: g /);
  });

  test("i inspects the entry, and the list comes back", async () => {
    await using screen = new Screen(workshop, []);
    await screen.sees(list);
    screen.type("0i");
    expect(await screen.sees(/Boot which\?[\s\S]*?> 0 {2}Alpha/)).toContain("> 0  Alpha");
    const told = await screen.sees(/Verdict[\s\S]*Boot which\?\n/);
    expect(told).toContain("root=/dev/a");
    screen.type("q");
    await screen.sees(/no entry was chosen/);
    expect(await screen.ended()).toBe(2);
  });

  test("the default is counted down, and a key stops that", async () => {
    {
      await using screen = new Screen(workshop, ["--timeout", "2"]);
      await screen.sees(/booting in 2 s/);
      await screen.sees(/booting in 1 s/);
      await screen.sees(/menu entry: b /);
    }
    await using screen = new Screen(workshop, ["--timeout", "3"]);
    await screen.sees(/booting in 3 s/);
    screen.type("x");
    await screen.sees(/q to leave\n/);
    await Bun.sleep(3500);
    screen.type("\x03");
    expect(await screen.sees(/no entry was chosen/)).not.toContain("booting in");
    expect(await screen.ended()).toBe(2);
  });

  test("of a directory of images, the image's own menu comes next", async () => {
    await using screen = new Screen(workshop, [], undefined, (cwd) => {
      const live = (name: string) =>
        `menuentry ${name} --id ${name} { linux /live/kernel ${name} }\n`;
      for (const name of ["a", "b"]) {
        plant(join(cwd, name), {
          "boot/grub/grub.cfg": `${live(`first-${name}`)}${live(`second-${name}`)}`,
          "live/kernel": readFileSync(join(cwd, "kernel")),
        });
        mkdirSync(join(cwd, "disk"), { recursive: true });
        pack(join(cwd, name), join(cwd, "disk", `${name}.iso`), "both", ["-V", `IMAGE_${name}`]);
      }
    });
    expect(await screen.sees(list)).toContain("  1  IMAGE_b (no signature)\n");
    screen.type("1\r");
    await screen.sees(/> 0 {2}first-b\n {2}1 {2}second-b\n/);
    await screen.sees(list);
    screen.type("1");
    await screen.sees(/> 1 {2}second-b\n/);
    screen.type("\r");
    await screen.sees(/ISO image: b\.iso/);
    await screen.sees(/second-b findiso=/);
  });

  test("a long menu keeps to 80 columns and 25 lines", async () => {
    const many = Array.from(
      { length: 60 },
      (_, number) => `menuentry '${"long ".repeat(30)}${number}' { linux /kernel root=/dev/a }`,
    );
    await using screen = new Screen(workshop, [], many.join("\n"));
    const shown = (await screen.sees(list)).split("\n");
    expect(shown.length).toBeLessThanOrEqual(25);
    for (const line of shown) expect(line.length).toBeLessThan(80);
    screen.type("59");
    await screen.sees(/> 59 {2}long/);
  });
});
