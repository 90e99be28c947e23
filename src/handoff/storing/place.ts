/** The store that is written to: a folder of this machine, or one on a disk that nobody has mounted. */
import { cannot, KexecError } from "../../errors.ts";
import { lockFolder, roomIn } from "../../linux/device/writing.ts";
import type { Folder } from "../../linux/file.ts";
import { libc } from "../../linux/libc.ts";
import { FolderTree } from "../../source/folder-tree.ts";
import {
  mostStoreNames,
  readGenerations,
  runningPlace,
  type StoredGeneration,
  whyNot,
} from "../../source/generations/stored.ts";
import type { Opening } from "../../source/kind.ts";
import { findSource, isTree } from "../../source/place.ts";
import type { Gate } from "../gate/gate.ts";
import type { Observer } from "../report.ts";
import type { ParsedFetchRequest } from "./request.ts";

/** A store that nobody else fetches into meanwhile. Dispose of it to let go of it. */
export class OpenStore implements Disposable {
  /** A file system without a journal, which may keep both names of a rename that was cut off. */
  readonly isFat: boolean;
  /** What the store has to say, it says once. */
  private told = false;

  private constructor(
    readonly tree: FolderTree,
    private readonly opening: Opening,
    private readonly held: DisposableStack,
  ) {
    this.isFat = roomIn(tree.folder)?.isFat ?? false;
  }

  /** @throws KexecError of `findSource`; `busy`, `usage`, `io-error` */
  static async open(
    { store, wait }: Pick<ParsedFetchRequest, "store" | "wait">,
    admission: Gate,
    listener: Observer,
  ): Promise<OpenStore> {
    using guard = new DisposableStack();
    const held = guard.use(new DisposableStack());
    const found = await findStore(store, held, { wait, listener, admission });
    const tree = isTree(found) ? (found.reopen?.() ?? found).tree : undefined;
    if (!(tree instanceof FolderTree)) throw noFolder(store);
    const lock = lockFolder(tree.folder);
    if (lock === undefined) {
      throw cannot(`store a generation in ${store}`, {
        code: "busy",
        why: "another fetch writes to it",
        hint: "wait until that one has ended",
      });
    }
    held.use(lock);
    const opening: Opening = {
      ...{ architecture: libc().architecture, listener, admission, starts: false, held },
      follow: async () => {
        throw new TypeError("a generation leads to no other file");
      },
    };
    guard.move();
    return new OpenStore(tree, opening, held);
  }

  get folder(): Folder {
    return this.tree.folder;
  }

  /** Bytes that may still be written; undefined where that cannot be told. */
  free(): number | undefined {
    return roomIn(this.folder)?.free;
  }

  names(): readonly string[] {
    return this.tree.names("", mostStoreNames) ?? [];
  }

  /** The highest first. */
  generations(): readonly StoredGeneration[] {
    const listener = this.told ? {} : this.opening.listener;
    this.told = true;
    return readGenerations(this.tree, listener);
  }

  /** Why it does not verify; all of its files are read. */
  whyNot(one: StoredGeneration): Promise<KexecError | undefined> {
    return whyNot(this.tree, one, this.opening);
  }

  /** Whether the running system was, or may have been, started from it: a store may be seen by several ways. */
  isRunning({ id }: StoredGeneration): boolean {
    return runningPlace()?.split("/").at(-1) === id;
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
}

async function findStore(...[store, held, how]: Parameters<typeof findSource>) {
  try {
    return await findSource(store, held, how);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    // It was looked at as a SOURCE is, which may be a file.
    if (error.code === "not-a-regular-file" || error.code === "file-empty") throw noFolder(store);
    if (error.errno !== "ENOENT") throw error;
    throw cannot(`store a generation in ${store}`, {
      code: "file-not-found",
      details: { path: store },
      why: "there is no such folder",
      hint: "make it first (mkdir): a store is not begun by mistake",
    });
  }
}

function noFolder(store: string): KexecError {
  return cannot(`store a generation in ${store}`, {
    code: "usage",
    details: { path: store },
    why: "it is no folder",
    hint: "give the folder that has, or is to have, the generations",
  });
}
