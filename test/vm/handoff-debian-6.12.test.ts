/** Loading and handing over, from a newer kernel of Debian. */
import { handoffScenario } from "./scenarios/handoff.ts";

handoffScenario({
  name: "debian-6.12",
  memory: 512,
  longest: 2016,
  checksSignatures: true,
});
