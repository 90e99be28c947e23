/** The entry of a manifest: the number of the generation that it is. */
import { cannot } from "../../errors.ts";
import type { Opening } from "../kind.ts";

/** The opening, which takes the generation of that number alone. */
export function openingOnly(opening: Opening, entry: string, path: string): Opening {
  const { admission } = opening;
  return {
    ...opening,
    admission: {
      required: admission.required,
      fileSystems: admission.fileSystems,
      admit: async (manifest) => {
        await admission.admit(manifest);
        const { generation } = manifest.manifest;
        if (String(generation) === entry) return;
        throw cannot(`find generation ${entry} in ${path}`, {
          code: "file-not-found",
          details: { path, found: [String(generation)] },
          why: `it is generation ${generation}`,
        });
      },
      judgeWhole: (whole) => admission.judgeWhole(whole),
    },
  };
}
