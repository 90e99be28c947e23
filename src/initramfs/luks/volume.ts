/** A LUKS volume, who opens it in an initramfs, and where its key is looked for. */

/** What opens volumes in an initramfs: systemd-cryptsetup, cryptsetup-initramfs, mkinitcpio's hook `encrypt`. */
export const frameworks = ["systemd", "initramfs-tools", "encrypt"] as const;
export type Framework = (typeof frameworks)[number];

export interface LuksVolume {
  /** As udev writes it: lower case. */
  readonly uuid: string;
  /** Undefined: told from the archives. */
  readonly framework: Framework | undefined;
}

/** The folder where systemd-cryptsetup looks for keys: crypttab(5). The others are told to look there. */
export const keyFolder = "/etc/cryptsetup-keys.d";

/** Where the key of a volume lies whose name nothing says. */
export function usualPlace(uuid: string): string {
  return `${keyFolder}/luks-${uuid}.key`;
}
