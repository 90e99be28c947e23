/**
 * What can be built, and the exact Bun runtime that each binary is made of.
 */

/** The Bun whose runtimes are pinned below. The building Bun must be the same: bytecode is tied to it. */
export const bunVersion = "1.4.2";

/** A Bun runtime: its npm package, the executable inside, and that executable's SHA-256. */
export interface Runtime {
  readonly package: string;
  readonly executable: string;
  readonly sha256: string;
}

export interface Target {
  readonly name: "linux-x64" | "linux-arm64" | "linux-x64-musl" | "linux-arm64-musl";
  readonly architecture: "x64" | "arm64";
  readonly runtime: Runtime;
}

export const targets: readonly Target[] = [
  {
    name: "linux-x64",
    architecture: "x64",
    runtime: {
      package: "@oven/bun-linux-x64",
      executable: "bin/bun",
      sha256: "a83d263767d839e4d2649ca8e35d07159c7afc99afdc96d731ced29e056dda0c",
    },
  },
  {
    name: "linux-arm64",
    architecture: "arm64",
    runtime: {
      package: "@oven/bun-linux-aarch64",
      executable: "bin/bun",
      sha256: "616f267a34278ff5ac282df37ffdfba1d7141f4f6926bca99af2cd6ef3ad32b1",
    },
  },
  {
    name: "linux-x64-musl",
    architecture: "x64",
    runtime: {
      package: "@oven/bun-linux-x64-musl",
      executable: "bin/bun",
      sha256: "16b72935ffd7a503b978c186874539c92aade4e3515b70a5abf5db2581fdef7d",
    },
  },
  {
    name: "linux-arm64-musl",
    architecture: "arm64",
    runtime: {
      package: "@oven/bun-linux-aarch64-musl",
      executable: "bin/bun",
      sha256: "1101cd0aa92ea214c2aaf4bb3761ca3c76a90aae0e6f94c07efb4e8c4f18a8fc",
    },
  },
];

/** Where the library must compile although its functions only throw there. Nothing is shipped for these. */
export const foreignRuntimes = {
  "darwin-arm64": {
    package: "@oven/bun-darwin-aarch64",
    executable: "bin/bun",
    sha256: "35d20dd0263e5c950194434b925454fdfa9ba6e4467da960410fa05b08a7a5b5",
  },
  "windows-x64": {
    package: "@oven/bun-windows-x64",
    executable: "bin/bun.exe",
    sha256: "15277c59ccd6c6c20f8dc9716c2b59c1776320d606b6a8658f70be8799519ca4",
  },
} as const satisfies Record<string, Runtime>;
