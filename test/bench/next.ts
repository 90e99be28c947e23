/** What guests hand over to: an initramfs that announces itself and is as large as wanted. */
import { readFileSync, writeFileSync } from "node:fs";
import { archiveChunks } from "../../src/initramfs/cpio.ts";
import { temporaryPath } from "../vm/lib/host.ts";
import { guestInitramfs } from "../vm/lib/initramfs.ts";
import { random } from "./files.ts";

/** @returns the path of an archive of about `megabytes` MiB that no compressor makes smaller */
export function nextInitramfs(token: string, megabytes: number): string {
  const agent = readFileSync(guestInitramfs({ arch: "x86_64", token }));
  const data = random((megabytes << 20) - agent.length, 7);
  const filling = archiveChunks([{ type: "file", path: "filling", data }]);
  const path = temporaryPath("next.cpio");
  // guestInitramfs ends at a multiple of 512, as newc archives that follow each other must of 4
  writeFileSync(path, Buffer.concat([agent, ...filling]));
  return path;
}
