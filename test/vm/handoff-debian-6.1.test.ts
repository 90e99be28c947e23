/** Loading and handing over, from Debian 12's first kernel. */
import { handoffScenario } from "./scenarios/handoff.ts";

handoffScenario({ name: "debian-6.1", memory: 512, longest: 2016, checksSignatures: true });
