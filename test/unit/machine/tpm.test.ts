/** Measuring into a real TPM 2.0: swtpm, which takes the same bytes over a socket as a device does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TpmChannel } from "../../../src/linux/device/tpm.ts";
import { Tpm } from "../../../src/machine/tpm.ts";
import { parseAnswer, pcrReadCommand, tpmCodes } from "../../../src/trust/tpm/commands.ts";
import {
  expectedDigests,
  extended,
  formatLog,
  record,
  recordBytes,
} from "../../../src/trust/tpm/measurements.ts";

const missing = ["swtpm", "socat"].filter((tool) => Bun.which(tool) === null);
const title = "a software TPM";
const zeros = (bytes: number) => "00".repeat(bytes);

const lines = [
  record("kernel", `sha256:${"ab".repeat(32)}`),
  record("initrd", `verity:${"cd".repeat(32)}`),
  record("cmdline", `sha256:${"ef".repeat(32)}`),
] as const;

/** A channel over a socket: socat carries one command and one response, synchronously as a device does. */
function socketChannel(socket: string): TpmChannel {
  return {
    path: socket,
    transact(command) {
      const talk = Bun.spawnSync(["socat", "-t", "10", "-", `UNIX-CONNECT:${socket}`], {
        stdin: command,
      });
      return talk.stdout;
    },
    [Symbol.dispose]: () => undefined,
  };
}

describe.skipIf(missing.length > 0)(
  missing.length === 0 ? title : `${title} (needs ${missing.join(", ")})`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-tpm-"));
    const socket = join(folder, "socket");
    let server: Bun.Subprocess;
    beforeAll(async () => {
      server = Bun.spawn(
        [
          ...["swtpm", "socket", "--tpm2", "--tpmstate", `dir=${folder}`],
          ...["--server", `type=unixio,path=${socket}`, "--flags", "startup-clear"],
        ],
        { stdout: "ignore", stderr: "ignore" },
      );
      for (
        let tries = 0;
        tries < 100 &&
        !(await Bun.file(socket)
          .stat()
          .catch(() => undefined));
        tries++
      ) {
        await Bun.sleep(50);
      }
    });
    afterAll(() => {
      server.kill();
      // The server takes its own files away meanwhile.
      rmSync(folder, { recursive: true, force: true });
    });

    test("names itself and its banks", async () => {
      using tpm = new Tpm(socketChannel(socket));
      expect(await tpm.vendor()).toMatch(/^IBM/);
      const banks = await tpm.banks();
      expect(banks.map(({ bank }) => bank)).toEqual(["sha1", "sha256", "sha384", "sha512"]);
      expect([...(banks[1]?.pcrs ?? [])]).toEqual(Array.from({ length: 24 }, (_, pcr) => pcr));
    });

    test("is extended by the records, and the log says so again", async () => {
      using tpm = new Tpm(socketChannel(socket));
      const banks = ["sha256", "sha384"] as const;
      const replayed = { sha256: zeros(32), sha384: zeros(48) };
      expect(await tpm.value("sha256", 12)).toBe(replayed.sha256);
      for (const line of lines) {
        const digests = await tpm.extend(12, recordBytes(line));
        expect(digests.filter(({ bank }) => bank !== "sha1" && bank !== "sha512")).toEqual([
          ...expectedDigests(line, banks),
        ]);
        for (const { bank, digest } of expectedDigests(line, banks)) {
          if (bank !== "sha256" && bank !== "sha384") continue;
          replayed[bank] = extended(bank, replayed[bank], digest);
        }
      }
      for (const bank of banks) expect(await tpm.value(bank, 12)).toBe(replayed[bank]);
      expect(await tpm.value("sha256", 13)).toBe(zeros(32));
    });

    test("refuses a PCR that it does not have, and says so", async () => {
      using tpm = new Tpm(socketChannel(socket));
      await expect(tpm.extend(99, recordBytes(lines[0]))).rejects.toMatchObject({
        code: "io-error",
        message: expect.stringContaining("cannot extend PCR 99: the TPM"),
      });
    });
  },
);

/** A TPM that answers what it is told to. */
function scripted(...answers: readonly Uint8Array[]) {
  let asked = 0;
  const channel: TpmChannel = {
    path: "/dev/tpmrm0",
    transact: () => answers[Math.min(asked++, answers.length - 1)] ?? new Uint8Array(),
    [Symbol.dispose]: () => undefined,
  };
  return { tpm: new Tpm(channel), asked: () => asked };
}

function refusal(code: number): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x8001);
  view.setUint32(2, 10);
  view.setUint32(6, code);
  return bytes;
}

const value = Uint8Array.fromHex(
  `8001${"0000003e"}00000000${"00000001"}00000001000b03000010${"00000001"}0020${"11".repeat(32)}`,
);

test("a TPM that is busy, yields or tests itself is asked again", async () => {
  for (const code of [tpmCodes.retry, tpmCodes.yielded, tpmCodes.testing]) {
    const { tpm, asked } = scripted(refusal(code), refusal(code), value);
    expect(await tpm.value("sha256", 12)).toBe("11".repeat(32));
    expect(asked()).toBe(3);
  }
});

test("one in failure mode is not", async () => {
  const { tpm, asked } = scripted(refusal(tpmCodes.failure));
  await expect(tpm.value("sha256", 12)).rejects.toMatchObject({
    code: "io-error",
    message: "cannot read PCR 12: the TPM /dev/tpmrm0: it is in failure mode",
  });
  expect(asked()).toBe(1);
});

test.each([
  ["nothing", new Uint8Array()],
  ["half a header", value.subarray(0, 7)],
  ["another length than it says", value.subarray(0, 40)],
  ["a count of digests that is none", value.with(27, 9)],
])("a response of %s is none", async (_, bytes) => {
  await expect(scripted(bytes).tpm.value("sha256", 12)).rejects.toMatchObject({
    code: "io-error",
    message: expect.stringContaining("gave a response that no TPM 2.0 gives"),
  });
});

test("the command is what the specification says", () => {
  expect(pcrReadCommand("sha384", 12).toHex()).toBe("8001000000140000017e00000001000c03001000");
  expect(parseAnswer(refusal(0x101))).toEqual({ ok: false, code: 0x101 });
});

test("the log is a sequence of JSON texts", () => {
  const digests = expectedDigests(lines[0], ["sha256"]);
  const log = formatLog([{ pcr: 12, record: lines[0], digests }], "0123");
  expect(log.startsWith("\x1e{")).toBe(true);
  expect(log.endsWith("}\n")).toBe(true);
  expect(JSON.parse(log.slice(1))).toEqual({
    pcr: 12,
    digests: [{ hashAlg: "sha256", digest: digests[0]?.digest }],
    content_type: "systemd",
    content: { string: lines[0], bootId: "0123", eventType: "aegis-kexec" },
  });
});
