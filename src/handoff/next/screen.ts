/** What becomes of the screen: the displays of now, held against what the next kernel has. */
import { graphicsOfConfig, graphicsOfTexts, graphicsTexts } from "../../diagnosis/graphics.ts";
import { hasScreen, judgeScreen, type ScreenVerdict } from "../../diagnosis/screen.ts";
import { isOnScreen, readDisplays } from "../../machine/displays.ts";
import { configBeside } from "../../source/build/config.ts";
import { archivedModules } from "../../source/build/modules.ts";
import { searchKernel } from "../../source/build/text.ts";
import type { Observer } from "../report.ts";
import type { Verified } from "../stages/verify.ts";

type Next = Pick<Verified, "image" | "initrds" | "cmdline">;

/** Undefined where there is no screen. */
export async function screenAfter(next: Next): Promise<ScreenVerdict | undefined> {
  const displays = readDisplays();
  // A kernel is unpacked for the rest.
  if (!hasScreen(displays)) return undefined;
  const graphics = await graphicsOf(next);
  const { cmdline, initrds } = next;
  // Most verdicts need no look into the initramfs.
  const asked = new Set<string>();
  const first = judgeScreen(displays, graphics, cmdline, (module) => {
    asked.add(module);
    return undefined;
  });
  if (asked.size === 0) return first;
  const archives = initrds.map(({ file }) => file);
  return judgeScreen(displays, graphics, cmdline, await archivedModules(archives, [...asked]));
}

async function graphicsOf({ image: { kernel, file } }: Next) {
  const beside = configBeside(kernel, file.canonicalPath);
  if (beside !== undefined) return graphicsOfConfig(beside);
  const search = await searchKernel(kernel, file, graphicsTexts);
  if (search === undefined) return undefined;
  return search.config === undefined
    ? graphicsOfTexts(search.found)
    : graphicsOfConfig(search.config);
}

/** For who reads the messages of this program on that screen. */
export async function warnIfBlank(next: Next, observer: Observer): Promise<void> {
  if (!isOnScreen(2)) return;
  const after = await screenAfter(next);
  if (after === undefined) return;
  const hint = after.hint === undefined ? "" : `; ${after.hint}`;
  if (after.verdict === "blank") {
    observer.warn?.(`this screen stays blank after the jump: ${after.why}${hint}`);
  } else if (after.verdict === "blank-until-driver") {
    observer.note?.(
      `this screen is blank after the jump until a driver loads: ${after.why}${hint}`,
    );
  }
}
