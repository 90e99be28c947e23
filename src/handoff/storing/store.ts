/** A generation on its way into a store: beside the others, then by its name among them. */
import { cannot, KexecError } from "../../errors.ts";
import { renameIn } from "../../linux/device/change.ts";
import { flushNames, removeForGood, writeError } from "../../linux/device/writing.ts";
import { readCounter } from "../../menu/counting.ts";
import {
  manifestName,
  readGeneration,
  type StoredGeneration,
} from "../../source/generations/stored.ts";
import type { Generation } from "../../source/kind.ts";
import type { FetchReport, Observer } from "../report.ts";
import { clearLeftovers, keepNewest, removeGeneration } from "./keep.ts";
import type { OpenStore } from "./place.ts";
import type { ParsedFetchRequest } from "./request.ts";
import { writeBeside } from "./write.ts";

/** What a stored generation may fail before it is passed over. */
const tries = 3;

type Stored = Omit<FetchReport, "trust">;

/** @throws KexecError `malformed-input`, `digest-mismatch`, `io-error`, and those of the source */
export async function storeGeneration(
  generation: Generation,
  store: OpenStore,
  { store: shown, keep, signature }: ParsedFetchRequest,
  observer: Observer,
): Promise<Stored> {
  const { generation: number } = generation.manifest.manifest;
  const done = (
    name: string,
    more: Pick<Stored, "stored" | "written" | "resumed" | "removed">,
  ) => ({
    path: `${shown.replace(/\/$/, "")}/${name}`,
    generation: number,
    ...more,
  });
  const place = await placeFor(generation, store);
  if (place.kind === "there") {
    observer.note?.(`generation ${number} is there already: ${place.name}`);
    return done(place.name, { stored: false, written: 0, resumed: 0, removed: [] });
  }
  const beside = `.${number}.part`;
  try {
    const copied = await writeBeside(generation, store, beside, signature, observer);
    await requireWhole(store, beside);
    const name = `${number}+${tries}`;
    if (place.broken !== undefined) {
      observer.warn?.(`${place.broken.name} is replaced: ${place.why}`);
      removeGeneration(store, place.broken.name);
    }
    rename(store, beside, name);
    const removed = await keepNewest(store, keep, name, observer);
    clearLeftovers(store, number);
    return done(name, { stored: true, ...copied, removed });
  } catch (error) {
    // A disk that is full must not stay so.
    if (error instanceof KexecError && error.errno === "ENOSPC") discard(store, beside);
    throw error;
  }
}

type Place =
  | { readonly kind: "there"; readonly name: string }
  | { readonly kind: "free"; readonly broken?: undefined }
  /** What has its name does not verify. */
  | { readonly kind: "free"; readonly broken: StoredGeneration; readonly why: string };

async function placeFor({ manifest }: Generation, store: OpenStore): Promise<Place> {
  const { generation } = manifest.manifest;
  const doing = `store generation ${generation}`;
  let broken: Place | undefined;
  for (const one of store.generations()) {
    const named = one.id === String(generation);
    if (!named && one.generation !== generation) continue;
    const why = await store.whyNot(one);
    if (why !== undefined) {
      if (named) broken = { kind: "free", broken: one, why: why.message };
    } else if (isSame(store, one, manifest.bytes)) {
      return { kind: "there", name: one.name };
    } else {
      throw cannot(doing, {
        code: "malformed-input",
        why: `${one.name} is there, verifies, and is another one (generation ${one.generation})`,
        hint: "give what is new a higher number, and sign that",
      });
    }
  }
  const names = store.names().filter((name) => readCounter(name, false).id === String(generation));
  const isHalfNamed = names.length > 1 || store.names().includes(`.${generation}.part`);
  if (names.length > 0 && broken === undefined) {
    throw cannot(doing, {
      code: "malformed-input",
      why: `${names[0]} has its name, and is no generation`,
      hint: "remove it, or give it another name",
    });
  }
  if (store.isFat && names.length > 0 && isHalfNamed) {
    throw cannot(doing, {
      code: "malformed-input",
      why: "a rename was cut off here, and two names may lead to the same files",
      hint: "check the file system (fsck.vfat, fsck.exfat), then try again",
    });
  }
  return broken ?? { kind: "free" };
}

function isSame({ tree }: OpenStore, { name }: StoredGeneration, bytes: Uint8Array): boolean {
  using file = tree.open(`${name}/${manifestName}`, "manifest");
  return file.size === bytes.length && Buffer.compare(file.read(0, file.size), bytes) === 0;
}

/** As `boot` will judge it: what was written is read, its signature among it. */
async function requireWhole(store: OpenStore, beside: string): Promise<void> {
  const stored = { name: beside, id: beside, triesLeft: undefined, triesDone: undefined };
  const problem = await store.whyNot(readGeneration(store.tree, stored));
  if (problem === undefined) return;
  discard(store, beside);
  throw problem;
}

function rename(store: OpenStore, from: string, to: string): void {
  const { folder } = store;
  flushNames(folder, from);
  const result = renameIn(`/proc/self/fd/${folder.fd}`, from, to);
  if (result < 0) throw writeError(`rename ${folder.path}/${from} to ${to}`, -result);
}

/** The failure that led here is what is told. */
function discard({ folder }: OpenStore, name: string): void {
  try {
    removeForGood(folder, name);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
  }
}
