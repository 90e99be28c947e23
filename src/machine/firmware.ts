/** What UEFI firmware says of itself: efivarfs, /sys/firmware/efi and the kernel's boot log. */

import { EACCES, ENOENT, EPERM } from "../errno.ts";
import { readText } from "../linux/descriptor.ts";
import { findInKernelLog } from "../linux/kmsg.ts";
import { exists, statusOfPath } from "../linux/path.ts";
import { readBootParams } from "./acpi.ts";
import { readFact } from "./read-fact.ts";
import { known, parseInteger, type Reading, unknown } from "./reading.ts";

export interface Firmware {
  /** The running kernel was started by UEFI and knows it. */
  readonly uefi: Reading<boolean>;
  /** Firmware starts only what is signed. */
  readonly secureBoot: Reading<boolean>;
  /** No platform key is enrolled, so that anyone may enrol keys. */
  readonly setupMode: Reading<boolean>;
  /** EFI runtime services are those of 32-bit firmware. */
  readonly efi32Runtime: Reading<boolean>;
}

// UEFI specification, 3.3 Globally Defined Variables: EFI_GLOBAL_VARIABLE.
const globalVariable = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const variables = "/sys/firmware/efi/efivars";
const sizePath = "/sys/firmware/efi/fw_platform_size";

export function readFirmware(): Firmware {
  const uefi = readUefi();
  if (!uefi.known || !uefi.value) {
    const why = uefi.known ? unknown("this kernel was not started by UEFI") : uefi;
    const none = uefi.known ? known(false) : uefi;
    return { uefi, secureBoot: why, setupMode: why, efi32Runtime: none };
  }
  const size = readFact([sizePath], parseInteger, `this kernel has no ${sizePath}`);
  return {
    uefi,
    secureBoot: readSecureBoot(),
    setupMode: readFlag("SetupMode"),
    efi32Runtime: size.known ? known(size.value === 32) : size,
  };
}

function readUefi(): Reading<boolean> {
  if (exists("/sys/firmware/efi")) return known(true);
  return statusOfPath("/sys/firmware") === -ENOENT ? unknown("/sys is not mounted") : known(false);
}

/**
 * The variable, or what the kernel's EFI stub found and passed on (x86), or what the kernel logged
 * when it asked for it (drivers/firmware/efi/secureboot).
 */
function readSecureBoot(): Reading<boolean> {
  const flag = readFlag("SecureBoot");
  if (flag.known) return flag;
  // Firmware that knows nothing of Secure Boot, as the kernel sees it (drivers/firmware/efi/libstub).
  if (statusOfPath(pathOf("SecureBoot")) === -ENOENT && isMounted()) return known(false);
  const passedOn = bootParamsSecureBoot(readBootParams());
  if (passedOn !== undefined) return known(passedOn);
  const line = findInKernelLog(/^(secureboot|EFI stub|efi): .*Secure ?Boot (enabled|disabled)/i);
  return line === undefined ? flag : known(/enabled/i.test(line));
}

/**
 * `secure_boot` of boot_params (Documentation/arch/x86/zero-page.rst): enum efi_secureboot_mode of
 * include/linux/efi.h, where 2 is disabled, 3 enabled, and the others say nothing.
 */
export function bootParamsSecureBoot(bytes: Uint8Array): boolean | undefined {
  const mode = bytes[0x1ec];
  return mode === 2 || mode === 3 ? mode === 3 : undefined;
}

/** Four bytes of attributes, then the value (Documentation/filesystems/efivarfs.rst). */
function readFlag(name: string): Reading<boolean> {
  const path = pathOf(name);
  const file = readText(path, 64);
  if (!file.ok) {
    if (file.errno === EACCES || file.errno === EPERM) {
      return unknown(`no permission to read ${path}`);
    }
    return isMounted()
      ? unknown(`this firmware has no variable ${name}`)
      : unknown(`efivarfs is not mounted at ${variables}`);
  }
  const value = flagOf(new TextEncoder().encode(file.text));
  return value === undefined ? unknown(`${path} has unexpected content`) : known(value);
}

function pathOf(variable: string): string {
  return `${variables}/${variable}-${globalVariable}`;
}

/** Whether efivarfs is there: sysfs has an empty directory in its place. */
function isMounted(): boolean {
  const own = statusOfPath(variables);
  const above = statusOfPath("/sys/firmware/efi");
  return typeof own !== "number" && typeof above !== "number" && own.device !== above.device;
}

/** The value of a variable of one byte, with its attributes in front. */
export function flagOf(bytes: Uint8Array): boolean | undefined {
  const value = bytes[4];
  return bytes.length === 5 && (value === 0 || value === 1) ? value === 1 : undefined;
}
