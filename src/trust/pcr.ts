/**
 * The last PCR that only a reset of the machine resets: TCG PC Client Platform TPM Profile, table 4. Whoever can
 * reset one can extend it anew.
 */
export const lastLastingPcr = 15;
