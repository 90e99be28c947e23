/** Loads modules as the first process, where no udev does: what disks ask for, and what their file systems do. */
import { EEXIST, ENODEV, ENXIO } from "../../errno.ts";
import { moduleParameters, parameterValues } from "../../kernel-words.ts";
import { readText } from "../../linux/descriptor.ts";
import { deviceAliases, loadModuleFile, type ModuleLoader } from "../../linux/device/modules.ts";
import { KernelLog } from "../../linux/kmsg.ts";
import { exists, isDirectory } from "../../linux/path.ts";
import { readLockdown } from "../../machine/kernel.ts";
import { valueIn } from "../../machine/reading.ts";
import { refusal } from "./refusal.ts";
import { fileSystemModules, isWanted, type Wanted } from "./select.ts";
import { isCompressed, ModuleTable, moduleName } from "./table.ts";

/** Bytes of modules.alias and its like; Debian's have 1.5 MB. */
const largestTable = 1 << 24;
/** Modules that are loaded, those that are needed by others among them. */
const mostModules = 512;
/** Modules bring devices that ask for modules: buses behind buses. */
const mostRounds = 8;
/** Milliseconds that modprobe may take for all that it is given at once. */
const longestModprobe = 60_000;
/** A module that needs others needs no deeper chain. */
const deepest = 32;

interface Words {
  warn(line: string): void;
  note(line: string): void;
}

interface RunningKernel {
  readonly release: string;
  /** Its command line, with the modules' parameters on it. */
  readonly cmdline: string;
}

/** Loads from the folder of the running kernel's modules; undefined where there is none. */
export function moduleLoaderFor(
  { release, cmdline }: RunningKernel,
  wanted: Wanted,
  words: Words,
): ModuleLoader | undefined {
  const folder = ["/lib/modules", "/usr/lib/modules"]
    .map((root) => `${root}/${release}`)
    .find(isDirectory);
  if (folder === undefined) return undefined;
  const text = (name: string) => {
    const file = readText(`${folder}/modules.${name}`, largestTable);
    return file.ok ? file.text : undefined;
  };
  const [dep, alias] = [text("dep"), text("alias")];
  if (dep === undefined || alias === undefined) {
    words.warn(
      `no modules are loaded: ${folder} has no modules.${dep === undefined ? "dep" : "alias"} (run depmod when the initramfs is made)`,
    );
    return undefined;
  }
  const table = new ModuleTable({ dep, alias, softdep: text("softdep") ?? "" });
  const modprobe = ["/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe"].find(exists);
  return new Loader(folder, table, { modprobe, cmdline }, wanted, words);
}

class Loader implements ModuleLoader {
  /** By name: what was tried, whatever came of it. */
  private readonly tried = new Set<string>();
  private readonly asked = new Set<string>();
  /** What no device brings in: modprobe(8). */
  private readonly unwanted: ReadonlySet<string>;

  constructor(
    private readonly folder: string,
    private readonly table: ModuleTable,
    private readonly how: { readonly modprobe: string | undefined; readonly cmdline: string },
    private readonly wanted: Wanted,
    private readonly words: Words,
  ) {
    const lists = parameterValues(how.cmdline, "modprobe.blacklist");
    this.unwanted = new Set(lists.flatMap((list) => list.split(",")).map(moduleName));
  }

  devices(): void {
    for (let round = 0; round < mostRounds; round++) {
      const found = new Set<string>();
      for (const alias of deviceAliases()) {
        if (this.asked.has(alias)) continue;
        this.asked.add(alias);
        for (const name of this.table.serving(alias)) {
          const file = this.unwanted.has(name) ? undefined : this.table.file(name);
          if (file !== undefined && isWanted(name, file.path, this.wanted)) found.add(name);
        }
      }
      if (!this.load([...found])) return;
    }
  }

  fileSystem(type: string): void {
    this.load(fileSystemModules(type).flatMap((word) => this.resolve(word)));
  }

  /** A module's name, or what serves an alias of it. */
  private resolve(word: string): readonly string[] {
    if (this.table.file(word) !== undefined) return [moduleName(word)];
    return [word, `crypto-${word}`].flatMap((alias) => this.table.serving(alias));
  }

  /** @returns whether something was tried that had not been */
  private load(names: readonly string[]): boolean {
    const fresh = names.filter((name) => !this.tried.has(name));
    if (fresh.length === 0) return false;
    this.words.note(`loading modules: ${fresh.join(", ")}`);
    using log = KernelLog.fromNow();
    const { modprobe } = this.how;
    if (modprobe === undefined) for (const name of fresh) this.insert(name, log, 0);
    else this.run(modprobe, fresh, log);
    return true;
  }

  private insert(name: string, log: KernelLog, depth: number): void {
    const file = this.table.file(name);
    if (file === undefined || this.tried.has(name) || depth > deepest) return;
    if (this.tried.size >= mostModules) return;
    this.tried.add(name);
    for (const wish of this.table.wishes(name)) {
      for (const other of this.resolve(wish)) this.insert(other, log, depth + 1);
    }
    for (const path of file.needs) this.insert(moduleName(path), log, depth + 1);
    const parameters = moduleParameters(this.how.cmdline, name);
    const path = `${this.folder}/${file.path}`;
    const result = loadModuleFile(path, isCompressed(file.path), parameters);
    // Loaded already; built for a processor or a device that is not here.
    if ([0, -EEXIST, -ENODEV, -ENXIO].includes(result)) return;
    const lines = log.lines();
    this.words.warn(
      `the module ${name} was not loaded: ${refusal(-result, file.path, lines, whySigned)}`,
    );
  }

  private run(modprobe: string, names: readonly string[], log: KernelLog): void {
    for (const name of names) this.tried.add(name);
    const done = Bun.spawnSync([modprobe, "-a", "-q", ...names], {
      ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe" },
      ...{ env: {}, timeout: longestModprobe, killSignal: "SIGKILL" },
    });
    if (done.exitedDueToTimeout === true) {
      this.words.warn(
        `modprobe was given up after ${longestModprobe / 1000} s: ${names.join(", ")}`,
      );
    }
    const said = done.stderr.toString().trim().split("\n").filter(Boolean);
    const lines = [...said, ...log.lines().filter((line) => /modul/i.test(line))];
    if (done.exitCode === 0 || lines.length === 0) return;
    for (const line of lines.slice(0, 16)) this.words.warn(`modprobe: ${line}`);
    if (lines.some((line) => /lockdown|not permitted|rejected|required key/i.test(line))) {
      this.words.warn(whySigned());
    }
  }
}

/** Why a kernel refuses a module at all. */
function whySigned(): string {
  const disabled = readText("/proc/sys/kernel/modules_disabled");
  if (disabled.ok && disabled.text.trim() === "1") {
    return "no module can be loaded any more (kernel.modules_disabled=1)";
  }
  const lockdown = valueIn(readLockdown());
  return lockdown === undefined || lockdown === "none"
    ? "the kernel does not permit it"
    : `the kernel is locked down (${lockdown}), and takes only modules that are signed by a key it was built with`;
}
