/** What walking through one archive of an initramfs comes to. */

/** Where the kernel would stop, and why. `why` is what follows "it": lower case, no full stop. */
export interface FramingFault {
  readonly kind: "cut" | "junk" | "broken";
  readonly at: number;
  readonly why: string;
}

/** What one archive comes to: where it ends, or what is wrong with it. */
export type Walked =
  | {
      readonly end: number;
      /** Bytes that it unpacks to, as far as the walk tells: more than there are, rather than less. */
      readonly unpacked: number;
      /** Why the kernel may not take it although it is whole. */
      readonly doubt?: string | undefined;
      /** It has entries, all of which the kernel looks for before it unpacks any: lib/earlycpio.c. */
      readonly early?: boolean | undefined;
    }
  | FramingFault;
