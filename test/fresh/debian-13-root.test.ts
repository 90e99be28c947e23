import { readmeScenario } from "./readme.ts";

readmeScenario("Debian 13", "root");
