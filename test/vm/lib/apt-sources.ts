/** The host's package sources, in both of apt's formats: sources.list(5). */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Debian's suites from which something is taken. */
export type Suite = "bookworm" | "trixie-backports" | "sid";

/** The host's sources of Debian, turned to a suite, as one-line entries for both architectures. */
export function hostSources(wanted: Suite = "bookworm"): string[] {
  const parts = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(parts) ? readdirSync(parts).map((file) => join(parts, file)) : []),
  ].filter((file) => existsSync(file));
  const found = files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    return file.endsWith(".sources")
      ? deb822Sources(text)
      : text.split("\n").flatMap(oneLineSource);
  });
  return [...new Set(found.flatMap((source) => turned(source, wanted)))];
}

interface Source {
  readonly keyring: string;
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

function deb822Sources(text: string): Source[] {
  const plain = text.replace(/^#.*\n?/gm, "");
  return plain.split(/\n\s*\n/).flatMap((stanza) => {
    const value = (key: string) =>
      new RegExp(`^${key}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1]?.trim() ?? "";
    if (/^no$/i.test(value("Enabled")) || !words(value("Types")).includes("deb")) return [];
    const keyring = value("Signed-By");
    return words(value("URIs")).flatMap((uri) =>
      words(value("Suites")).map((suite) => ({
        keyring: keyring.startsWith("/") ? keyring : "",
        uri,
        suite,
        components: words(value("Components")),
      })),
    );
  });
}

function oneLineSource(line: string): Source[] {
  const found = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
  if (found === null) return [];
  const [, options = "", uri = "", suite = "", components = ""] = found;
  const keyring = /signed-by=(\/\S+)/i.exec(options)?.[1] ?? "";
  return [{ keyring, uri, suite, components: words(components) }];
}

/** The entry for a suite that the same mirror has; nothing where it is no mirror of Debian. */
function turned({ keyring, uri, suite, components }: Source, wanted: Suite): string[] {
  const [release = "", part = ""] = suite.split("-", 2);
  const ours = release === "bookworm" || release === hostDebian();
  if (!ours || !["", "updates", "security"].includes(part) || !components.includes("main"))
    return [];
  // Newer suites have neither of these parts, or not by these names
  if (wanted !== "bookworm" && part !== "") return [];
  const signed = keyring === "" ? "" : `signed-by=${keyring} `;
  return [
    `deb [${signed}arch=amd64,arm64] ${uri} ${part === "" ? wanted : `${wanted}-${part}`} main`,
  ];
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
