/** Kernel modules: the call that loads one, what devices ask for, and who loads it where nobody else does. */
import { callThroughSignals, close, cString, O_RDONLY, open, readText } from "../descriptor.ts";
import { namesIn } from "../directory.ts";
import { Folder } from "../file.ts";
import { isDirectory } from "../path.ts";

// include/uapi/linux/module.h
const MODULE_INIT_COMPRESSED_FILE = 4;
/** Devices of one bus that are looked at. */
const mostDevices = 4096;
const mostBuses = 256;

/** Loads what is asked for, and never throws: what cannot be loaded is told, and may not be needed. */
export interface ModuleLoader {
  /** What devices ask for that are there now. */
  devices(): void;
  /** A file system by its name in /proc/filesystems, and what it calls for by itself. */
  fileSystem(type: string): void;
}

let current: ModuleLoader | undefined;

/** Undefined but in the first process of a machine: elsewhere udev or its like loads them. */
export function moduleLoader(): ModuleLoader | undefined {
  return current;
}

export function setModuleLoader(loader: ModuleLoader | undefined): void {
  current = loader;
}

/** finit_module(2), with the module's parameters. Returns 0, or -errno. */
export function loadModuleFile(path: string, isCompressed: boolean, parameters: string): number {
  const fd = open(path, O_RDONLY);
  if (fd < 0) return fd;
  const flags = isCompressed ? MODULE_INIT_COMPRESSED_FILE : 0;
  const result = callThroughSignals("finit_module", fd, cString(parameters), flags);
  close(fd);
  return result;
}

/** What the devices of every bus ask for: their aliases, each once. */
export function deviceAliases(root = "/sys/bus"): ReadonlySet<string> {
  const found = new Set<string>();
  if (!isDirectory(root)) return found;
  using buses = Folder.open(root);
  for (const bus of (namesIn(buses, ".", mostBuses) ?? []).slice(0, mostBuses)) {
    const devices = `${root}/${bus}/devices`;
    for (const device of (namesIn(buses, `${bus}/devices`, mostDevices) ?? []).slice(
      0,
      mostDevices,
    )) {
      const file = readText(`${devices}/${device}/modalias`, 4096);
      if (file.ok && file.text !== "") found.add(file.text);
    }
  }
  return found;
}
