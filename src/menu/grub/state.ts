/** What a script has made so far: entries, what is loaded, and how it ends. Pure. */
import type { MenuPlace } from "../host.ts";
import type { Block } from "./parse.ts";
import type { Variables } from "./variables.ts";

/** An entry as its `menuentry` left it, before its block runs. */
export interface Defined {
  readonly title: string;
  readonly id: string;
  readonly parameters: readonly string[];
  readonly body: Block | string;
  readonly submenu: boolean;
  /** File and line. */
  readonly from: string;
  /** Why its block cannot be evaluated. */
  readonly problem?: string | undefined;
}

/** A menu that GRUB would show, with the variables that its entries start with. */
export interface Shown {
  /** The configuration that it comes from; undefined for a submenu. */
  readonly config: string | undefined;
  readonly entries: readonly Defined[];
  readonly variables: Variables;
}

export interface Loaded {
  readonly kind: "linux" | "chained" | "other";
  readonly kernel: MenuPlace;
  readonly args: readonly string[];
  /** Why it is nothing for kexec. */
  readonly problem: string | undefined;
  initrds: readonly MenuPlace[];
  initrdProblem: string | undefined;
  deviceTree: MenuPlace | undefined;
}

/** Ends a script: it boots, leaves GRUB, or shows another menu. */
export class GrubLeave extends Error {
  constructor(
    /** What it does where nothing was loaded. */
    readonly reason: string,
    readonly shown?: Shown,
  ) {
    super(reason);
  }
}
