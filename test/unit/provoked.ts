/** Each error that needs no kernel of its own, provoked: by code what leads to it. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diagnoseLoad } from "../../src/diagnosis/diagnose.ts";
import type { LoadAttempt, LoadEvidence } from "../../src/diagnosis/evidence.ts";
import { unverifiable } from "../../src/diagnosis/signature-check.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { inspect } from "../../src/handoff/inspect.ts";
import { manifest } from "../../src/handoff/manifest.ts";
import { encodeArchive } from "../../src/initramfs/cpio.ts";
import { InputFile } from "../../src/linux/file.ts";
import { known } from "../../src/machine/reading.ts";
import { checkCmdline } from "../../src/source/cmdline.ts";
import { answerOf } from "../../src/source/network/answer.ts";
import { Failure, tlsFailure } from "../../src/source/network/failure.ts";
import { reachFailure, type Surroundings } from "../../src/source/network/reach.ts";
import { Watch } from "../../src/source/network/watch.ts";
import { asKexecError } from "../../src/thrown.ts";
import { parsePublicKey } from "../../src/trust/keys.ts";
import { attempt, evidence } from "./diagnosis/machine.ts";
import { elsewhere, tellStatus, withoutJit, withoutLibc } from "./elsewhere.ts";
import { makeBzImage } from "./image/build.ts";
import { pack, plant } from "./image/iso-build.ts";
import { fetched, serve } from "./source/network/generation.ts";
import { ok, status } from "./source/network/server.ts";

/** An errno of the kernel, with the state that goes with it. */
const refusedBy =
  (
    errno: number,
    state: Partial<LoadEvidence> = {},
    asked: Partial<LoadAttempt> = {},
    log: readonly string[] = [],
  ) =>
  () =>
    diagnoseLoad(errno, { ...attempt, ...asked }, { ...evidence, ...state }, log);

const [EPERM, EIO, EBUSY, EINVAL, EKEYREJECTED] = [1, 5, 16, 22, 129];
const judged = { signature: { judgement: unverifiable, uefi: known(true) } };

const link = { name: "eth0", up: true, carrier: true, addresses: ["192.0.2.7"] };
const url = new URL("https://boot.example/boot.json");
/** What becomes of a server that cannot be reached. */
const reached = (given: Partial<Surroundings>) => () =>
  reachFailure(url, {
    interfaces: () => [link],
    resolve: async () => ["192.0.2.9"],
    nameServers: () => ["192.0.2.1"],
    connect: () => 111,
    ...given,
  });
const byTls =
  (name: string, now = 2, built = 1) =>
  () =>
    tlsFailure(name, "boot.example", now, built);

async function inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "provoked-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function watched<T>(use: (watch: Watch) => T, signal?: AbortSignal): T {
  const watch = new Watch({ signal, stall: 60_000 });
  try {
    return use(watch);
  } finally {
    watch.stop();
  }
}

/** A generation by a server that answers in another way where a kernel is asked for. */
async function fromServer(...instead: Parameters<typeof serve>): Promise<unknown> {
  using server = serve(...instead);
  return await fetched(server.url("/node/boot.json"));
}

export const provocations = {
  "internal-error": () => asKexecError(new TypeError("a bug")),
  "unsupported-platform": () => elsewhere("platform", "darwin", tellStatus),
  "unsupported-architecture": () => elsewhere("arch", "riscv64", tellStatus),
  "no-jit": withoutJit,
  "no-libc": withoutLibc,
  "unsupported-flag": refusedBy(EINVAL, {}, { debug: true }),
  "file-changed": () =>
    inFolder((folder) => {
      const path = join(folder, "kernel");
      writeFileSync(path, new Uint8Array(100));
      using file = InputFile.open(path, "kernel");
      truncateSync(path, 50);
      file.read(0, 100);
    }),
  "not-below": () =>
    inFolder(async (folder) => {
      plant(folder, { "a/vmlinuz": makeBzImage(), "b/initrd": encodeArchive([]) });
      await manifest({ kernel: join(folder, "a/vmlinuz"), initrd: [join(folder, "b/initrd")] });
    }),
  "malformed-cmdline": () => checkCmdline("a\nb", { architecture: "aarch64", cmdlineSize: 0 }),
  "bad-key": () => parsePublicKey(Buffer.from("no key"), "org.pub"),
  "kernel-signature-refused": refusedBy(EKEYREJECTED, judged),
  "loadpin-refused": refusedBy(EPERM, {}, {}, ['LoadPin: kexec-image denied obj="/v" pid=1']),
  "system-not-found": () =>
    inFolder(async (folder) => {
      plant(join(folder, "tree"), {
        "boot/grub/grub.cfg": "menuentry a {\n linux /vmlinuz quiet\n initrd /initrd\n}\n",
        vmlinuz: makeBzImage(),
        initrd: "archive",
      });
      const image = pack(join(folder, "tree"), join(folder, "one.iso"));
      const { reasons } = (await inspect({ kernel: image })).verdict;
      return reasons.find(({ exit }) => exit === 8);
    }),
  busy: refusedBy(EBUSY),
  "io-error": refusedBy(EIO),
  "no-interface": reached({ interfaces: () => [] }),
  "no-link": reached({ interfaces: () => [{ ...link, carrier: false, addresses: [] }] }),
  "no-address": reached({ interfaces: () => [{ ...link, addresses: [] }] }),
  "name-not-found": reached({ resolve: async () => [] }),
  "no-route": reached({ connect: () => 113 }),
  "connection-refused": reached({}),
  stalled: reached({ connect: () => 110 }),
  "tls-unknown-authority": byTls("DEPTH_ZERO_SELF_SIGNED_CERT"),
  "tls-wrong-name": byTls("HOSTNAME_MISMATCH"),
  "tls-expired": byTls("CERT_HAS_EXPIRED"),
  "clock-wrong": byTls("CERT_NOT_YET_VALID", 1, 2),
  "tls-failed": byTls("EPROTO"),
  "http-status": () =>
    watched((watch) => answerOf(new Response("", { status: 403 }), undefined, watch)),
  "bad-answer": () =>
    watched((watch) => {
      const headers = { "content-encoding": "br" };
      answerOf(new Response("", { headers }), undefined, watch);
    }),
  "redirect-refused": () => fromServer(() => status(302)),
  "transfer-cut": () =>
    fromServer(({ path }) =>
      path === "/node/vmlinuz" ? ["HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\nx"] : undefined,
    ),
  "too-long": () =>
    fromServer(({ path }) => (path === "/node/vmlinuz" ? ok(new Uint8Array(30_000)) : undefined)),
  aborted: () => watched((watch) => watch.failure, AbortSignal.abort()),
} as const satisfies Partial<Readonly<Record<ErrorCode, () => unknown>>>;

/** The code of what a provocation returns, throws or prints. */
export async function codeOf(provoke: () => unknown): Promise<unknown> {
  let come: unknown;
  try {
    come = await provoke();
  } catch (error) {
    come = error;
  }
  if (typeof come === "string") return /^([a-z-]+) \d+ /m.exec(come)?.[1];
  if (come instanceof Failure) return come.failure.code;
  if (typeof come !== "object" || come === null) return undefined;
  if ("failure" in come) return codeOf(() => come.failure);
  return "code" in come ? come.code : come;
}
