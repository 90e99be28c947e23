/** Software TPMs for guests, and tpm2-tools of this host: on a TPM of its own, or on a guest's. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Guest } from "./guest.ts";
import { temporaryFolder, temporaryPath } from "./host.ts";

/** A software TPM, and QEMU's arguments for it. */
export async function softwareTpm({
  device = "tpm-crb",
  banks,
}: {
  readonly device?: "tpm-crb" | "tpm-tis-device";
  /** The only banks that are active, with commas between; default: swtpm's own. */
  readonly banks?: string;
} = {}) {
  const folder = temporaryFolder("tpm");
  const control = join(folder, "control");
  if (banks !== undefined) {
    run(["swtpm_setup", "--tpm2", "--tpm-state", folder, "--pcr-banks", banks, "--overwrite"]);
  }
  const child = Bun.spawn(
    [
      ...["swtpm", "socket", "--tpm2", "--tpmstate", `dir=${folder}`],
      ...["--ctrl", `type=unixio,path=${control}`, "--terminate"],
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  await untilThere(control);
  return {
    arguments: [
      ...["-chardev", `socket,id=chrtpm,path=${control}`],
      ...["-tpmdev", "emulator,id=tpm0,chardev=chrtpm", "-device", `${device},tpmdev=tpm0`],
    ],
    [Symbol.dispose]: () => child.kill(),
  };
}

/** tpm2-tools, each a command line that must succeed unless it is asked of `attempt`. */
export class Tpm2Tools implements Disposable {
  private constructor(
    private readonly socket: string,
    private readonly stop: () => void,
  ) {}

  /** On a TPM that nobody else has, with everything in it at its beginning. */
  static async onOwn(): Promise<Tpm2Tools> {
    const folder = temporaryFolder("own-tpm");
    const socket = join(folder, "socket");
    const child = Bun.spawn(
      [
        ...["swtpm", "socket", "--tpm2", "--tpmstate", `dir=${folder}`],
        ...["--server", `type=unixio,path=${socket}`, "--flags", "startup-clear"],
      ],
      { stdout: "ignore", stderr: "ignore" },
    );
    await untilThere(socket);
    return new Tpm2Tools(socket, () => child.kill());
  }

  /** On the TPM of a guest: each command is written to its device there, and the response read. */
  static onGuest(guest: Guest): Tpm2Tools {
    const socket = temporaryPath("guest-tpm");
    const server = Bun.listen<{ pending: Buffer }>({
      unix: socket,
      socket: {
        open(connection) {
          connection.data = { pending: Buffer.alloc(0) };
        },
        async data(connection, bytes) {
          const pending = Buffer.concat([connection.data.pending, bytes]);
          connection.data.pending = pending;
          // The size stands behind the tag: Part 1, 18.2
          if (pending.length < 10 || pending.length < pending.readUInt32BE(2)) return;
          connection.data.pending = Buffer.alloc(0);
          const answer = await guest.check(
            `echo ${pending.toString("base64")} | base64 -d >/run/command; exec 3<>/dev/tpm0; ` +
              "dd if=/run/command bs=4096 count=1 >&3 2>/dev/null; dd bs=4096 count=1 <&3 2>/dev/null | base64",
          );
          connection.write(Buffer.from(answer, "base64"));
        },
      },
    });
    return new Tpm2Tools(socket, () => server.stop(true));
  }

  async run(command: string): Promise<string> {
    const { exit, output } = await this.attempt(command);
    if (exit !== 0) throw new Error(`${command}: exit ${exit}\n${output}`);
    return output;
  }

  /** Runs it, and takes what it left in the TPM's few places out of them. */
  async attempt(command: string): Promise<{ readonly exit: number; readonly output: string }> {
    const done = await this.spawn(command);
    await this.spawn("tpm2_flushcontext --transient-object; tpm2_flushcontext --saved-session");
    return done;
  }

  private async spawn(command: string) {
    const child = Bun.spawn(["sh", "-ec", command], {
      env: {
        PATH: process.env["PATH"] ?? "",
        TPM2TOOLS_TCTI: `cmd:socat -t 60 - UNIX-CONNECT:${this.socket}`,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, exit] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exit, output: `${stdout}${stderr}` };
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** An entry of a log as systemd keeps it. */
export interface Entry {
  readonly pcr: number;
  readonly digests: readonly { readonly hashAlg: string; readonly digest: string }[];
  readonly content: { readonly string: string };
}

/** The records of a log: JSON text sequences, RFC 7464. */
export function parseLog(log: string): Entry[] {
  return log
    .split("\x1e")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Entry);
}

/** The value of a PCR in a bank once tpm2-tools extended it by the entries, lower-case hex. */
export async function replayedByTools(
  entries: readonly Entry[],
  pcr: number,
  bank: string,
): Promise<string> {
  using tools = await Tpm2Tools.onOwn();
  for (const entry of entries) {
    const digest = entry.digests.find(({ hashAlg }) => hashAlg === bank)?.digest;
    if (entry.pcr === pcr) await tools.run(`tpm2_pcrextend ${pcr}:${bank}=${digest}`);
  }
  const value = /0x([0-9A-F]+)/.exec(await tools.run(`tpm2_pcrread ${bank}:${pcr}`))?.[1];
  return value?.toLowerCase() ?? "";
}

/** The value of a PCR as the kernel shows it, in the guest. */
export function pcrOf(bank: string, pcr: number): string {
  return `cat /sys/class/tpm/tpm0/pcr-${bank}/${pcr} | tr 'A-F' 'a-f'`;
}

async function untilThere(path: string): Promise<void> {
  for (let tries = 0; tries < 200 && !existsSync(path); tries++) await Bun.sleep(50);
}

function run(command: readonly string[]): void {
  const child = Bun.spawnSync([...command]);
  if (!child.success) throw new Error(`${command.join(" ")}\n${child.stdout}${child.stderr}`);
}
