/** Loading and handing over where pages have 64 KiB, and the kernel checks signatures. */
import { handoffScenario } from "../scenarios/handoff.ts";

handoffScenario({ name: "aarch64-64k", memory: 1024, longest: 2047, checksSignatures: true });
