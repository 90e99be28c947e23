/** From an open source to one that may be loaded: trust, the kernel's format, the command line. */

import type { Architecture } from "../../architecture.ts";
import { requireMemory } from "../../diagnosis/memory-need.ts";
import { cannot } from "../../errors.ts";
import type { KeyPlan, PlacedKey } from "../../initramfs/luks/plan.ts";
import { readMemory } from "../../machine/kernel.ts";
import { valueIn } from "../../machine/reading.ts";
import { checkCmdline, joinCmdline } from "../../source/cmdline.ts";
import { KernelSource } from "../../source/image.ts";
import type { Source } from "../../source/open.ts";
import type { OpenFile, SourceFile } from "../../source/open-file.ts";
import type { Gate } from "../gate/gate.ts";
import type { Observer, TrustReport } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";
import { fullCmdline, heardCmdline, ownCmdline, requireUnsealed, withPlace } from "./cmdline.ts";

/** A source that this request may load. Only `Verified.from` makes one; dispose of it. */
export class Verified implements Disposable {
  private constructor(
    /** The kernel as it goes to the system call, and what it was taken out of. */
    readonly image: KernelSource,
    /** In the order in which they are joined. */
    readonly initrds: readonly SourceFile[],
    /** Checked against the image's limit. */
    readonly cmdline: string,
    /** Who signed it; null where nothing had to be signed. */
    readonly trust: TrustReport | null,
    /**
     * To be called once archives are read as well.
     * @throws KexecError `file-changed`
     */
    readonly requireUnchanged: () => void,
    /** Where the keys of LUKS volumes go. */
    readonly keys: readonly PlacedKey[],
    private readonly held: DisposableStack,
  ) {}

  /**
   * @param gate That the source was opened through.
   * @throws KexecError with a code of exits 2, 4, 5, 8, 9 or 12
   */
  static async from(
    source: Source,
    request: ParsedLoadRequest,
    architecture: Architecture,
    gate: Gate,
    observer: Observer,
  ): Promise<Verified> {
    using held = new DisposableStack();
    const { file } = source.kernel;
    const needsWhole = await gate.needsSealedWhole(source);
    if (needsWhole) await gate.admitWhole(source);
    const whole = needsWhole ? held.use(await copyWhole(file, observer)) : undefined;
    const trust = await gate.pass(source, whole, observer);
    for (const line of trust?.passedOver ?? []) observer.warn?.(`passed over: ${line}`);
    requireArchitecture(source, architecture);
    if (source.manifest !== undefined && trust === null) {
      observer.warn?.(
        `no key is trusted: the files are what ${source.path} says, and anyone may have written that`,
      );
    }

    const [kernel, archives] = await withoutVerityChecked(source, observer);
    const { expected } = kernel;
    if (expected !== undefined) {
      if (trust === null) requireLikely(file, expected.size);
      requireMemoryToCopy(expected.size);
    }
    const bytes: OpenFile =
      expected === undefined
        ? (whole ?? file)
        : held.use((await import("./copy.ts")).copyChecked(file, expected, "kernel", observer));
    const image = held.use(
      await KernelSource.open(bytes, imageOptions(source, request, architecture), observer),
    );
    // Where trust is required the gate has been stricter, and the policy says what may be appended.
    const sealed = trust === null ? image.cmdline : undefined;
    if (sealed !== undefined) await requireUnsealed(sealed, source, request);
    const own = ownCmdline(source, image, request, observer);
    const replaced = request.inPlaceOfUki && request.initrd.length > 0;
    const within = replaced ? [] : image.archives;
    const initrds = [...within.map((file) => ({ file, expected: undefined })), ...archives];
    const line = fullCmdline(own, request);
    const { keys, words } = await planKeysOf(request, initrds, line, gate, observer);
    const added = words.length === 0 ? request : withWords(request, words);
    // The words of keys are words that are appended
    if (words.length > 0 && sealed !== undefined) await requireUnsealed(sealed, source, added);
    if (trust !== null) {
      gate.requireAllowedAppend(request.append, own ?? "");
      if (words.length > 0) gate.requireAllowedAppend(words.join(" "), own ?? "", "--luks");
    }
    const heard = await heardCmdline(own, source, request, trust !== null, observer);
    const full = fullCmdline(heard, added);
    const cmdline = source.from === undefined ? full : await withPlace(full, source.from);
    const { limit } = image.kernel;
    const crash = request.crash ? await import("../../machine/crash.ts") : undefined;
    checkCmdline(cmdline, crash?.withKeyRoom(limit) ?? limit);
    requireSight(source, request, observer);
    const requireUnchanged = () => source.requireUnchanged();
    return new Verified(image, initrds, cmdline, trust, requireUnchanged, keys, held.move());
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
}

/** @throws KexecError of `placeKeys` */
function planKeysOf(
  request: ParsedLoadRequest,
  ...rest: [readonly SourceFile[], string, Gate, Observer]
): Pick<KeyPlan, "keys" | "words"> | Promise<KeyPlan> {
  const { secrets } = request;
  if (secrets.length === 0 || secrets.every(({ luks }) => luks === undefined)) {
    return { keys: [], words: [] };
  }
  return import("./luks.ts").then(({ placeKeys }) => placeKeys(request, ...rest));
}

function withWords(request: ParsedLoadRequest, words: readonly string[]): ParsedLoadRequest {
  return { ...request, append: joinCmdline(request.append, words.join(" ")) };
}

/** Bytes of a kernel in a manifest that nobody signed: no kernel, and hardly a UKI, has as many. */
const largestUnsigned = 1 << 30;

function requireLikely({ path }: OpenFile, size: number): void {
  if (size <= largestUnsigned) return;
  throw cannot(`start ${path}`, {
    code: "file-too-large",
    details: { path, size, limit: largestUnsigned },
    why: `it has ${size} bytes, and nobody signed the manifest that names it`,
    hint: "no kernel is that large: this is a damaged or a hostile file",
  });
}

type KernelAndArchives = readonly [kernel: SourceFile, archives: readonly SourceFile[]];

/** Kernel and archives, without expectations of those that the running kernel checks by fs-verity. */
function withoutVerityChecked(
  source: Source,
  observer: Observer,
): KernelAndArchives | Promise<KernelAndArchives> {
  const { kernel, initrds } = source;
  let named = false;
  for (const { expected } of [kernel, ...initrds]) named ||= expected?.verity !== undefined;
  if (!named) return [kernel, initrds];
  return import("./verity.ts").then(({ withoutChecked }) => [
    withoutChecked(kernel, observer),
    initrds.map((given) => withoutChecked(given, observer)),
  ]);
}

/** Before the copy; what comes with it is not known yet, and is looked at before it is joined. */
function requireMemoryToCopy(size: number): void {
  requireMemory({ kernel: size, initrd: 0, copied: size }, readMemory());
}

/** Offsets in a PE file have 32 bits: nothing of a longer one would be used. */
const largestUki = 2 ** 32;

async function copyWhole(file: OpenFile, observer: Observer) {
  const { copySealed } = await import("./copy.ts");
  if (file.size > largestUki) {
    throw cannot(`load ${file.path}`, {
      code: "file-too-large",
      details: { path: file.path, size: file.size, limit: largestUki },
      why: `it has ${file.size} bytes, and a UKI ends at ${largestUki}`,
      hint: "build the UKI anew, with a smaller initramfs",
    });
  }
  // How much of it is kernel and initramfs is known when it is taken apart.
  requireMemory({ kernel: 0, initrd: 0, copied: file.size }, readMemory());
  return copySealed(file, "UKI", observer);
}

function imageOptions(
  source: Source,
  request: ParsedLoadRequest,
  architecture: Architecture,
): Parameters<typeof KernelSource.open>[1] {
  return {
    architecture,
    profile: request.profile ?? source.entry?.facts?.profile,
    limit: largestKernel,
  };
}

/** Bytes of a kernel that is copied here: the kernel reads it and puts it into its place, too. */
export function largestKernel(): number {
  return Math.floor((valueIn(readMemory().available) ?? Number.POSITIVE_INFINITY) / 3);
}

function requireArchitecture(source: Source, architecture: Architecture): void {
  const wanted = source.manifest?.manifest.architecture;
  if (wanted === undefined || wanted === architecture) return;
  throw cannot(`load ${source.path}`, {
    code: "wrong-architecture",
    details: { path: source.path, expected: architecture, found: wanted },
    why: `it is for ${wanted}, and this machine is ${architecture}`,
    hint: `load a generation that was made for ${architecture}`,
  });
}

/** A live system that does not find its image ends in a shell, or in silence. */
function requireSight(
  { path, blind }: Source,
  { cmdline, append }: Pick<ParsedLoadRequest, "cmdline" | "append">,
  observer: Observer,
): void {
  if (blind === undefined) return;
  if (cmdline === undefined && append === undefined) {
    throw cannot(`boot ${path}`, {
      code: "system-not-found",
      details: { path },
      why: `the next system would not find it: ${blind.why}`,
      hint: blind.give,
    });
  }
  observer.warn?.(
    `${path}: the words that are given decide whether the next system finds it: ${blind.why}`,
  );
}
