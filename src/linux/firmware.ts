/** What UEFI firmware says of itself: efivarfs, /sys/firmware/efi and the kernel's boot log. */
import { readText } from "./descriptor.ts";
import { EACCES, ENOENT, EPERM } from "./errno.ts";
import { statusOfPath } from "./file.ts";
import { findInKernelLog } from "./kmsg.ts";
import { known, parseInteger, type Reading, readFact, unknown } from "./reading.ts";

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

export function readFirmware(): Firmware {
  const uefi = readUefi();
  if (!uefi.known || !uefi.value) {
    const why = uefi.known ? unknown("this kernel was not started by UEFI") : uefi;
    const none = uefi.known ? known(false) : uefi;
    return { uefi, secureBoot: why, setupMode: why, efi32Runtime: none };
  }
  const size = readFact(["/sys/firmware/efi/fw_platform_size"], parseInteger, "/sys has no size");
  return {
    uefi,
    secureBoot: readSecureBoot(),
    setupMode: readFlag("SetupMode"),
    efi32Runtime: size.known ? known(size.value === 32) : size,
  };
}

function readUefi(): Reading<boolean> {
  if (typeof statusOfPath("/sys/firmware/efi") !== "number") return known(true);
  return statusOfPath("/sys/firmware") === -ENOENT ? unknown("/sys is not mounted") : known(false);
}

/** The variable, or what the kernel logged when it asked for it (drivers/firmware/efi/secureboot). */
function readSecureBoot(): Reading<boolean> {
  const flag = readFlag("SecureBoot");
  if (flag.known) return flag;
  const line = findInKernelLog(/^(secureboot|EFI stub|efi): .*Secure ?Boot (enabled|disabled)/i);
  return line === undefined ? flag : known(/enabled/i.test(line));
}

/** Four bytes of attributes, then the value (Documentation/filesystems/efivarfs.rst). */
function readFlag(name: string): Reading<boolean> {
  const path = `/sys/firmware/efi/efivars/${name}-${globalVariable}`;
  const file = readText(path, 64);
  if (!file.ok) {
    return file.errno === EACCES || file.errno === EPERM
      ? unknown(`no permission to read ${path}`)
      : unknown("efivarfs is not mounted at /sys/firmware/efi/efivars");
  }
  const value = flagOf(new TextEncoder().encode(file.text));
  return value === undefined ? unknown(`${path} has unexpected content`) : known(value);
}

/** The value of a variable of one byte, with its attributes in front. */
export function flagOf(bytes: Uint8Array): boolean | undefined {
  const value = bytes[4];
  return bytes.length === 5 && (value === 0 || value === 1) ? value === 1 : undefined;
}
