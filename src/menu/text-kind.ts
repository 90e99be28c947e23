/** Which configuration a text is, by words that no other has, so that it is called what it is. Pure. */

/** A kind of text, and how it is told: a line that it must have. */
interface TextKind {
  readonly name: string;
  readonly signs: readonly RegExp[];
}

/** In this order: the first of which every sign is there. */
const kinds: readonly TextKind[] = [
  { name: "a script", signs: [/^#!/] },
  { name: "GRUB's environment block (grubenv)", signs: [/^# GRUB Environment Block\n/] },
  {
    name: "a configuration of GRUB (grub.cfg)",
    signs: [
      /^[ \t]*(?:menuentry|submenu|insmod|set[ \t]+[\w?]+=|search[ \t]+--|configfile[ \t]|load_video\b|blscfg\b|(?:if|for|function)[ \t].*\b(?:then|do|\{)[ \t]*$)/m,
    ],
  },
  {
    name: "a configuration of GRUB Legacy (menu.lst)",
    signs: [/^[ \t]*title[ \t]/im, /^[ \t]*(?:root[ \t]+\(|kernel[ \t]+(?:\(|\/))/im],
  },
  {
    name: "a configuration of syslinux (extlinux.conf, isolinux.cfg)",
    signs: [
      /^[ \t]*(?:label[ \t]+\S|include[ \t]+\S+\.cfg|(?:ui|com32|localboot|ipappend|sysappend)[ \t])/im,
      /^[ \t]*(?:label|kernel|linux|append|fdtdir|default|timeout|prompt|menu|include|ui|localboot)\b/im,
    ],
  },
  {
    name: "a configuration of LILO",
    signs: [/^[ \t]*image[ \t]*=/m, /^[ \t]*(?:label|append|initrd|boot|root)[ \t]*=/m],
  },
  {
    name: "systemd-boot's own configuration (loader.conf)",
    signs: [
      /^(?:timeout|default|console-mode|editor|auto-entries|auto-firmware|beep|secure-boot-enroll)[ \t]/m,
    ],
  },
  { name: "a manifest that is no JSON object", signs: [/^\s*\[/] },
  { name: "a page of HTML: a download that failed", signs: [/^\s*<(?:!doctype|html)\b/i] },
];

/** Lines that only a boot entry has, and no `label`: UAPI.1. */
const entryLine = /^[ \t]*(?:linux|efi|uki|uki-url)[ \t]+\S/m;
const syslinuxLabel = /^[ \t]*label[ \t]/im;

/** What a text is, other than a boot entry; undefined where it may be one, or nothing is known of it. */
export function textKind(text: string): string | undefined {
  const found = kinds.find(({ signs }) => signs.every((sign) => sign.test(text)));
  if (found === undefined) return undefined;
  // loader.conf and an entry share no key, so that a line of an entry decides.
  const isLoader = found.name.startsWith("systemd-boot");
  return isLoader && entryLine.test(text) && !syslinuxLabel.test(text) ? undefined : found.name;
}
