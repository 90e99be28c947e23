/** What a command line says of kexec handover. */
import { parameterValues } from "../kernel-words.ts";

/** The last `kho=` of a command line, by the rules of kstrtobool (lib/kstrtox.c). */
export function khoParameter(cmdline: string): boolean | undefined {
  if (!cmdline.includes("kho")) return undefined;
  const value = parameterValues(cmdline, "kho").at(-1)?.toLowerCase();
  if (value === undefined) return undefined;
  if (/^([yt1]|on)/.test(value)) return true;
  return /^([nf0]|of)/.test(value) ? false : undefined;
}
