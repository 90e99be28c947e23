import type { MenuPlace } from "../host.ts";

/** What a GRUB script starts with. */
export interface GrubStart {
  /** The configuration. */
  readonly config: MenuPlace;
  readonly platform: "efi" | "pc";
  /** As GRUB calls it: `x86_64`, `i386`, `arm64`. */
  readonly cpu: string;
  /** Set and exported before the script runs: `iso_path`, `lockdown`. */
  readonly variables?: Readonly<Record<string, string>>;
  /** `$prefix`; the folder of the configuration where it is left out. */
  readonly prefix?: MenuPlace;
  /**
   * Variables that `load_env` leaves out: a one-shot that could not be taken back afterwards.
   */
  readonly withoutVariables?: ReadonlySet<string>;
}
