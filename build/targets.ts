/**
 * What can be built, and the exact Bun runtime that each binary is made of.
 */

/** The Bun whose runtimes are pinned below. The building Bun must be the same: bytecode is tied to it. */
export const bunVersion = "1.4.5";

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
      sha256: "f05d28a3862f4b84395c7fa32480b835dd47482e80b7e7a49a115227f0c06083",
    },
  },
  {
    name: "linux-arm64",
    architecture: "arm64",
    runtime: {
      package: "@oven/bun-linux-aarch64",
      executable: "bin/bun",
      sha256: "04778f1f42399a69d086853e9c7af4acf574b2f21a43d0dc673853d8b84a2923",
    },
  },
  {
    name: "linux-x64-musl",
    architecture: "x64",
    runtime: {
      package: "@oven/bun-linux-x64-musl",
      executable: "bin/bun",
      sha256: "cf5d285ddbe256785a5121a3c113191a6b577504976374c7cfd5aedca609b720",
    },
  },
  {
    name: "linux-arm64-musl",
    architecture: "arm64",
    runtime: {
      package: "@oven/bun-linux-aarch64-musl",
      executable: "bin/bun",
      sha256: "9c48986093073afec8b76a3e285303598dd2462f52748aecb65e4d94866e1ea3",
    },
  },
];

/** Where the library must compile although its functions only throw there. Nothing is shipped for these. */
export const foreignRuntimes = {
  "darwin-arm64": {
    package: "@oven/bun-darwin-aarch64",
    executable: "bin/bun",
    sha256: "e2984124f1514e1e6bbda20adedbf07a02c443c6a5828853a15c7c7abf78e19f",
  },
  "windows-x64": {
    package: "@oven/bun-windows-x64",
    executable: "bin/bun.exe",
    sha256: "e06ad0864463c68892ae71a2a64af7eae1585cac5dd9b80bc042f45605587cb1",
  },
} as const satisfies Record<string, Runtime>;
