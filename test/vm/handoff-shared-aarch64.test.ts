import { handoffScenario } from "./scenarios/handoff.ts";

handoffScenario("shared-aarch64", 512);
