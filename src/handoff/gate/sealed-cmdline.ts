/** The command line that a UKI brings, under Secure Boot. */
import { cannot } from "../../errors.ts";
import { readFirmware } from "../../machine/firmware.ts";
import { valueIn } from "../../machine/reading.ts";
import type { Source } from "../../source/open.ts";
import type { ParsedLoadRequest } from "../request.ts";

export type CmdlineOptions = Pick<ParsedLoadRequest, "cmdline" | "reuseCmdline" | "append"> & {
  readonly crash?: boolean;
  readonly inPlaceOfUki?: boolean;
};

/**
 * The rule of systemd-stub (settle_command_line in src/boot/stub.c): under Secure Boot the command
 * line in a UKI is the only one. The stub drops any other in silence; here it is refused, also
 * where nothing tells whether Secure Boot is on. kexec-tools' options put another in its place.
 * @param own What the UKI brings.
 * @throws KexecError `policy-refused`
 */
export function requireUnsealed(own: string, source: Source, request: CmdlineOptions): void {
  const isGiven = request.cmdline !== undefined || request.reuseCmdline;
  if (request.inPlaceOfUki === true && isGiven) return;
  const { path, cmdline, manifest, entry, kernel } = source;
  const named =
    manifest === undefined ? `the options line of ${entry?.path}` : `the command line of ${path}`;
  const [given] = [
    request.cmdline === undefined ? [] : ["--cmdline"],
    request.reuseCmdline ? ["--reuse-cmdline"] : [],
    cmdline === undefined || cmdline === own ? [] : [named],
    request.append === undefined ? [] : ["--append"],
  ].flat();
  if (given === undefined) return;
  const { uefi, secureBoot } = readFirmware();
  if (valueIn(uefi) === false || valueIn(secureBoot) === false) return;
  const state = secureBoot.known ? "is on" : `may be on (${secureBoot.why})`;
  throw cannot(`use ${given}`, {
    code: "policy-refused",
    why: `Secure Boot ${state}, and ${kernel.file.path} has a command line of its own`,
    hint: secureBoot.known
      ? "boot the UKI with its own command line, or choose another of its profiles"
      : "mount /sys and efivarfs: mount -t efivarfs efivarfs /sys/firmware/efi/efivars",
  });
}
