/** Every command, in the order of the help. */
import type { Command } from "../define.ts";
import { boot } from "./boot.ts";
import { exec } from "./exec.ts";
import { inspect } from "./inspect.ts";
import { load } from "./load.ts";
import { manifest } from "./manifest.ts";
import { status } from "./status.ts";
import { unload } from "./unload.ts";

export const commands: readonly Command[] = [boot, load, exec, unload, status, inspect, manifest];
