/** The TPM 2.0 of this machine: which banks it has, what a PCR holds, and extending one. */
import { cannot, type KexecError } from "../errors.ts";
import { openTpm, type TpmChannel } from "../linux/device/tpm.ts";
import {
  type Bank,
  type BankDigest,
  banksCommand,
  parseAnswer,
  parseBanks,
  parseEventDigests,
  parsePcrValue,
  parseVendor,
  pcrEventCommand,
  pcrReadCommand,
  propertiesCommand,
  type TpmAnswer,
  type TpmHash,
  tpmCodes,
} from "../trust/tpm/commands.ts";

/**
 * Milliseconds for which a command that the TPM answered with TPM_RC_RETRY, _YIELDED or _TESTING is sent again
 * unchanged (Part 2, 6.6.3): more than a self-test takes. Of the first and the last the kernel sends it again
 * itself, for some 4 s each time (drivers/char/tpm/tpm-interface.c: tpm_transmit), so that tries are not counted.
 */
const longest = 5000;
const longestWait = 1000;
const again: ReadonlySet<number> = new Set([tpmCodes.retry, tpmCodes.yielded, tpmCodes.testing]);

/** An open TPM; dispose of it to close it. */
export class Tpm implements Disposable {
  constructor(private readonly channel: TpmChannel) {}

  /**
   * Undefined where this machine has none.
   * @throws KexecError `busy`, `io-error`
   */
  static open(): Tpm | undefined {
    const channel = openTpm();
    return channel === undefined ? undefined : new Tpm(channel);
  }

  get path(): string {
    return this.channel.path;
  }

  /** @throws KexecError `io-error` */
  banks(): Promise<readonly Bank[]> {
    return this.ask("list the banks", banksCommand(), parseBanks);
  }

  /** Manufacturer and vendor text. @throws KexecError `io-error` */
  vendor(): Promise<string> {
    return this.ask("read the vendor", propertiesCommand(), parseVendor);
  }

  /** The value of a PCR as lower-case hex. @throws KexecError `io-error` */
  value(bank: TpmHash, pcr: number): Promise<string> {
    return this.ask(`read PCR ${pcr}`, pcrReadCommand(bank, pcr), parsePcrValue);
  }

  /**
   * Extends every bank of a PCR by the digest of `data`.
   * @param data At most 1,024 bytes.
   * @returns the digests, a bank each
   * @throws KexecError `io-error`
   */
  extend(pcr: number, data: Uint8Array): Promise<readonly BankDigest[]> {
    return this.ask(`extend PCR ${pcr}`, pcrEventCommand(pcr, data), parseEventDigests);
  }

  private async ask<T>(
    doing: string,
    command: Uint8Array,
    parse: (body: Uint8Array) => T | undefined,
  ): Promise<T> {
    const answer = await this.send(command);
    if (answer?.ok === false) throw this.refused(doing, answer.code);
    const result = answer === undefined ? undefined : parse(answer.body);
    if (result !== undefined) return result;
    throw cannot(doing, {
      code: "io-error",
      details: { path: this.path },
      why: `the TPM ${this.path} gave a response that no TPM 2.0 gives`,
      hint: "a TPM 1.2 cannot be used; for others see the kernel log (dmesg)",
    });
  }

  /** Sends a command, as often as the TPM asks for it again. */
  private async send(command: Uint8Array): Promise<TpmAnswer | undefined> {
    const end = performance.now() + longest;
    for (let wait = 1; ; wait = Math.min(wait * 3, longestWait)) {
      const answer = parseAnswer(this.channel.transact(command));
      if (answer === undefined || answer.ok || !again.has(answer.code)) return answer;
      const left = end - performance.now();
      if (left <= 0) return answer;
      await Bun.sleep(Math.min(wait, left));
    }
  }

  private refused(doing: string, code: number): KexecError {
    const why = refusals.get(code) ?? `it answered 0x${code.toString(16)}`;
    return cannot(doing, {
      code: "io-error",
      details: { path: this.path },
      why: `the TPM ${this.path}: ${why}`,
      hint: again.has(code)
        ? "wait until whatever uses the TPM has finished"
        : "see the kernel log (dmesg), or reset the machine through firmware",
    });
  }

  [Symbol.dispose](): void {
    this.channel[Symbol.dispose]();
  }
}

const refusals: ReadonlyMap<number, string> = new Map([
  [tpmCodes.failure, "it is in failure mode"],
  [tpmCodes.initialize, "firmware did not start it (TPM2_Startup)"],
  [tpmCodes.retry, "it has been busy for 5 s"],
  [tpmCodes.yielded, "it has been busy for 5 s"],
  [tpmCodes.testing, "it has been testing itself for 5 s"],
  [tpmCodes.locality, "the PCR is not open to the operating system (locality)"],
]);
