/** Loading and handing over, on arm64. */
import { handoffScenario } from "./scenarios/handoff.ts";

handoffScenario({ name: "shared-aarch64", memory: 512, longest: 2047, checksSignatures: false });
