/** The version of this package, as package.json states it. */
import { version as stated } from "../package.json" with { type: "json" };

export const version: string = stated;

/** When this version was made, at the latest midnight of: no right clock says an earlier time. */
export const released: number = Date.UTC(2026, 10, 26);
