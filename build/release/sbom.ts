/** The software bill of materials: CycloneDX 1.5, of what is compiled into a binary. */
import { join } from "node:path";
import * as v from "valibot";
import { version } from "../../src/version.ts";
import { bunVersion } from "../targets.ts";

const root = join(import.meta.dir, "..", "..");

const Manifest = v.object({
  version: v.string(),
  license: v.string(),
  description: v.optional(v.string()),
  dependencies: v.optional(v.record(v.string(), v.string()), {}),
});

async function manifestOf(folder: string): Promise<v.InferOutput<typeof Manifest>> {
  return v.parse(Manifest, await Bun.file(join(root, folder, "package.json")).json());
}

/** SHA-512 of a package as the registry gives it, in hex: the lockfile has it in base64. */
async function digestOf(name: string): Promise<string> {
  const lock = await Bun.file(join(root, "bun.lock")).text();
  const line = lock.split("\n").find((one) => one.trim().startsWith(`"${name}": [`));
  const digest = /"sha512-([A-Za-z0-9+/=]+)"/.exec(line ?? "")?.[1];
  if (digest === undefined) throw new Error(`bun.lock has no digest of ${name}`);
  return Buffer.from(digest, "base64").toString("hex");
}

function component(type: string, name: string, version: string, license: string) {
  const purl = `pkg:npm/${name}@${version}`;
  return { "bom-ref": purl, type, name, version, licenses: [{ license: { id: license } }], purl };
}

/** @throws Error where a package is not installed as bun.lock says. */
export async function billOfMaterials(): Promise<Record<string, unknown>> {
  const own = await manifestOf(".");
  const packages = await Promise.all(
    Object.keys(own.dependencies).map(async (name) => {
      const { version, license } = await manifestOf(join("node_modules", name));
      const hashes = [{ alg: "SHA-512", content: await digestOf(name) }];
      return { ...component("library", name, version, license), hashes };
    }),
  );
  const program = component("application", "aegis-kexec", version, own.license);
  const runtime = component("framework", "bun", bunVersion, "MIT");
  const components = [...packages, runtime];
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: program },
    components,
    dependencies: [
      { ref: program["bom-ref"], dependsOn: components.map((one) => one["bom-ref"]) },
      ...components.map((one) => ({ ref: one["bom-ref"], dependsOn: [] })),
    ],
  };
}
