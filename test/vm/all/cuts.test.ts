/** Power cuts at 200 points of a fetch that removes a generation, of counting and of a blessing. */
import { expectToSurviveCuts } from "../lib/cut-stores.ts";
import { vmTest } from "../lib/suite.ts";

for (const type of ["ext4", "xfs", "vfat"] as const) {
  vmTest(
    `a verified generation boots from ${type} wherever it was cut, and no file is half`,
    { needs: ["debian-6.12-full", "shared-x86_64", `tool:mkfs.${type}`], timeout: 3000 },
    () => expectToSurviveCuts([type], 200),
  );
}
