import { handoffScenario } from "./scenarios/handoff.ts";

handoffScenario("debian-6.1", 512);
