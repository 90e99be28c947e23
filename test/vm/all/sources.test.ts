/** Every kind of source on aarch64, as the next kernel sees it. */
import { sourceKinds } from "../scenarios/source-kinds.ts";

sourceKinds("shared-aarch64");
