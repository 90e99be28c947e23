/**
 * What is left out of the binary because it is paid for at every start and never used there.
 */
import { version } from "../src/version.ts";

/**
 * citty loads node:util for its argument parser: a fifth of the start-up of the whole program. This
 * program parses its words itself and gives citty none (src/cli/define.ts), so the parser answers
 * that there is nothing, and loads node:util if it is ever asked more.
 */
const cittyImport = 'import { parseArgs as parseArgs$1 } from "node:util";';
const cittyShim = `const parseArgs$1 = (config) =>
  config.args.length === 0
    ? { values: {}, positionals: [] }
    : process.getBuiltinModule("node:util").parseArgs(config);`;

/**
 * Bun puts bytecode of its own modules into a program that imports them, with all that they import:
 * a megabyte for node:fs or node:zlib. They are in the runtime anyway, so they are asked for by name.
 */
const builtinImport = /^import (\{[\w\s,]*\}) from ("node:\w+");$/gm;

/** The version is a module of its own where two others want it; each start would take it in for one word. */
const versionImport = 'import { version } from "./version.ts";';
const versionShim = `const version = ${JSON.stringify(version)};`;

/** The bundler plugin. The build fails where what it replaces is not there as expected. */
export const startupShims: Bun.BunPlugin = {
  name: "start-up shims",
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const contents = text.replace(builtinImport, "const $1 = process.getBuiltinModule($2);");
      if (/^import (?!type).* from "node:/m.test(contents)) {
        throw new Error(`${path} imports a module of the runtime in another form than by names`);
      }
      const isMain = /[\\/]src[\\/]main\.ts$/.test(path);
      return {
        contents: isMain ? inPlaceOf(versionImport, versionShim, contents, path) : contents,
        loader: "ts",
      };
    });
    build.onLoad({ filter: /[\\/]citty[\\/]dist[\\/]index\.mjs$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      return { contents: inPlaceOf(cittyImport, cittyShim, text, path), loader: "js" };
    });
  },
};

/** @throws Error where the import is not in the file once */
function inPlaceOf(expected: string, shim: string, text: string, path: string): string {
  if (text.split(expected).length !== 2) {
    throw new Error(`${path} does not have ${expected} once: look at build/shims.ts anew`);
  }
  return text.replace(expected, () => shim);
}
