/** The host's package sources, in both of apt's formats: sources.list(5). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The host's sources of Debian bookworm, as one-line entries for both architectures. */
export function hostSources(): string[] {
  const parts = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(parts) ? readdirSync(parts).map((file) => join(parts, file)) : []),
  ].filter((file) => existsSync(file));
  const lines = files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return file.endsWith(".sources")
      ? deb822Sources(text)
      : text.split("\n").flatMap(oneLineSource);
  });
  return [...new Set(lines)];
}

function deb822Sources(text: string): string[] {
  const plain = text.replace(/^#.*\n?/gm, "");
  return plain.split(/\n\s*\n/).flatMap((stanza) => {
    const value = (key: string) =>
      new RegExp(`^${key}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1]?.trim() ?? "";
    if (/^no$/i.test(value("Enabled")) || !words(value("Types")).includes("deb")) return [];
    const keyring = value("Signed-By");
    return words(value("URIs")).flatMap((uri) =>
      words(value("Suites")).flatMap((suite) =>
        source(keyring.startsWith("/") ? keyring : "", uri, suite, words(value("Components"))),
      ),
    );
  });
}

function oneLineSource(line: string): string[] {
  const found = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
  if (found === null) return [];
  const [, options = "", uri = "", suite = "", components = ""] = found;
  const keyring = /signed-by=(\/\S+)/i.exec(options)?.[1] ?? "";
  return source(keyring, uri, suite, words(components));
}

function source(keyring: string, uri: string, suite: string, components: string[]): string[] {
  const [release = "", part = ""] = suite.split("-", 2);
  const ours = release === "bookworm" || release === hostDebian();
  if (!ours || !["", "updates", "security"].includes(part) || !components.includes("main"))
    return [];
  const signed = keyring === "" ? "" : `signed-by=${keyring} `;
  const wanted = part === "" ? "bookworm" : `bookworm-${part}`;
  return [`deb [${signed}arch=amd64,arm64] ${uri} ${wanted} main`];
}

/** The host's release name where the host is Debian: its mirrors have bookworm too. */
function hostDebian(): string | undefined {
  const path = "/etc/os-release";
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(.+)$/m.exec(text)?.[1] : undefined;
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
