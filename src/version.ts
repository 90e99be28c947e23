/** The version of this package, as package.json states it. */
import { version as stated } from "../package.json" with { type: "json" };

export const version: string = stated;

/**
 * When this version was made, at the latest midnight of, 2026-11-26: no right clock says an earlier time. A
 * number, because the first date that is made costs a sixth of what an empty program does.
 */
export const released = 1_795_651_200_000;
