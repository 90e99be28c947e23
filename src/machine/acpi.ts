/** Where the ACPI tables are: the address of the RSDP, as firmware and boot loader gave it. x86 only. */
import { parameterValues } from "../kernel-words.ts";
import { readHead, readText } from "../linux/descriptor.ts";
import { exists } from "../linux/path.ts";

/** What the running kernel knows of the RSDP; 0n and undefined stand for "nothing". */
export interface RsdpFacts {
  /** `acpi_rsdp_addr` of boot_params, which the kernel passes on by itself. */
  readonly bootParams: bigint | undefined;
  /** From the EFI system table. */
  readonly efi: bigint | undefined;
  /** `acpi_rsdp=` on the running kernel's command line. */
  readonly cmdline: bigint | undefined;
  /** Started by UEFI. */
  readonly uefi: boolean;
  /** EFI runtime services are mapped: then the next kernel gets the EFI tables as well. */
  readonly efiPassedOn: boolean;
}

export function readRsdpFacts(): RsdpFacts {
  const systab = readText("/sys/firmware/efi/systab", 4096);
  const cmdline = readText("/proc/cmdline");
  return {
    bootParams: bootParamsRsdp(readBootParams()),
    efi: systab.ok ? systabRsdp(systab.text) : undefined,
    cmdline: cmdline.ok ? cmdlineRsdp(cmdline.text) : undefined,
    uefi: exists("/sys/firmware/efi"),
    // setup_efi_state in arch/x86/kernel/kexec-bzimage64.c copies them only with runtime services;
    // without these there is no runtime-map (drivers/firmware/efi/runtime-map.c).
    efiPassedOn: exists("/sys/firmware/efi/runtime-map/0"),
  };
}

/** struct boot_params is one page: arch/x86/include/uapi/asm/bootparam.h. */
const BOOT_PARAMS_SIZE = 4096;
const ACPI_RSDP_ADDR_AT = 0x070;

/** What the boot loader told the running kernel; empty where it is not to be had. */
export function readBootParams(): Uint8Array {
  return readHead("/sys/kernel/boot_params/data", BOOT_PARAMS_SIZE);
}

/** `acpi_rsdp_addr`, u64; undefined where it is not there or 0. */
export function bootParamsRsdp(bytes: Uint8Array): bigint | undefined {
  if (bytes.byteLength < ACPI_RSDP_ADDR_AT + 8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getBigUint64(ACPI_RSDP_ADDR_AT, true) || undefined;
}

/** `ACPI20=0x…` before `ACPI=0x…`: the kernel's own order, drivers/firmware/efi/efi.c, systab_show. */
export function systabRsdp(text: string): bigint | undefined {
  for (const name of ["ACPI20", "ACPI"]) {
    const digits = new RegExp(`^${name}=0x([0-9a-f]{1,16})$`, "im").exec(text)?.[1];
    const address = digits === undefined ? undefined : BigInt(`0x${digits}`);
    if (address !== undefined && address !== 0n) return address;
  }
  return undefined;
}

/** The last `acpi_rsdp=` of a command line: a hexadecimal number (setup_acpi_rsdp, osl.c). */
export function cmdlineRsdp(line: string): bigint | undefined {
  const addresses = parameterValues(line, "acpi_rsdp").flatMap(
    (value) => /^(?:0x)?([0-9a-f]{1,16})$/i.exec(value)?.[1] ?? [],
  );
  const digits = addresses.at(-1);
  return digits === undefined ? undefined : BigInt(`0x${digits}`) || undefined;
}
