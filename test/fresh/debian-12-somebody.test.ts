import { readmeScenario } from "./readme.ts";

readmeScenario("Debian 12", "somebody");
