/**
 * Containers as a CI service or a cautious user has them: a clean Debian with user, mount, pid and IPC
 * namespaces of its own, a small /dev, and nothing of this machine but its network.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { copySources } from "../copy.ts";
import { builtFolder, builtNames, findBuilt } from "../vm/lib/built-kernels.ts";
import { cacheFolder, dpkgInHaste, removal, withOwnMounts } from "../vm/lib/host.ts";

/** Debian's stable releases that are tried. */
export const suites = { "Debian 12": "bookworm", "Debian 13": "trixie" } as const;
export type DebianName = keyof typeof suites;

/** Who runs the commands: root of the container, or somebody whom sudo lets become that. */
export type User = "root" | "somebody";

/** How this machine reaches the network, which the other one must too. */
const networkVariables = /^(https?_proxy|no_proxy|npm_config_registry|NODE_EXTRA_CA_CERTS)$/i;
const networkFiles = ["/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"];

export const missingTools = ["mmdebstrap", "unshare", "setpriv", "pivot_root"].filter(
  (tool) => Bun.which(tool, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) === null,
);
if (process.getuid?.() !== 0) missingTools.push("root");

/** The first process of the container, as root of its user namespace; $1: the root, $2...: the command. */
const enter = `
root=$1; shift
mount --bind "$root" "$root"; cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755 dev dev
for node in null zero full random urandom tty; do : >dev/$node; mount --bind /dev/$node dev/$node; done
mkdir dev/pts dev/shm; chmod 1777 dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd; ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
mkdir -p .old; pivot_root . .old
exec chroot . sh -euc 'umount -l /.old; exec "$@"' sh "$@"
`;

export class Container {
  readonly #root: string;
  readonly #user: User;
  readonly #home: string;

  private constructor(root: string, user: User) {
    this.#root = root;
    this.#user = user;
    this.#home = user === "root" ? "/root" : `/home/${user}`;
  }

  /** A Debian with npm and sudo and nothing else of ours, and this repository in the user's home. */
  static async make(debian: DebianName, user: User): Promise<Container> {
    const root = join(cacheFolder, `fresh-${suites[debian]}-${user}`);
    await run([...removal, root]);
    await run(["cp", "-a", "--reflink=auto", await cleanDebian(suites[debian]), root]);
    const made = new Container(root, user);
    if (user !== "root") {
      await run(["chroot", root, "useradd", "--create-home", "--shell", "/bin/sh", user]);
      writeFileSync(join(root, "etc/sudoers.d", user), `${user} ALL=(ALL) NOPASSWD: ALL\n`);
    }
    await copySources(made.path("."));
    // What takes an hour to build is not built there again
    for (const name of builtNames.filter((one) => findBuilt(one) !== undefined)) {
      const place = made.path(".cache/kernels");
      mkdirSync(place, { recursive: true });
      await run(["cp", "-a", "--reflink=auto", join(builtFolder, name), place]);
    }
    await run(["chroot", root, "chown", "-R", `${user}:`, made.#home]);
    for (const file of networkFiles.filter((one) => existsSync(one))) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      copyFileSync(file, join(root, file));
    }
    return made;
  }

  /** Where a file of the repository is on this machine. */
  path(file: string): string {
    return join(this.#root, this.#home, "aegis-kexec", file);
  }

  /** Runs shell commands in the folder of the repository there. @throws Error unless they exit 0. */
  async run(script: string): Promise<string> {
    const user = this.#user;
    const become = ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--init-groups"];
    const command = [...become, "sh", "-euc", `cd ~/aegis-kexec; ${script}`];
    const apart = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child"];
    // Its ids are this machine's, once they are mapped: as nobody it could not set up anything
    const wait = ["unshare", "--user", "sh", "-euc", 'echo ready; read -r _; exec "$@"', "sh"];
    const network = Object.entries(process.env).filter(([name]) => networkVariables.test(name));
    const child = Bun.spawn(
      [...wait, ...apart, "sh", "-euc", enter, "sh", this.#root, ...command],
      {
        env: {
          ...Object.fromEntries(network),
          PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          HOME: this.#home,
          USER: user,
          LC_ALL: "C.UTF-8",
        },
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const said = new Response(child.stderr).text();
    const decoder = new TextDecoder();
    let stdout = "";
    for await (const bytes of child.stdout) {
      const first = stdout === "";
      stdout += decoder.decode(bytes, { stream: true });
      if (!first) continue;
      // user_namespaces(7): all ids, each to itself
      for (const map of ["uid_map", "gid_map"]) {
        writeFileSync(`/proc/${child.pid}/${map}`, "0 0 4294967295\n");
      }
      child.stdin.write("\n");
      child.stdin.end();
    }
    const stderr = await said;
    const exit = await child.exited;
    if (exit !== 0) throw new Error(`exit ${exit} of ${script}\n${stdout}${stderr}`);
    return stdout.replace("ready\n", "");
  }

  async remove(): Promise<void> {
    await run([...removal, this.#root]);
  }
}

/** A folder with the release as its installer would leave it; made once. */
async function cleanDebian(suite: string): Promise<string> {
  const root = join(cacheFolder, `fresh-${suite}`);
  if (existsSync(root)) return root;
  mkdirSync(cacheFolder, { recursive: true });
  // Another process may make the same one meanwhile.
  const unfinished = `${root}.${process.pid}`;
  // It stays so in the containers, where hundreds of packages are installed
  const options = ["--include=npm,ca-certificates,sudo", dpkgInHaste];
  const make = ["mmdebstrap", "--mode=root", "--variant=minbase", ...options, suite, unfinished];
  await run(withOwnMounts(make));
  if (existsSync(root)) await run([...removal, unfinished]);
  else renameSync(unfinished, root);
  return root;
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exit !== 0) throw new Error(`exit ${exit} of ${command.join(" ")}\n${said}`);
}
