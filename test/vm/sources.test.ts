/** Every kind of source, as the next kernel sees it; and sources that load nothing. */
import { sourceKinds } from "./scenarios/source-kinds.ts";

sourceKinds("shared-x86_64");
