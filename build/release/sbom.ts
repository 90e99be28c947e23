/** The software bill of materials: CycloneDX, by npm, without what differs from run to run. */
import { join } from "node:path";
import * as v from "valibot";
import { bunVersion } from "../targets.ts";

const root = join(import.meta.dir, "..", "..");

const Component = v.looseObject({ name: v.string() });
const Bill = v.looseObject({
  bomFormat: v.literal("CycloneDX"),
  serialNumber: v.string(),
  metadata: v.looseObject({ timestamp: v.string(), component: Component }),
  components: v.array(Component),
});

/** @throws Error when npm is missing, or writes something else. */
export async function billOfMaterials(): Promise<Record<string, unknown>> {
  const child = Bun.spawn(["npm", "sbom", "--sbom-format=cyclonedx", "--omit=dev"], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, said] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw new Error(`npm sbom, new in npm 10: ${said.trim()}`);
  const { serialNumber: _number, ...bill } = v.parse(Bill, JSON.parse(text));
  const { timestamp: _time, ...metadata } = bill.metadata;
  const runtime = {
    "bom-ref": `bun@${bunVersion}`,
    type: "framework",
    name: "bun",
    version: bunVersion,
    purl: `pkg:npm/bun@${bunVersion}`,
    licenses: [{ license: { id: "MIT" } }],
  };
  return {
    ...bill,
    // npm takes the name of the folder
    metadata: { ...metadata, component: { ...metadata.component, name: "aegis-kexec" } },
    components: [...bill.components, runtime],
  };
}
