/** `--acpi-rsdp`: tells the next kernel where the ACPI tables are, where it would not find them. */

import type { Architecture } from "../../architecture.ts";
import { cmdlineRsdp, type RsdpFacts, readRsdpFacts } from "../../machine/acpi.ts";
import { readLockdown } from "../../machine/kernel.ts";
import { valueIn } from "../../machine/reading.ts";
import { parseRsdpWanted, type RsdpWanted } from "../option-values.ts";
import type { Observer } from "../report.ts";

export type RsdpChoice =
  | { readonly add: string }
  | { readonly add: undefined; readonly why: string };

/**
 * The word to add. `auto` adds one only where neither boot_params nor the EFI tables are passed on,
 * and this machine has an address to give. A machine without UEFI needs none: the next kernel
 * searches low memory (drivers/acpi/acpica/tbxfroot.c). Kernels of 2026 and later pass the address of
 * the EFI tables on without runtime services as well (setup_boot_parameters in
 * arch/x86/kernel/kexec-bzimage64.c); one cannot see from here which kind runs, and the same address
 * twice does no harm.
 */
export function chooseRsdp(wanted: RsdpWanted, facts: RsdpFacts): RsdpChoice {
  if (wanted !== "auto") return { add: word(wanted) };
  if (facts.bootParams !== undefined) {
    return { add: undefined, why: "the running kernel passes the RSDP on in boot_params" };
  }
  if (facts.efiPassedOn) {
    return { add: undefined, why: "the next kernel gets the EFI tables, which have the RSDP" };
  }
  const address = facts.efi ?? facts.cmdline;
  if (address !== undefined) return { add: word(address) };
  return {
    add: undefined,
    why: facts.uefi
      ? "no address of the RSDP is known: neither /sys/firmware/efi/systab nor boot_params has one"
      : "without UEFI the next kernel finds the RSDP in low memory",
  };
}

function word(address: bigint): string {
  return `acpi_rsdp=0x${address.toString(16)}`;
}

/** What of a load request it takes, and changes: `append`. */
interface RsdpRequest {
  readonly acpiRsdp?: string | undefined;
  readonly cmdline?: string | undefined;
  readonly reuseCmdline: boolean;
  readonly append?: string | undefined;
}

/**
 * The request with the word appended, where one is needed. It goes the way of `--append`: where trust
 * is required, only a policy whose allowAppend has `acpi_rsdp=` lets it through.
 */
export function rsdpForRequest<Request extends RsdpRequest>(
  request: Request,
  architecture: Architecture,
  observer: Observer,
): Request {
  const wanted = request.acpiRsdp === undefined ? undefined : parseRsdpWanted(request.acpiRsdp);
  if (wanted === undefined) return request;
  // An address was asked for by name: that it is not added is told even without --verbose.
  const decline = (why: string) => {
    if (wanted === "auto") observer.note?.(`no acpi_rsdp=: ${why}`);
    else observer.warn?.(`the address of --acpi-rsdp is not added: ${why}`);
    return request;
  };
  if (architecture !== "x86_64") return decline("acpi_rsdp= has no effect on aarch64");
  const facts = readRsdpFacts();
  const choice = chooseRsdp(wanted, facts);
  if (choice.add === undefined) return decline(choice.why);
  const given = `${request.cmdline ?? ""} ${request.append ?? ""}`;
  if (cmdlineRsdp(given) !== undefined || (request.reuseCmdline && facts.cmdline !== undefined)) {
    return decline("the command line has one");
  }
  const lockdown = valueIn(readLockdown());
  // acpi_os_get_root_pointer, drivers/acpi/osl.c: LOCKDOWN_ACPI_TABLES
  if (lockdown !== undefined && lockdown !== "none") {
    observer.warn?.(
      `${choice.add} is useless if the next kernel is locked down as this one is: it is ignored then`,
    );
  }
  const append =
    request.append === undefined || request.append === ""
      ? choice.add
      : `${request.append} ${choice.add}`;
  return { ...request, append };
}
