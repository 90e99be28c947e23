/**
 * The TPM of this machine as the kernel shows it to everybody: /sys/class/tpm (Documentation/ABI/stable/sysfs-class-tpm),
 * with its values from Linux 5.12 on. Who made it only the TPM itself says, to who may open its device.
 */
import { KexecError } from "../errors.ts";
import { exists } from "../linux/path.ts";
import { type TpmHash, tpmHashes } from "../trust/tpm/commands.ts";
import { readFact } from "./read-fact.ts";
import { known, type Reading, unknown } from "./reading.ts";
import { Tpm } from "./tpm.ts";

/** The PCRs of one bank that last until a reboot: 0 to 15, as lower-case hex. */
export interface BankValues {
  readonly bank: TpmHash;
  readonly pcrs: Readonly<Record<string, string>>;
}

export interface TpmFacts {
  /** The device that `--measure` uses: with the resource manager, where the kernel has one. */
  readonly device: string;
  readonly version: Reading<"1.2" | "2.0">;
  /** Manufacturer and vendor text. */
  readonly vendor: Reading<string>;
  readonly banks: Reading<readonly BankValues[]>;
}

const folder = "/sys/class/tpm/tpm0";
const lastingPcrs = 16;
/** Milliseconds for all values: a TPM takes some 10 for one, and one that is ill may take minutes. */
const longest = 3000;

const versions: Readonly<Record<string, "1.2" | "2.0">> = { "1": "1.2", "2": "2.0" };
const names = Object.keys(tpmHashes).filter((name): name is TpmHash => name in tpmHashes);

/** Undefined where the kernel has none. */
export async function readTpmFacts(): Promise<TpmFacts | undefined> {
  const device = ["/dev/tpmrm0", "/dev/tpm0"].find(exists);
  if (device === undefined && !exists(folder)) return undefined;
  return {
    device: device ?? "none",
    version: readFact(
      [`${folder}/tpm_version_major`],
      (text) => versions[text],
      "this kernel does not say which version the TPM has (before Linux 5.6)",
    ),
    vendor: await readVendor(),
    banks: readBanks(),
  };
}

async function readVendor(): Promise<Reading<string>> {
  try {
    using tpm = Tpm.open();
    return tpm === undefined
      ? unknown("neither /dev/tpmrm0 nor /dev/tpm0 exists")
      : known(await tpm.vendor());
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return unknown(error.message);
  }
}

function readBanks(): Reading<readonly BankValues[]> {
  const end = performance.now() + longest;
  const banks: BankValues[] = [];
  for (const bank of names) {
    const place = `${folder}/pcr-${bank}`;
    if (!exists(place)) continue;
    const pcrs: Record<string, string> = {};
    for (let pcr = 0; pcr < lastingPcrs; pcr++) {
      // A bank may have some of the registers only
      if (!exists(`${place}/${pcr}`)) continue;
      if (performance.now() > end) return unknown("the TPM answers too slowly");
      const value = readFact(
        [`${place}/${pcr}`],
        hexOf(tpmHashes[bank].size),
        `${place}/${pcr} is gone`,
      );
      if (!value.known) return value;
      pcrs[pcr] = value.value;
    }
    banks.push({ bank, pcrs });
  }
  return banks.length > 0
    ? known(banks)
    : unknown("this kernel does not show the TPM's values (before Linux 5.12, or a TPM 1.2)");
}

function hexOf(size: number): (text: string) => string | undefined {
  return (text) =>
    text.length === size * 2 && /^[0-9a-fA-F]+$/.test(text) ? text.toLowerCase() : undefined;
}
