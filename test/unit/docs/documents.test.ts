import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { optionsOf } from "../../../build/docs/reference.ts";
import { documents } from "../../../build/docs.ts";
import { spellings } from "../../../src/cli/arguments/options.ts";
import { loadCommands } from "../../../src/cli/commands/index.ts";
import { version } from "../../../src/version.ts";

const root = join(import.meta.dir, "..", "..", "..");
const made = await documents();
const commands = await loadCommands();
const bashFile = "contrib/completions/aegis-kexec.bash";
const zshFile = "contrib/completions/_aegis-kexec";
const fishFile = "contrib/completions/aegis-kexec.fish";

async function run(...command: readonly string[]) {
  const child = Bun.spawn([...command], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, stdout, stderr };
}

function testWith(tool: string, name: string, body: () => Promise<void>): void {
  const missing = Bun.which(tool) === null;
  test.skipIf(missing)(missing ? `${name} (needs ${tool})` : name, body);
}

test.each([...made])("%s is up to date: bun run docs", async (path, text) => {
  expect(await Bun.file(join(root, path)).text()).toBe(text);
});

test.each([...made])("%s names every command and every option", (_path, text) => {
  for (const command of commands) {
    expect(text).toContain(command.meta.name);
    for (const [name, definition] of optionsOf(command)) {
      for (const spelt of spellings(name, definition)) {
        expect(text).toMatch(new RegExp(`(-|-[ls] |Fl )${spelt.replace(/^-+/, "")}\\b`));
      }
    }
  }
});

testWith("mandoc", "the manual page has no fault", async () => {
  const { stdout, stderr } = await run("mandoc", "-T", "lint", "contrib/man/aegis-kexec.8");
  // Whether the host has the pages that it refers to is the host's affair. A page that is of no
  // operating system's own names itself in .Os.
  const others = /mandoc\.db|referenced manual|operating system explicitly specified/;
  const faults = `${stdout}${stderr}`.split("\n").filter((line) => !others.test(line));
  expect(faults.join("\n")).toBe("");
});

testWith("mandoc", "the manual page shows options as they are typed", async () => {
  const { stdout } = await run("mandoc", "-T", "utf8", "contrib/man/aegis-kexec.8");
  const page = stdout.replace(/.\x08/g, "").replace(/\s+/g, " ");
  expect(page).toContain("--cmdline TEXT, --command-line TEXT The whole command line");
  expect(page).toContain("--help, -h");
  expect(page).toContain(
    'aegis-kexec boot /mnt/vmlinuz --initrd /mnt/initrd.img --cmdline "root=LABEL=RESCUE quiet"',
  );
  expect(page).toContain(
    "--crash Drop the crash kernel, and leave the other one loaded. Taken by unload.",
  );
});

for (const [tool, ...command] of [
  ["mandoc", "mandoc", "-T", "utf8"],
  ["groff", "groff", "-T", "utf8", "-mdoc"],
] as const) {
  testWith(tool, `the manual page by ${tool} is of this version, and not of BSD`, async () => {
    const { stdout } = await run(...command, "contrib/man/aegis-kexec.8");
    const lines = stdout
      .replace(/\x1b\[[\d;]*m|.\x08/g, "")
      .trim()
      .split("\n");
    expect(lines[0]).toMatch(/^AEGIS-KEXEC\(8\) .* System Manager.s Manual /);
    expect(lines.at(-1)).toStartWith(`aegis-kexec ${version} `);
    expect(`${lines[0]}${lines.at(-1)}`).not.toContain("BSD");
  });
}

testWith("bash", "bash takes its completion", async () => {
  expect(await run("bash", "-n", bashFile)).toEqual({ exit: 0, stdout: "", stderr: "" });
});

describe("bash completes", () => {
  const rows = [
    [["aegis-kexec", "in"], ["inspect"]],
    [
      ["aegis-kexec", "boot", "--q"],
      ["--quiesce", "--quiet"],
    ],
    [["aegis-kexec", "--json", "unload", "--c"], ["--crash"]],
    [["aegis-kexec", "exec", "--initrd", "nowhere", "--no"], ["--no-sync"]],
    [["aegis-kexec", "status", "--initrd"], []],
    [
      ["aegis-kexec", "boot", "--on-failure", "re"],
      ["return", "reboot"],
    ],
    [["aegis-kexec", "boot", "--on-failure", "=", "p"], ["poweroff"]],
    [["aegis-kexec", "boot", "--quiesce", "gpu,n"], ["gpu,net"]],
    [["aegis-kexec", "boot", "--cmdline", "p"], []],
    [["aegis-kexec", "load", "--initrd", "bunf"], ["bunfig.toml"]],
    [["aegis-kexec", "load", "bunf"], ["bunfig.toml"]],
    [["aegis-kexec", "exec", "bunf"], []],
    [["aegis-kexec", "help", "st"], ["status"]],
    // b: build and build.ts, bun.lock and bunfig.toml, biome.json
    [["aegis-kexec", "inspect", "--policy-root", "b"], ["build"]],
  ] as const;
  for (const [words, offered] of rows) {
    testWith("bash", words.join(" "), async () => {
      const script =
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aegis_kexec; declare -p COMPREPLY';
      const { stdout, stderr } = await run("bash", "--norc", "-c", script, bashFile, ...words);
      expect(stderr).toBe("");
      expect([...stdout.matchAll(/="([^"]*)"/g)].map(([, one]) => one)).toEqual([...offered]);
    });
  }
});

describe("bash completes kexec", () => {
  const rows = [
    [
      ["kexec", "--re"],
      ["--reset-vga", "--reuse-cmdline"],
    ],
    [["kexec", "--initrd", "=", "bunf"], ["bunfig.toml"]],
    [["kexec", "-l", "bunf"], ["bunfig.toml"]],
    [["kexec", "--append", "=", "bunf"], []],
    [["kexec", "--mem-m"], []],
    [
      ["kexec", "--kexec-"],
      ["--kexec-file-syscall", "--kexec-syscall-auto"],
    ],
    [
      ["kexec", "--no-"],
      ["--no-checks", "--no-ifdown", "--no-sync", "--no-cma"],
    ],
    [["kexec", "--hot"], ["--hotplug"]],
    [["kexec", "-c"], []],
    [["kexec", "-x"], ["-x"]],
    [
      ["kexec", "--load"],
      ["--load", "--load-panic"],
    ],
  ] as const;
  for (const [words, offered] of rows) {
    testWith("bash", words.join(" "), async () => {
      const script =
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aegis_kexec_as_kexec; declare -p COMPREPLY';
      const { stdout, stderr } = await run("bash", "--norc", "-c", script, bashFile, ...words);
      expect(stderr).toBe("");
      expect([...stdout.matchAll(/="([^"]*)"/g)].map(([, one]) => one)).toEqual([...offered]);
    });
  }
});

testWith("zsh", "zsh takes its completion", async () => {
  expect(await run("zsh", "-fn", zshFile)).toEqual({ exit: 0, stdout: "", stderr: "" });
});

describe("zsh completes", () => {
  const rows = [
    ["aegis-kexec in", ["inspect"]],
    ["aegis-kexec boot --q", ["--quiesce", "--quiet"]],
    ["aegis-kexec --json unload --c", ["--crash"]],
    ["aegis-kexec boot --on-failure re", ["reboot", "return"]],
    ["aegis-kexec boot --on-failure=p", ["poweroff"]],
    ["aegis-kexec boot --quiesce gpu,n", ["net"]],
    ["aegis-kexec load --initrd nowhere --initrd bunf", ["bunfig.toml"]],
    ["aegis-kexec load bunf", ["bunfig.toml"]],
    ["aegis-kexec load README.md bunf", ["bunfig.toml"]],
    ["aegis-kexec fetch boot.json bunf", ["bunfig.toml"]],
    ["aegis-kexec manifest README.md bunf", []],
    ["aegis-kexec exec bunf", []],
    ["aegis-kexec help st", ["status"]],
    ["aegis-kexec inspect --policy-root b", ["build"]],
    ["kexec --re", ["--reset-vga", "--reuse-cmdline"]],
    ["kexec --initrd=bunf", ["bunfig.toml"]],
    ["kexec --mem-m", []],
    ["kexec --kexec-", ["--kexec-file-syscall", "--kexec-syscall-auto"]],
    ["kexec --no-", ["--no-checks", "--no-cma", "--no-ifdown", "--no-sync"]],
    ["kexec --hot", ["--hotplug"]],
  ] as const;
  for (const [line, offered] of rows) {
    testWith("zsh", line, async () => {
      const folder = await mkdtemp(join(tmpdir(), "aegis-kexec-zsh-"));
      try {
        const record = join(folder, "record");
        const script = "test/unit/docs/offered.zsh";
        const { exit } = await run("zsh", "-f", script, join(root, zshFile), line, record);
        expect(exit).toBe(0);
        const words = [...(await Bun.file(record).text()).matchAll(/^offer:(.*)$/gm)];
        expect([...new Set(words.map(([, one]) => one))].sort()).toEqual([...offered]);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});

testWith("fish", "fish takes its completion, and completes", async () => {
  expect(await run("fish", "--no-config", "-n", fishFile)).toEqual({
    exit: 0,
    stdout: "",
    stderr: "",
  });
  const complete = async (line: string) => {
    const script = `source ${fishFile}; complete -C '${line}'`;
    const { stdout } = await run("fish", "--no-config", "-c", script);
    const offered = stdout
      .trim()
      .split("\n")
      .map((one) => one.split("\t")[0] ?? "");
    // fish 4 also offers, behind those, what has the letters anywhere in it
    const exact = offered.filter((one) => one.startsWith(line.split(" ").at(-1) ?? ""));
    return exact.length > 0 ? exact : offered;
  };
  expect(await complete("aegis-kexec in")).toEqual(["inspect"]);
  expect(await complete("aegis-kexec boot --q")).toEqual(["--quiesce", "--quiet"]);
  expect(await complete("aegis-kexec boot --on-failure re")).toEqual(["reboot", "return"]);
  expect(await complete("aegis-kexec load --initrd bunf")).toEqual(["bunfig.toml"]);
  expect(await complete("aegis-kexec exec bunf")).toEqual([""]);
  expect(await complete("aegis-kexec inspect --policy-root b")).toEqual(["build/"]);
  const longOf = async (line: string) => (await complete(line)).sort();
  expect(await longOf("kexec --re")).toEqual(["--reset-vga", "--reuse-cmdline"]);
  expect(await longOf("kexec --kexec-")).toEqual(["--kexec-file-syscall", "--kexec-syscall-auto"]);
  expect(await longOf("kexec --no-")).toEqual([
    "--no-checks",
    "--no-cma",
    "--no-ifdown",
    "--no-sync",
  ]);
});

for (const name of ["upgrade", "fetch-upgrade"]) {
  testWith("ansible-playbook", `Ansible takes the playbook ${name}`, async () => {
    const playbook = `contrib/ansible/${name}.yml`;
    const checked = await run("ansible-playbook", "--syntax-check", "-i", "one,", playbook);
    expect(checked).toEqual({ exit: 0, stdout: `\nplaybook: ${playbook}\n`, stderr: "" });
  });
}
