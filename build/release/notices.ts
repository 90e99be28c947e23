/** The licences of what a binary contains. */
import { join } from "node:path";
import { bunVersion } from "../targets.ts";

const root = join(import.meta.dir, "..", "..");

/** The packages that are compiled in, and the file of each that holds its licence. */
const packages = [
  ["citty", "LICENSE"],
  ["valibot", "LICENSE.md"],
] as const;

/** One text with all of them. */
export async function notices(): Promise<string> {
  const parts = ["The binary contains, beside aegis-kexec itself (MIT, see LICENSE-MIT):"];
  for (const [name, file] of packages) {
    const text = await Bun.file(join(root, "node_modules", name, file)).text();
    parts.push(`== ${name} ==\n\n${text.trim()}`);
  }
  // Bun's own page names each library that it links, with the licence
  const bun = join(root, "node_modules", "bun-types", "docs", "project", "license.mdx");
  parts.push(`== Bun ${bunVersion} ==\n\n${(await Bun.file(bun).text()).trim()}`);
  return `${parts.join("\n\n\n")}\n`;
}
