/** Power cuts while a store is written to: a few points here, the many in test/vm/all. */
import { expectToSurviveCuts } from "./lib/cut-stores.ts";
import { vmTest } from "./lib/suite.ts";

vmTest(
  "a verified generation boots from a store that was cut at any point, and no file is half",
  {
    needs: [
      ...(["debian-6.12-full", "shared-x86_64"] as const),
      ...(["tool:mkfs.ext4", "tool:mkfs.xfs", "tool:mkfs.vfat"] as const),
    ],
    timeout: 900,
  },
  () => expectToSurviveCuts(["ext4", "xfs", "vfat"], 10),
);
