/** A kernel's configuration: fragments, over a configuration in which everything is off. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuiltKernel } from "../lib/built-kernels.ts";

/** Text of what must be set. */
export function configurationOf({ fragments }: BuiltKernel): string {
  return fragments
    .map((name) => readFileSync(join(import.meta.dir, `${name}.config`), "utf8"))
    .join("");
}

export function digestOf(kernel: BuiltKernel): string {
  return new Bun.CryptoHasher("sha256").update(configurationOf(kernel)).digest("hex");
}

/**
 * Writes the build's .config, where it would be another one: make builds anew what hangs on its time.
 * @returns a warning for each option that this source does not have as it is wanted.
 * @throws Error where it cannot be configured.
 */
export async function configure(
  kernel: BuiltKernel,
  place: { readonly build: string; readonly make: readonly string[] },
  signingKey: string,
): Promise<string[]> {
  const text = configurationOf(kernel);
  const key = text.includes("CONFIG_MODULE_SIG=y") ? `CONFIG_MODULE_SIG_KEY="${signingKey}"\n` : "";
  const wanted = join(place.build, "wanted.config");
  writeFileSync(wanted, text + key);
  const child = Bun.spawn([...place.make, "-s", "allnoconfig"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { ...process.env, LC_ALL: "C", KCONFIG_ALLCONFIG: wanted },
  });
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exit !== 0) throw new Error(`the kernel cannot be configured:\n${said.trim()}`);
  const lines = new Set(readFileSync(join(place.build, ".config"), "utf8").split("\n"));
  return (
    (text + key)
      .split("\n")
      .filter((line) => line.startsWith("CONFIG_") && !lines.has(line))
      // Another option may have a module built in.
      .filter((line) => !line.endsWith("=m") || !lines.has(line.replace(/m$/, "y")))
      .map((line) => `this source has no ${line}`)
  );
}
