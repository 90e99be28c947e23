/**
 * What is loaded is measured into the TPM: kernel, archives, command line and policy, a record each. The TPM is
 * opened and the records are made before the load; the PCR is extended once the kernel took it.
 */
import { cannot, KexecError } from "../../errors.ts";
import { sha256Of } from "../../image/bytes.ts";
import { readText } from "../../linux/descriptor.ts";
import { kexecFileUnload } from "../../linux/kexec.ts";
import { Tpm } from "../../machine/tpm.ts";
import type { Source } from "../../source/open.ts";
import type { SourceFile } from "../../source/open-file.ts";
import type { Policy } from "../../trust/policy.ts";
import type { TpmHash } from "../../trust/tpm/commands.ts";
import {
  expectedDigests,
  formatLog,
  type LogEntry,
  type Measured,
  type MeasurementRecord,
  record,
  recordBytes,
} from "../../trust/tpm/measurements.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";
import type { Verified } from "./verify.ts";
import { isCheckedByKernel } from "./verity.ts";

/** Which PCRs to extend, and whether the load may go on without. */
interface Demand {
  readonly pcrs: readonly number[];
  readonly required: boolean;
}

interface OpenedTpm {
  readonly tpm: Tpm;
  readonly banks: readonly TpmHash[];
}

/** The PCRs that the policies and the request name. */
export function demandOf(
  request: Pick<ParsedLoadRequest, "measure">,
  policies: readonly Policy[],
): Demand {
  const measures = policies.flatMap(({ measure }) => measure ?? []);
  const pcrs = [
    ...measures.map(({ pcr }) => pcr),
    ...(request.measure === undefined ? [] : [request.measure]),
  ];
  return {
    pcrs: [...new Set(pcrs)],
    required: measures.some(({ required }) => required),
  };
}

/** What is to be measured, with the TPM open. Dispose of it to close that. */
export class Measurement implements Disposable {
  private constructor(
    private readonly tpm: Tpm | undefined,
    private readonly demand: Demand,
    private readonly records: readonly MeasurementRecord[],
    private readonly banks: readonly TpmHash[],
  ) {}

  /**
   * @throws KexecError `io-error`, `busy` where the policy demands it and the TPM cannot be used
   */
  static async prepare(
    source: Source,
    verified: Verified,
    request: ParsedLoadRequest,
    policies: readonly Policy[],
    observer: Observer,
  ): Promise<Measurement> {
    const demand = demandOf(request, policies);
    const opened = await openFor(demand);
    if (opened instanceof KexecError) {
      if (demand.required) throw opened;
      observer.warn?.(nothingMeasured(opened));
      return new Measurement(undefined, demand, [], []);
    }
    using guard = new DisposableStack();
    guard.use(opened.tpm);
    const records = recordsOf(source, verified, policies, observer);
    guard.move();
    return new Measurement(opened.tpm, demand, records, opened.banks);
  }

  /** The log of what will be extended, as systemd keeps its own; empty where nothing will be. */
  log(): Uint8Array {
    const boot = readText("/proc/sys/kernel/random/boot_id", 64);
    const entries = this.demand.pcrs.flatMap((pcr) =>
      this.records.map((line) => ({
        pcr,
        record: line,
        digests: expectedDigests(line, this.banks),
      })),
    );
    const bootId = boot.ok ? boot.text.replaceAll("-", "") : undefined;
    return new TextEncoder().encode(formatLog(this.tpm === undefined ? [] : entries, bootId));
  }

  /**
   * Extends each PCR by each record.
   * @returns what was extended
   * @throws KexecError `io-error` where a policy demands it and the TPM failed
   */
  async extend(crash: boolean, observer: Observer): Promise<readonly LogEntry[]> {
    const entries: LogEntry[] = [];
    if (this.tpm === undefined) return entries;
    try {
      for (const pcr of this.demand.pcrs) {
        for (const line of this.records) {
          entries.push({
            pcr,
            record: line,
            digests: await this.tpm.extend(pcr, recordBytes(line)),
          });
        }
      }
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      if (this.demand.required) {
        // What must be measured and is not must not be jumped into, by nobody
        if (kexecFileUnload(crash, true) === 0) throw error;
        throw new KexecError(error.code, {
          message: `${error.message}; the kernel could not be unloaded`,
          hint: "run aegis-kexec unload, or reboot: not all of what is loaded was measured",
          cause: error,
        });
      }
      observer.warn?.(`not all is measured: ${error.message}`);
    }
    const named = this.demand.pcrs.join(" and ");
    observer.note?.(
      `PCR ${named} is extended, and stays so until a reboot through firmware, whatever becomes of this load`,
    );
    return entries;
  }

  [Symbol.dispose](): void {
    this.tpm?.[Symbol.dispose]();
  }
}

/** What a load would say before it measures anything. */
export interface MeasureOutlook {
  /** Why the load would be refused. */
  readonly refusal?: KexecError;
  /** What the load would warn of. */
  readonly warning?: string;
}

/** The TPM is opened as a load opens it, and closed again; nothing is extended. */
export async function measureOutlook(
  request: Pick<ParsedLoadRequest, "measure">,
  policies: readonly Policy[],
): Promise<MeasureOutlook> {
  const demand = demandOf(request, policies);
  if (demand.pcrs.length === 0) return {};
  const opened = await openFor(demand);
  if (opened instanceof KexecError) {
    return demand.required ? { refusal: opened } : { warning: nothingMeasured(opened) };
  }
  opened.tpm[Symbol.dispose]();
  return {};
}

function nothingMeasured({ message }: KexecError): string {
  return `nothing is measured: ${message}`;
}

/** The TPM and its banks, or why it cannot serve. */
async function openFor({ pcrs }: Demand): Promise<OpenedTpm | KexecError> {
  using guard = new DisposableStack();
  try {
    const tpm = Tpm.open();
    if (tpm === undefined) return noTpm();
    guard.use(tpm);
    const banks = await banksOf(tpm, pcrs);
    guard.move();
    return { tpm, banks };
  } catch (error) {
    if (error instanceof KexecError) return error;
    throw error;
  }
}

function noTpm(): KexecError {
  return cannot("measure", {
    code: "io-error",
    details: { path: "/dev/tpmrm0" },
    why: "this machine has no TPM: neither /dev/tpmrm0 nor /dev/tpm0 exists",
    hint: "load the driver of its TPM, enable the TPM in firmware, or do without",
  });
}

/** @throws KexecError `io-error` where the TPM has none of the PCRs in any bank */
async function banksOf(tpm: Tpm, wanted: readonly number[]): Promise<readonly TpmHash[]> {
  const banks = await tpm.banks();
  for (const pcr of wanted) {
    if (banks.some(({ pcrs }) => pcrs.has(pcr))) continue;
    throw cannot("measure", {
      code: "io-error",
      details: { path: tpm.path },
      why: `the TPM ${tpm.path} has PCR ${pcr} in no bank`,
      hint: "activate a bank in firmware, or name another PCR",
    });
  }
  return banks.map(({ bank }) => bank);
}

function recordsOf(
  source: Source,
  verified: Verified,
  policies: readonly Policy[],
  observer: Observer,
): readonly MeasurementRecord[] {
  const own = verified.initrds.slice(0, verified.initrds.length - source.initrds.length);
  return [
    recordOf("kernel", source.kernel, observer),
    ...[...own, ...source.initrds].map((given) => recordOf("initrd", given, observer)),
    record("cmdline", digestOf(new TextEncoder().encode(verified.cmdline))),
    ...policies.map(({ sha256 }) => record("policy", `sha256:${sha256}`)),
  ];
}

/** What a manifest says of a file was held against it by now; any other file is read for its digest. */
function recordOf(
  what: Measured,
  { file, expected }: SourceFile,
  observer: Observer,
): MeasurementRecord {
  if (expected?.verity !== undefined && isCheckedByKernel(file, expected)) {
    return record(what, `verity:${expected.verity.slice("sha256:".length)}`);
  }
  const sha256 =
    expected?.sha256 ??
    sha256Of(file, (done) =>
      observer.progress?.(`measuring ${file.path}`, done, file.size, "measure"),
    );
  return record(what, `sha256:${sha256}`);
}

function digestOf(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
}
