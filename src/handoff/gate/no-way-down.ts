/** A server's generation below what a store among the SOURCEs has is passed over: an old set is signed, too. */
import { cannot, KexecError } from "../../errors.ts";
import type { Listener } from "../../listener.ts";
import type { Admission, SourceManifest } from "../../source/kind.ts";
import { FoundSource } from "../../source/open.ts";
import type { ParsedLoadRequest } from "../request.ts";
import type { Gate } from "./gate.ts";

/** The admission, by which a generation is refused that is lower than one that verified and was blessed. */
export function withoutWayDown(
  admission: Admission,
  request: ParsedLoadRequest,
  listener: Listener,
  gateOfStore: () => Promise<Gate>,
): Admission {
  return {
    required: admission.required,
    fileSystems: admission.fileSystems,
    admit: async (manifest) => {
      await admission.admit(manifest);
      if (String(manifest.manifest.generation) === request.entry) return;
      for (const other of request.others ?? [])
        await requireNotBelow(manifest, other, request, listener, gateOfStore);
    },
    judgeWhole: (whole) => admission.judgeWhole(whole),
    admitUnseen: async (image) => admission.admitUnseen?.(image),
    requireRoom: (bytes) => admission.requireRoom?.(bytes),
  };
}

async function requireNotBelow(
  { path, manifest: { generation } }: SourceManifest,
  other: string,
  request: ParsedLoadRequest,
  listener: Listener,
  gateOfStore: () => Promise<Gate>,
): Promise<void> {
  const higher = await blessedAbove(generation, other, request, listener, gateOfStore);
  if (higher === undefined) return;
  throw cannot(`load ${path}`, {
    code: "generation-too-low",
    details: { generation, minimum: higher },
    why: `it is generation ${generation}, and ${other} has ${higher}, which verifies and was blessed`,
    hint: `--entry ${generation} names it, where it is meant`,
  });
}

/** What is no store, or cannot be opened, says nothing: it is told when it is its turn. */
async function blessedAbove(
  generation: number,
  other: string,
  request: ParsedLoadRequest,
  listener: Listener,
  gateOfStore: () => Promise<Gate>,
): Promise<number | undefined> {
  try {
    const wanted = { source: other, wait: request.wait };
    using found = await FoundSource.find(wanted, listener, await gateOfStore());
    const menu = await found.menu();
    return (await menu?.menu.blessedAbove?.(generation))?.generation;
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    listener.note?.(`${other} is not compared with: ${error.message}`);
    return undefined;
  }
}
