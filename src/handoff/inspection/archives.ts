/** The initramfs archives of a load that is not made: what they are and how they would be joined. */
import { KexecError } from "../../errors.ts";
import { archiveHeadLength, identifyArchive } from "../../initramfs/archive.ts";
import { readBootconfig } from "../../initramfs/bootconfig.ts";
import { planJoin } from "../../initramfs/join.ts";
import { InputFile } from "../../linux/file.ts";
import type { OpenFile } from "../../source/open-file.ts";
import type { ArchiveReport } from "./inspection.ts";
import type { Reasons } from "./reasons.ts";

export interface ArchivesInspected {
  readonly reports: readonly ArchiveReport[];
  /** Bytes of the whole initramfs, and of what has to be copied to join it. */
  readonly size: number;
  readonly copied: number;
  /** What is odd about them; the kernel decides, so it is no reason. */
  readonly notes: readonly string[];
}

/**
 * Looks at the archives that were opened, and opens those that are still to be opened one by one, so
 * that each one's trouble shows.
 */
export function inspectArchives(
  opened: readonly OpenFile[],
  others: readonly string[],
  how: {
    /** Something comes behind them: a secret. */
    readonly followed: boolean;
    /** Even one alone would be copied. */
    readonly copied: boolean;
  },
  reasons: Reasons,
): ArchivesInspected {
  using own = new DisposableStack();
  const archives = [
    ...opened,
    ...others
      .map((path) => reasons.attempt(() => own.use(InputFile.open(path, "initramfs"))))
      .filter((file) => file !== undefined),
  ];
  const alone = archives.length === 1 && !how.followed;
  const looked = archives
    .map((archive) => reasons.attempt(() => lookAt(archive, alone)))
    .filter((archive) => archive !== undefined);
  const plan = reasons.attempt(() =>
    planJoin(looked.map(({ report, bootconfig }) => ({ size: report.size, bootconfig }))),
  );
  return {
    reports: looked.map(({ report }) => report),
    size: plan?.size ?? 0,
    copied: plan === undefined || (plan.passThrough && !how.copied) ? 0 : plan.size,
    notes: looked.flatMap(({ report }) => oddityOf(report)),
  };
}

function oddityOf({ path, kind, kernelReads }: ArchiveReport): string[] {
  if (kind === "unknown") return [`${path} does not look like an initramfs archive`];
  return kernelReads ? [] : [`${path} is ${kind}, which the kernel does not unpack`];
}

function lookAt(archive: OpenFile, alone: boolean) {
  const { kind, kernelReads, option } = identifyArchive(
    archive.read(0, Math.min(archiveHeadLength, archive.size)),
  );
  const found = readBootconfig(archive);
  if (found?.kind === "broken" && !alone) {
    throw new KexecError("malformed-input", {
      message: `cannot join the initramfs archives: ${archive.canonicalPath} ends in a broken bootconfig: ${found.why}`,
      hint: "take it off by `bootconfig -d FILE`, or write it anew",
    });
  }
  const report: ArchiveReport = {
    path: archive.canonicalPath,
    size: archive.size,
    kind,
    kernelReads,
    needs: option ?? null,
    bootconfig: found !== undefined,
  };
  return { report, bootconfig: found?.kind === "broken" ? undefined : found };
}
