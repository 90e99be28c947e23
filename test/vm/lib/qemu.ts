/** One QEMU process: its command line, its lines to the outside, its end. */
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Socket } from "bun";
import { type Arch, temporaryFolder } from "./host.ts";

/** QEMU's word for what runs the guests; "tcg" is software. */
export const accelerator = process.env["AEGIS_VM_ACCEL"] ?? "tcg";

export interface MachineOptions {
  readonly arch: Arch;
  /** Kernel image on the host. */
  readonly kernel: string;
  /** Initramfs on the host. */
  readonly initramfs: string;
  /** The whole command line. */
  readonly cmdline: string;
  /** MiB; default 1024. */
  readonly memory?: number;
  /** `-machine`; default q35 or virt. */
  readonly machine?: string;
  /** `-cpu`; default max. */
  readonly cpu?: string;
  /** `-icount`, for example `shift=0,sleep=off`: guest time counts instructions. */
  readonly icount?: string;
  /** UEFI firmware with secure variables; the variables are copied, so each guest has its own. */
  readonly firmware?: { readonly code: string; readonly variables: string };
  /** The firmware starts what it finds on a disk: QEMU gives no kernel, archive and command line. */
  readonly fromDisk?: boolean;
  /** Lets a guest's reset through firmware happen, where QEMU would end otherwise. */
  readonly reboot?: boolean;
  readonly extraQemuArgs?: readonly string[];
}

/** A line to QEMU. */
export interface Port {
  readonly send: (bytes: Uint8Array) => void;
  readonly receive: (listener: (bytes: Uint8Array) => void) => void;
}

export interface Qemu {
  /** The kernel's console, and on aarch64 the agent's line too: it has one serial port. */
  readonly console: Port;
  readonly agent: Port;
  /** QMP. */
  readonly control: Port;
  readonly exited: Promise<number>;
  /** What QEMU itself said. */
  readonly errors: () => string;
  readonly kill: () => void;
}

/** Starts QEMU. @throws Error when it is not installed or does not start. */
export async function startQemu(options: MachineOptions): Promise<Qemu> {
  const program = `qemu-system-${options.arch}`;
  if (Bun.which(program) === null)
    throw new Error(`${program} is missing: run "bun test/setup.ts"`);
  const folder = temporaryFolder("guest");
  const names =
    options.arch === "x86_64" ? ["console", "agent", "control"] : ["console", "control"];
  const ports = new Map(names.map((name) => [name, listen(join(folder, name))] as const));
  const errors = join(folder, "errors");
  const command = [program, ...machineArguments(options, folder)];
  // The kernel kills QEMU where this process has no chance to.
  const guarded = Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
  const child = Bun.spawn([...guarded, ...command], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: Bun.file(errors),
  });
  const readErrors = () => readFileSync(errors, "utf8").trim();
  const exited = child.exited.then((exit) => {
    for (const { close } of ports.values()) close();
    return exit;
  });
  const connected = Promise.all([...ports.values()].map((port) => port.connected));
  const early = await Promise.race([connected.then(() => undefined), exited]);
  if (early !== undefined) throw new Error(`${program} ended with ${early}: ${readErrors()}`);
  const consolePort = portOf("console");
  return {
    console: consolePort,
    agent: ports.has("agent") ? portOf("agent") : consolePort,
    control: portOf("control"),
    exited,
    errors: readErrors,
    kill: () => child.kill("SIGKILL"),
  };

  function portOf(name: string): Port {
    const port = ports.get(name);
    if (port === undefined) throw new Error(`no port ${name}`);
    return port;
  }
}

/**
 * Without impdef, pointer authentication alone costs more than all else (QEMU's docs, arm/cpu-features).
 *
 * With SVE, QEMU goes on executing code that was overwritten: of a vector that is stored over code it
 * drops only what it translated of the first byte (accel/tcg/cputlb.c, probe_access_full: notdirty_write
 * of length 1, for target/arm/sve_helper.c, sve_stN_r). Where the kernel offers SVE, as Debian's does,
 * glibc's memcpy stores up to 32 bytes in that way, and programs with a JIT crash now and then.
 *
 * Measured with QEMU 7.2.22 and 10.0.2: of 64 functions that memcpy replaced two at a time, 32 still ran
 * as before, and without SVE none. Of boots with the program as first process 16 of 53 crashed (10.0.2:
 * 7 of 25; without the JIT for regular expressions 3 of 25), and without SVE 0 of 55.
 */
const emulatedArm = "max,pauth-impdef=on,sve=off";

function machineArguments(options: MachineOptions, folder: string): string[] {
  const { arch, memory = 1024, firmware, icount } = options;
  const x86 = arch === "x86_64";
  const machine = options.machine ?? (x86 ? "q35" : "virt");
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none"],
    ...["-machine", firmware === undefined ? machine : `${machine},smm=on`, "-accel", accelerator],
    ...["-cpu", options.cpu ?? (x86 || accelerator !== "tcg" ? "max" : emulatedArm)],
    ...["-smp", "1", "-m", String(memory)],
    ...(options.reboot === true ? [] : ["-no-reboot"]),
    ...(icount === undefined ? [] : ["-icount", icount]),
    ...serial("console"),
    ...(x86 ? serial("agent") : []),
    ...chardev("control"),
    ...["-mon", "chardev=control,mode=control"],
    ...(firmware === undefined ? [] : flash(firmware, folder)),
    ...(options.fromDisk === true
      ? []
      : ["-kernel", options.kernel, "-initrd", options.initramfs, "-append", options.cmdline]),
    ...(options.extraQemuArgs ?? []),
  ];

  function chardev(name: string): string[] {
    return ["-chardev", `socket,id=${name},path=${join(folder, name)}`];
  }
  function serial(name: string): string[] {
    return [...chardev(name), "-serial", `chardev:${name}`];
  }
}

function flash(firmware: { code: string; variables: string }, folder: string): string[] {
  const variables = join(folder, "variables.fd");
  copyFileSync(firmware.variables, variables);
  return [
    ...["-global", "driver=cfi.pflash01,property=secure,value=on"],
    ...["-drive", `if=pflash,format=raw,unit=0,readonly=on,file=${firmware.code}`],
    ...["-drive", `if=pflash,format=raw,unit=1,file=${variables}`],
  ];
}

interface Listening extends Port {
  readonly connected: Promise<void>;
  readonly close: () => void;
}

/** A socket to which QEMU connects; what comes before anyone listens is kept. */
function listen(path: string): Listening {
  const state: { socket?: Socket; listener?: (bytes: Uint8Array) => void } = {};
  const early: Uint8Array[] = [];
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const server = Bun.listen({
    unix: path,
    socket: {
      open(socket) {
        state.socket = socket;
        resolve();
      },
      data(_socket, bytes) {
        if (state.listener === undefined) early.push(new Uint8Array(bytes));
        else state.listener(bytes);
      },
      error() {},
    },
  });
  return {
    connected,
    send(bytes) {
      const sent = state.socket?.write(bytes) ?? 0;
      // The agent's protocol never has more under way than a socket's buffer holds.
      if (sent !== bytes.length) throw new Error("the guest's line is closed or blocked");
    },
    receive(listener) {
      state.listener = listener;
      for (const bytes of early.splice(0)) listener(bytes);
    },
    close() {
      state.socket?.end();
      server.stop(true);
      rmSync(path, { force: true });
    },
  };
}
