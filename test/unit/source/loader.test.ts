/** Which boot entry is taken, and what its loader would write. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Source } from "../../../src/source/open.ts";

const scratch = mkdtempSync(join(tmpdir(), "aegis-loader-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let folders = 0;
function folder(files: Readonly<Record<string, string>>): string {
  const root = join(scratch, String(folders++));
  for (const [name, text] of Object.entries({ vmlinuz: "k", ...files })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

/** Opens the source and does what is done once the kernel took it. */
async function boot(path: string, entry?: string) {
  const warnings: string[] = [];
  const listener = { warn: (line: string) => warnings.push(line) };
  using source = await Source.open({ source: path, initrd: [], entry }, listener);
  const failed = source.afterwards.map(({ make }) => make());
  expect(failed.filter((why) => why !== undefined)).toEqual([]);
  return { cmdline: source.cmdline, from: source.from, warnings };
}

const entry = (version: number) =>
  `title Fedora ${version}\nversion ${version}\nlinux /vmlinuz\noptions v=${version}\n`;
const entries = Object.fromEntries(
  [41, 42, 43].map((version) => [`loader/entries/fedora-${version}.conf`, entry(version)]),
);
const grubenv = (lines: string) => `# GRUB Environment Block\n${lines}`.padEnd(1024, "#");

describe("boot entries", () => {
  test.each([
    ["the newest where nothing is said", {}, "v=43"],
    [
      "what loader.conf says",
      { "loader/loader.conf": "timeout 5\ndefault fedora-41.conf\n" },
      "v=41",
    ],
    ["its pattern", { "loader/loader.conf": "default *-4[12].conf\n" }, "v=42"],
    ["the newest where it names none", { "loader/loader.conf": "default gone\n" }, "v=43"],
    ["what GRUB saved", { "grub2/grubenv": grubenv("saved_entry=fedora-41\n") }, "v=41"],
    ["what GRUB saved by title", { "grub2/grubenv": grubenv("saved_entry=Fedora 42\n") }, "v=42"],
    [
      "what GRUB keeps on the partition of EFI",
      { "EFI/fedora/grubenv": grubenv("saved_entry=fedora-42\n") },
      "v=42",
    ],
    [
      "loader.conf before GRUB",
      { "loader/loader.conf": "timeout 3\n", "grub2/grubenv": grubenv("saved_entry=fedora-41\n") },
      "v=43",
    ],
  ])("are taken by %s", async (_, files, cmdline) => {
    expect(await boot(folder({ ...entries, ...files }))).toMatchObject({ cmdline });
  });

  test("a default that names none is told", async () => {
    const { warnings } = await boot(folder({ ...entries, "loader/loader.conf": "default gone\n" }));
    expect(warnings.join("\n")).toContain("default in loader.conf (gone) names no boot entry");
  });

  test("GRUB's next entry is taken once", async () => {
    const path = folder({
      ...entries,
      "grub2/grubenv": grubenv("saved_entry=fedora-41\nnext_entry=fedora-42\n"),
    });
    expect((await boot(path)).cmdline).toBe("v=42");
    const after = readFileSync(join(path, "grub2/grubenv"), "utf8");
    expect(after).toBe(grubenv("saved_entry=fedora-41\nnext_entry=\n"));
    expect((await boot(path)).cmdline).toBe("v=41");
  });

  test("a counted one is counted down, and falls to the next when used up", async () => {
    const path = folder({
      "loader/entries/b+2.conf": entry(2),
      "loader/entries/a.conf": entry(1),
    });
    const names = () => readdirSync(join(path, "loader/entries")).sort();
    const first = await boot(path);
    expect(first.cmdline).toBe("v=2");
    expect(first.from).toEndWith("/loader/entries/b.conf");
    expect(names()).toEqual(["a.conf", "b+1-1.conf"]);
    expect((await boot(path)).cmdline).toBe("v=2");
    expect(names()).toEqual(["a.conf", "b+0-2.conf"]);
    const last = await boot(path);
    expect(last).toMatchObject({ cmdline: "v=1", from: undefined });
    expect(names()).toEqual(["a.conf", "b+0-2.conf"]);
    expect((await boot(path, "b")).warnings).toEqual([
      "the boot entry loader/entries/b+0-2.conf has no tries left",
    ]);
  });
});

describe("GRUB's menu", () => {
  const config = `load_env
if [ "\${next_entry}" ]; then set default="\${next_entry}"; set next_entry=; save_env next_entry; else set default="\${saved_entry}"; fi
menuentry A --id a { linux /vmlinuz a }
menuentry B --id b { set saved_entry=b; save_env saved_entry; linux /vmlinuz b }
menuentry Setup --id s { fwsetup }
`;

  test("what it saves is written, and its next entry is taken once", async () => {
    const path = folder({
      "grub/grub.cfg": config,
      "grub/grubenv": grubenv("saved_entry=a\nnext_entry=b\n"),
    });
    expect((await boot(path)).cmdline).toBe("b");
    expect(readFileSync(join(path, "grub/grubenv"), "utf8")).toBe(
      grubenv("saved_entry=b\nnext_entry=\n"),
    );
  });

  test("a next entry that cannot be booted here stays for GRUB", async () => {
    const env = grubenv("saved_entry=b\nnext_entry=s\n");
    const path = folder({ "grub/grub.cfg": config, "grub/grubenv": env });
    const { cmdline, warnings } = await boot(path);
    expect(cmdline).toBe("b");
    expect(warnings).toEqual([
      "next_entry in grubenv (s) is left alone: it opens the firmware's setup",
    ]);
    expect(readFileSync(join(path, "grub/grubenv"), "utf8")).toContain("next_entry=s\n");
  });
});
