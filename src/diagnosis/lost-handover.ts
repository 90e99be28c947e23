/** Whether what the running kernel hands over is lost on the next one. Pure. */
import { configOption } from "../image/content/kernel-search.ts";

const lost = "what was preserved is lost";

/**
 * @param asked What `kho=` on the next command line says; undefined: nothing.
 * @param config The next kernel's configuration; undefined: not known.
 * @returns what to say, where it is or may be lost
 */
export function lostHandover(
  asked: boolean | undefined,
  config: string | undefined,
): string | undefined {
  const has = (option: string) =>
    config === undefined ? undefined : configOption(config, option) === "y";
  if (has("KEXEC_HANDOVER") === false) {
    return `the running kernel hands memory over, and the next one has no CONFIG_KEXEC_HANDOVER: ${lost}`;
  }
  if (asked === true) return undefined;
  if (asked === false) {
    return `the running kernel hands memory over, and the next command line says kho=off: ${lost}`;
  }
  const byDefault = has("KEXEC_HANDOVER_ENABLE_DEFAULT");
  if (byDefault === true) return undefined;
  const unless =
    byDefault === undefined
      ? ", unless the next kernel was built with CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT"
      : "";
  return `the running kernel hands memory over (kho=on), and the next command line lacks kho=on: ${lost}${unless}`;
}
