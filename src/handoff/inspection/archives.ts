/** The initramfs archives of a load that is not made: what they are and how they would be joined. */
import { planJoin } from "../../initramfs/join.ts";
import { InputFile } from "../../linux/file.ts";
import type { OpenFile } from "../../source/open-file.ts";
import { type Examined, emptyWarning, examineArchive } from "../stages/archives.ts";
import type { ArchiveReport } from "./inspection.ts";
import type { Reasons } from "./reasons.ts";

export interface ArchivesInspected {
  readonly reports: readonly ArchiveReport[];
  /** Bytes of the whole initramfs, and of what has to be copied to join it. */
  readonly size: number;
  readonly copied: number;
  /** Bytes that it unpacks to, roughly. */
  readonly unpacked: number;
  /** What is odd about them; the kernel decides, so it is no reason. */
  readonly notes: readonly string[];
}

/**
 * Looks at the archives that were opened, and opens those that are still to be opened one by one, so
 * that each one's trouble shows.
 */
export async function inspectArchives(
  opened: readonly OpenFile[],
  others: readonly string[],
  how: {
    /** Something comes behind them: a secret. */
    readonly followed: boolean;
    readonly lenient: boolean;
    /** Even alone it would be copied, and no digest says what it must be. */
    isPartial(archive: OpenFile): boolean;
    /** Even one alone would be copied. */
    readonly copied: boolean;
  },
  reasons: Reasons,
): Promise<ArchivesInspected> {
  using own = new DisposableStack();
  const archives: readonly OpenFile[] = [
    ...opened,
    ...others
      .map((path) => reasons.attempt(() => own.use(InputFile.open(path, "initramfs"))))
      .filter((file) => file !== undefined),
  ];
  const joined = archives.length > 1 || how.followed;
  const examined: Examined[] = [];
  const reports: ArchiveReport[] = [];
  for (const [index, archive] of archives.entries()) {
    const one = await examineArchive(archive, {
      followed: how.followed || index < archives.length - 1,
      copied: joined || how.isPartial(archive),
      lenient: how.lenient,
    });
    if (one.problem !== undefined) reasons.add(one.problem);
    examined.push(one);
    reports.push({
      path: archive.canonicalPath,
      size: archive.size,
      kind: one.kind,
      kernelReads: one.kernelReads,
      needs: one.option ?? null,
      bootconfig: one.piece.bootconfig !== undefined,
      unchecked: one.unchecked ?? null,
    });
  }
  const plan = reasons.attempt(() => planJoin(examined.map(({ piece }) => piece)));
  const empty = how.followed ? undefined : emptyWarning(examined);
  return {
    reports,
    size: plan?.size ?? 0,
    unpacked: examined.reduce((sum, one) => sum + one.unpacked, 0),
    copied: plan === undefined || !(joined || how.copied) ? 0 : plan.size,
    notes: [
      ...examined.flatMap(({ warnings }) => warnings),
      ...(empty === undefined ? [] : [empty]),
    ],
  };
}
