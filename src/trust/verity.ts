/**
 * The fs-verity digest of a file, as `fsverity digest` computes it: Documentation/filesystems/fsverity.rst,
 * "Merkle tree" and "fs-verity descriptor". SHA-256, blocks of 4,096 bytes, no salt.
 */

const blockSize = 4096;
const digestSize = 32;

/** Takes a file's bytes in order, in pieces of any length, and keeps one block a level of the tree. */
export class VerityHasher {
  private readonly levels: Level[] = [new Level()];
  private size = 0;

  update(bytes: Uint8Array): void {
    this.size += bytes.length;
    this.add(0, bytes);
  }

  /** The digest as `sha256:` and 64 hex digits. Call it once. */
  digest(): `sha256:${string}` {
    const descriptor = new Uint8Array(256);
    const view = new DataView(descriptor.buffer);
    // struct fsverity_descriptor (fs/verity/fsverity_private.h): version, FS_VERITY_HASH_ALG_SHA256, log2 of the
    // block size, length of the salt; then the size of the data and the root, which is zero for an empty file
    descriptor.set([1, 1, Math.log2(blockSize), 0]);
    view.setBigUint64(8, BigInt(this.size), true);
    if (this.size > 0) descriptor.set(this.root(), 16);
    return `sha256:${new Bun.CryptoHasher("sha256").update(descriptor).digest("hex")}`;
  }

  private add(index: number, bytes: Uint8Array): void {
    const level = this.levels[index];
    if (level === undefined) return;
    for (let at = 0; at < bytes.length; ) {
      // A full block is digested when more follows: the last one of a level may be its only one
      if (level.filled === blockSize) this.up(index, level.take());
      at += level.fill(bytes.subarray(at));
    }
  }

  private up(index: number, digest: Uint8Array): void {
    if (this.levels[index + 1] === undefined) this.levels.push(new Level());
    this.add(index + 1, digest);
  }

  private root(): Uint8Array {
    for (let index = 0; ; index++) {
      const level = this.levels[index];
      if (level === undefined) throw new Error("a tree without a root");
      const digest = level.take();
      // Only block of its level: its digest is the root
      if (index === this.levels.length - 1) return digest;
      this.up(index, digest);
    }
  }
}

/** One block of a level, zeros behind what was put into it. */
class Level {
  private readonly block = new Uint8Array(blockSize);
  filled = 0;

  /** Takes what fits; returns how many bytes that were. */
  fill(bytes: Uint8Array): number {
    const length = Math.min(bytes.length, blockSize - this.filled);
    this.block.set(bytes.subarray(0, length), this.filled);
    this.filled += length;
    return length;
  }

  /** The digest of the block, which is empty from then on. */
  take(): Uint8Array {
    this.block.fill(0, this.filled);
    this.filled = 0;
    // Bun's hasher wants room for the longest digest that it knows
    const room = new Uint8Array(64);
    new Bun.CryptoHasher("sha256").update(this.block).digest(room);
    return room.subarray(0, digestSize);
  }
}
