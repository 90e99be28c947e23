/** Whether a run is as good as the recorded one. */
import { type Cost, costOf, type Results } from "./results.ts";
import { type WorkName, works } from "./works.ts";

/** A loss up to this is let pass. */
export const tolerance = 0.03;

/** What aegis-kexec costs outside the system call, once warm, as a multiple of its reference. */
export interface Ratio {
  readonly work: WorkName;
  readonly reference: string;
  readonly value: number;
}

export function ratios(costs: readonly Cost[]): Ratio[] {
  return works.flatMap(({ name, reference }) => {
    const own = costOf(costs, name, "aegis-kexec");
    const other = costOf(costs, name, reference);
    if (own === undefined || other === undefined) return [];
    return [{ work: name, reference, value: own.warm.median / other.warm.median }];
  });
}

/**
 * Compares each ratio that was measured with the recorded one.
 * @returns what was lost, a line each
 */
export function losses(measured: readonly Cost[], recorded: Results): string[] {
  const before = ratios(recorded.instructions);
  return ratios(measured).flatMap(({ work, reference, value }) => {
    const was = before.find((one) => one.work === work);
    if (was === undefined) return [`${work}: nothing was recorded: run the bench without --check`];
    if (value <= was.value * (1 + tolerance)) return [];
    const loss = ((value / was.value - 1) * 100).toFixed(1);
    return [
      `${work}: ${value.toFixed(3)} of ${reference}, recorded was ${was.value.toFixed(3)}: ${loss} % lost`,
    ];
  });
}
