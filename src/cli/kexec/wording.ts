/** What this program says of its own options, said to whoever called it by the name `kexec`. Pure. */
import type { KexecError } from "../../errors.ts";
import { options } from "../arguments/options.ts";
import { isTaken, kexecOptions } from "./options.ts";

/** What kexec-tools calls otherwise. */
const renamed: Readonly<Record<string, string>> = {
  "--cmdline": "--command-line",
  "--verbose": "--debug",
};

const taken: ReadonlySet<string> = new Set(
  kexecOptions("x86_64").flatMap(({ name, id }) => (isTaken(id) ? [`--${name}`] : [])),
);

export function inItsOptions(text: string): string {
  return text.replace(longOption, (name) => renamed[name] ?? name);
}

export function errorInItsOptions(error: KexecError): KexecError {
  const message = inItsOptions(error.message);
  const hint = error.hint === null ? null : hintInItsOptions(error.hint);
  if (message === error.message && hint === error.hint) return error;
  return error.with({ message, hint, cause: error });
}

/** That an option is not to be had under this name is told, and where it is. */
function hintInItsOptions(hint: string): string {
  const text = inItsOptions(hint);
  const foreign = (text.match(longOption) ?? []).filter(
    (name) => Object.hasOwn(options, name.slice(2)) && !taken.has(name),
  );
  const names = [...new Set(foreign)].join(", ");
  if (names === "") return text;
  // A hint has two lines at most
  return `${text}${text.includes("\n") ? "; " : "\n"}for aegis-kexec, not for kexec: ${names}`;
}

const longOption = /(?<![\w-])--[a-z][a-z-]*[a-z]/g;
