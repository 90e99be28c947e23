/** Values of options that have a form of their own. Pure, and apart from what acts on them. */

/** `--on-failure`: see on-failure.ts. */
export const failureActions = ["return", "reboot", "poweroff", "shell"] as const;
export type FailureAction = (typeof failureActions)[number];

export const quiesceClasses = ["net", "gpu", "usb", "storage"] as const;
export type QuiesceClass = (typeof quiesceClasses)[number];

/** What `--quiesce` asks for, each word a class or a PCI address. */
export type QuiesceWord = QuiesceClass | { readonly address: string };

/** A word of `--quiesce`; undefined where it is none. The PCI domain may be left out. */
export function parseQuiesceWord(word: string): QuiesceWord | undefined {
  const known = quiesceClasses.find((name) => name === word);
  if (known !== undefined) return known;
  const match = /^([0-9a-f]{4,8}:)?([0-9a-f]{2}:[01][0-9a-f]\.[0-7])$/i.exec(word);
  if (match === null) return undefined;
  return { address: `${match[1] ?? "0000:"}${match[2] ?? ""}`.toLowerCase() };
}

/** What `--acpi-rsdp` asks for: `auto`, or an address. */
export type RsdpWanted = "auto" | bigint;

/** The value of `--acpi-rsdp`; undefined where it is none. An address is hexadecimal, with 0x. */
export function parseRsdpWanted(text: string): RsdpWanted | undefined {
  if (text === "auto") return "auto";
  if (!/^0x[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const address = BigInt(text);
  return address === 0n ? undefined : address;
}
