import { handoffScenario } from "./scenarios/handoff.ts";

handoffScenario("debian-6.12", 1024);
