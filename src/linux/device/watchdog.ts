/**
 * The hardware watchdog: Documentation/watchdog/watchdog-api.rst, include/uapi/linux/watchdog.h.
 * Opening the device starts it; closing it without the magic letter leaves it running.
 */

import { EBUSY, EINVAL, ENOENT, errnoName, errnoText } from "../../errno.ts";
import { cannot, type KexecError } from "../../errors.ts";
import { callThroughSignals, close, ioError, O_WRONLY, open, readText } from "../descriptor.ts";
import { exists, linkedName } from "../path.ts";

const WDIOC_GETSUPPORT = 0x80285700; // _IOR('W', 0, struct watchdog_info)
const WDIOC_KEEPALIVE = 0x80045705; // _IOR('W', 5, int)
const WDIOC_SETTIMEOUT = 0xc0045706; // _IOWR('W', 6, int)
const WDIOC_GETTIMEOUT = 0x80045707; // _IOR('W', 7, int)
/** struct watchdog_info: u32 options, u32 firmware_version, u8 identity[32]. */
const INFO_SIZE = 40;
const IDENTITY_AT = 8;

/** How a watchdog behaves when the machine restarts, kexec included. */
export type AcrossRestart = "runs-on" | "stops" | "unknown";

export interface WatchdogFacts {
  /** Kernel name of the driver, or undefined where /sys does not say. */
  readonly driver: string | undefined;
  readonly acrossRestart: AcrossRestart;
  /** Seconds; undefined where the driver does not say. */
  readonly maxTimeout: number | undefined;
}

/**
 * Drivers that stop their watchdog before a restart unless `watchdog.stop_on_reboot=0` says
 * otherwise: they call watchdog_stop_on_reboot() (drivers/watchdog/NAME.c and, for softdog, a timer
 * that ends with its kernel).
 */
const stoppingDrivers: ReadonlySet<string> = new Set([
  "i6300esb",
  "i6300ESB timer",
  "iTCO_wdt",
  "wdat_wdt",
  "sp5100-tco",
  "sp5100_tco",
  "softdog",
  "it87_wdt",
  "w83627hf_wdt",
  "mei_wdt",
  "f71808e_wdt",
]);
/** Drivers that do not ask for it: drivers/watchdog/hpwdt.c. */
const runningDrivers: ReadonlySet<string> = new Set(["hpwdt"]);

/**
 * What the watchdog core does at a restart. `stopOnReboot` is the module parameter
 * watchdog.stop_on_reboot: 0 never, 1 always, -1 as the driver wants (watchdog_core.c).
 */
export function acrossRestart(
  driver: string | undefined,
  identity: string,
  stopOnReboot: string | undefined,
): AcrossRestart {
  if (identity === "Software Watchdog") return "stops"; // softdog.c: a timer of this very kernel
  if (stopOnReboot === "0") return "runs-on";
  if (stopOnReboot === "1") return "stops";
  // A driver that names no parent, as i6300esb does, is known by the identity of its device.
  const names = [driver ?? identity, identity];
  if (names.some((name) => stoppingDrivers.has(name))) return "stops";
  return names.some((name) => runningDrivers.has(name)) ? "runs-on" : "unknown";
}

const CLASS = "/sys/class/watchdog/watchdog0";

/** Facts of the first watchdog; they are read without touching it. */
export function readWatchdogFacts(identity?: string): WatchdogFacts {
  const driver = linkedName(`${CLASS}/device/driver`);
  const parameter = readText("/sys/module/watchdog/parameters/stop_on_reboot");
  const named = identity ?? textOf(`${CLASS}/identity`) ?? "";
  const most = Number(textOf(`${CLASS}/max_timeout`) ?? Number.NaN);
  return {
    driver,
    acrossRestart: acrossRestart(driver, named, parameter.ok ? parameter.text.trim() : undefined),
    maxTimeout: Number.isSafeInteger(most) && most > 0 ? most : undefined,
  };
}

function textOf(path: string): string | undefined {
  const file = readText(path);
  return file.ok ? file.text.trim() : undefined;
}

/** A running watchdog. Dispose of it to stop it again, where its driver lets it be stopped. */
export class Watchdog implements Disposable {
  private constructor(
    private readonly fd: number,
    /** The name that the driver gives its device. */
    readonly identity: string,
    /** Seconds, as the driver says after they were set; 0 where it does not say. */
    readonly timeout: number,
    readonly facts: WatchdogFacts,
  ) {}

  /** @throws KexecError `busy`, `usage`, `io-error` */
  static arm(seconds: number): Watchdog {
    const fd = openDevice();
    try {
      const identity = identityOf(fd);
      const facts = readWatchdogFacts(identity);
      const timeout = setTimeout(fd, seconds, facts.maxTimeout);
      callThroughSignals("ioctl", fd, WDIOC_KEEPALIVE, new Uint8Array(4));
      return new Watchdog(fd, identity, timeout, facts);
    } catch (error) {
      stop(fd);
      throw error;
    }
  }

  /** Starts the time anew. */
  keepAlive(): void {
    callThroughSignals("ioctl", this.fd, WDIOC_KEEPALIVE, new Uint8Array(4));
  }

  [Symbol.dispose](): void {
    stop(this.fd);
  }
}

/**
 * Without touching it.
 * @throws KexecError `io-error` where there is none; `usage` where its driver does not take so many seconds
 */
export function requireWatchdog(seconds: number): void {
  const isThere = ["/dev/watchdog0", "/dev/watchdog"].some(exists);
  if (!isThere) throw noDevice();
  const most = Number(textOf(`${CLASS}/max_timeout`) ?? 0);
  if (most > 0 && seconds > most) throw tooLong(seconds, most, EINVAL);
}

function tooLong(seconds: number, most: number | undefined, errno: number): KexecError {
  return cannot(
    "arm the watchdog",
    {
      code: errno === EINVAL ? "usage" : "io-error",
      why: `its driver does not take ${seconds} s: ${errnoText(errno).toLowerCase()}`,
      hint: most === undefined ? undefined : `it takes up to ${most} s`,
    },
    {
      errno: errnoName(errno),
      details: { option: "--watchdog", path: "/dev/watchdog0", found: `${seconds}` },
    },
  );
}

function noDevice(): KexecError {
  return cannot(
    "arm the watchdog",
    {
      code: "io-error",
      why: "there is no /dev/watchdog",
      hint: "load the driver of this machine's watchdog, or do without --watchdog",
    },
    { errno: "ENOENT", details: { path: "/dev/watchdog" } },
  );
}

function openDevice(): number {
  const first = open("/dev/watchdog0", O_WRONLY);
  // Drivers without the watchdog core have only this name.
  const fd = first === -ENOENT ? open("/dev/watchdog", O_WRONLY) : first;
  if (fd >= 0) return fd;
  if (fd === -EBUSY) {
    throw cannot(
      "arm the watchdog",
      {
        code: "busy",
        why: "another process holds it",
        hint: "end what holds it (systemd: RuntimeWatchdogSec=off), or do without --watchdog",
      },
      { errno: "EBUSY" },
    );
  }
  if (fd === -ENOENT) throw noDevice();
  throw ioError("arm the watchdog: /dev/watchdog0", -fd, "/dev/watchdog0");
}

function identityOf(fd: number): string {
  const info = new Uint8Array(INFO_SIZE);
  if (callThroughSignals("ioctl", fd, WDIOC_GETSUPPORT, info) < 0) return "";
  const field = info.subarray(IDENTITY_AT);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function setTimeout(fd: number, seconds: number, most: number | undefined): number {
  const value = new Uint8Array(4);
  const view = new DataView(value.buffer);
  view.setInt32(0, seconds, true);
  const result = callThroughSignals("ioctl", fd, WDIOC_SETTIMEOUT, value);
  if (result < 0) throw tooLong(seconds, most, -result);
  view.setInt32(0, 0, true);
  return callThroughSignals("ioctl", fd, WDIOC_GETTIMEOUT, value) < 0 ? 0 : view.getInt32(0, true);
}

function stop(fd: number): void {
  // The magic letter before close: the watchdog stops, unless the driver has "nowayout".
  callThroughSignals("write", fd, new TextEncoder().encode("V"), 1);
  close(fd);
}
