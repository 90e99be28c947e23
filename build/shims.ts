/**
 * What is left out of the binary because it is paid for at every start and never used there.
 */

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

/** The bundler plugin. The build fails when citty is not the one that this was written for. */
export const startupShims: Bun.BunPlugin = {
  name: "start-up shims",
  setup(build) {
    build.onLoad({ filter: /[\\/]citty[\\/]dist[\\/]index\.mjs$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      if (text.split(cittyImport).length !== 2) {
        throw new Error(
          `${path} does not import node:util as expected: look at build/shims.ts anew`,
        );
      }
      return { contents: text.replace(cittyImport, () => cittyShim), loader: "js" };
    });
  },
};
