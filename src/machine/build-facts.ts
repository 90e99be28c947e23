/** How the running kernel was built, as far as it decides about a kexec. */
import { callThroughSignals, close, O_RDONLY, open, readText } from "../linux/descriptor.ts";
import { libc } from "../linux/libc.ts";
import { known, type Reading, unknown } from "./reading.ts";

/** Options that were asked for; each is unknown where neither configuration nor symbols tell. */
export interface BuildFacts {
  /** CONFIG_KEXEC_FILE. */
  readonly kexecFile: Reading<boolean>;
  /** CONFIG_KEXEC_SIG: signatures of images are looked at. */
  readonly kexecSig: Reading<boolean>;
  /** A verifier for this architecture's images; without one every check fails. */
  readonly kexecVerifier: Reading<boolean>;
  /** CONFIG_KEXEC_SIG_FORCE. */
  readonly kexecSigForce: Reading<boolean>;
  /** CONFIG_IMA_ARCH_POLICY: under Secure Boot it makes the signature check compulsory. */
  readonly imaArchPolicy: Reading<boolean>;
  /** CONFIG_IMA_APPRAISE. */
  readonly imaAppraise: Reading<boolean>;
  /** CONFIG_IMA_WRITE_POLICY: a policy may have been loaded without a trace. */
  readonly imaWritePolicy: Reading<boolean>;
  /** CONFIG_KEXEC_HANDOVER. */
  readonly kexecHandover: Reading<boolean>;
  /** CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT: on without `kho=on`. */
  readonly kexecHandoverDefault: Reading<boolean>;
}

const configLimit = 4 << 20;
const noConfig = "neither /proc/config.gz nor /boot/config-RELEASE can be read";

/** @param release `uname -r` */
export function readBuildFacts(release: string): BuildFacts {
  const config = readConfig(release);
  return config === undefined ? factsOfSymbols(readSymbols()) : factsOfConfig(config);
}

function readConfig(release: string): string | undefined {
  const packed = readBytes("/proc/config.gz", configLimit);
  if (packed !== undefined) {
    try {
      return new TextDecoder().decode(Bun.gunzipSync(packed));
    } catch {
      // The kernel wrote it; where it cannot be read after all, the distribution's copy serves.
    }
  }
  for (const path of [`/boot/config-${release}`, `/lib/modules/${release}/config`]) {
    const file = readText(path, configLimit);
    if (file.ok) return file.text;
  }
  return undefined;
}

function readBytes(path: string, limit: number): Uint8Array<ArrayBuffer> | undefined {
  const fd = open(path, O_RDONLY);
  if (fd < 0) return undefined;
  try {
    const buffer = new Uint8Array(limit);
    let done = 0;
    for (;;) {
      const got = libc().call("read", fd, buffer.subarray(done), limit - done);
      if (got < 0 || done + got === limit) return undefined;
      if (got === 0) return buffer.slice(0, done);
      done += got;
    }
  } finally {
    close(fd);
  }
}

/** The facts in a kernel's configuration, the text of a `.config`. */
export function factsOfConfig(config: string): BuildFacts {
  const has = (option: string) => new RegExp(`^CONFIG_${option}=[ym]$`, "m").test(config);
  const fact = (option: string) => known(has(option));
  return {
    kexecFile: fact("KEXEC_FILE"),
    kexecSig: fact("KEXEC_SIG"),
    kexecVerifier: known(["KEXEC_BZIMAGE_VERIFY_SIG", "KEXEC_IMAGE_VERIFY_SIG"].some(has)),
    kexecSigForce: fact("KEXEC_SIG_FORCE"),
    imaArchPolicy: fact("IMA_ARCH_POLICY"),
    imaAppraise: fact("IMA_APPRAISE"),
    imaWritePolicy: fact("IMA_WRITE_POLICY"),
    kexecHandover: fact("KEXEC_HANDOVER"),
    kexecHandoverDefault: fact("KEXEC_HANDOVER_ENABLE_DEFAULT"),
  };
}

/** A function that is there only where the option is: kernel/kexec_file.c and others. */
const tellingSymbols = {
  kexecFile: "kimage_file_post_load_cleanup",
  kexecSig: "set_kexec_sig_enforced",
  kexecVerifier: "verify_pefile_signature",
  // Without IMA_SECURE_AND_OR_TRUSTED_BOOT the header has an empty one: include/linux/ima.h.
  imaArchPolicy: "arch_get_ima_policy",
  imaAppraise: "ima_appraise_measurement",
  kexecHandover: "kho_fill_kimage",
} as const;

type TellingSymbol = keyof typeof tellingSymbols;

/** @param symbols names found in /proc/kallsyms; undefined where that could not be read */
export function factsOfSymbols(symbols: ReadonlySet<TellingSymbol> | undefined): BuildFacts {
  const why = unknown(noConfig);
  const fact = (name: TellingSymbol) => (symbols === undefined ? why : known(symbols.has(name)));
  const kexecSig = fact("kexecSig");
  const kexecHandover = fact("kexecHandover");
  // An option that depends on another one is off where that one is.
  const below = (above: Reading<boolean>) =>
    above.known && !above.value ? known(false) : unknown(noConfig);
  return {
    kexecFile: fact("kexecFile"),
    kexecSig,
    kexecVerifier: fact("kexecVerifier"),
    kexecSigForce: below(kexecSig),
    imaArchPolicy: fact("imaArchPolicy"),
    imaAppraise: fact("imaAppraise"),
    imaWritePolicy: below(fact("imaAppraise")),
    kexecHandover,
    kexecHandoverDefault: below(kexecHandover),
  };
}

/**
 * Reads /proc/kallsyms, some megabytes. Addresses are not needed, and hidden. The kernel gives a page
 * at a time, so the one buffer is filled before it is looked through.
 */
function readSymbols(): ReadonlySet<TellingSymbol> | undefined {
  const fd = open("/proc/kallsyms", O_RDONLY);
  if (fd < 0) return undefined;
  try {
    return findSymbols((buffer) => callThroughSignals("read", fd, buffer, buffer.byteLength));
  } finally {
    close(fd);
  }
}

const pieceSize = 1 << 17;
const textEnd = " _etext\n";

/**
 * Lines are `address type name`, a module's name behind it (kernel/kallsyms.c, s_show), in the order
 * of the addresses (scripts/kallsyms.c). The functions asked for are no init functions, so they stand
 * before the end of the kernel's text (include/asm-generic/vmlinux.lds.h); data, what was init text,
 * and modules come behind it.
 * @param read fills a buffer from its start on; how many bytes, 0 at the end, or -errno
 * @returns undefined where nothing can be read
 */
export function findSymbols(
  read: (buffer: Uint8Array) => number,
): ReadonlySet<TellingSymbol> | undefined {
  const found = new Set<TellingSymbol>();
  const wanted = new Map<TellingSymbol, string>([
    ["kexecFile", tellingSymbols.kexecFile],
    ["kexecSig", tellingSymbols.kexecSig],
    ["kexecVerifier", tellingSymbols.kexecVerifier],
    ["imaArchPolicy", tellingSymbols.imaArchPolicy],
    ["imaAppraise", tellingSymbols.imaAppraise],
    ["kexecHandover", tellingSymbols.kexecHandover],
  ]);
  // A name at the edge is whole with the next piece.
  const kept = Math.max(...Array.from(wanted.values(), (symbol) => symbol.length + 1));
  const buffer = new Uint8Array(pieceSize);
  let empty = true;
  let filled = 0;
  for (let more = true; more && wanted.size > 0; ) {
    const got = read(buffer.subarray(filled));
    // What was not read may be there.
    if (got < 0) return undefined;
    if (got > 0) {
      empty = false;
      filled += got;
      if (filled < buffer.length) continue;
    }
    const piece = Buffer.from(buffer.buffer, 0, filled);
    for (const [name, symbol] of wanted) {
      if (!piece.includes(` ${symbol}\n`)) continue;
      found.add(name);
      wanted.delete(name);
    }
    more = got > 0 && !piece.includes(textEnd);
    buffer.copyWithin(0, filled - kept, filled);
    filled = kept;
  }
  return empty ? undefined : found;
}
