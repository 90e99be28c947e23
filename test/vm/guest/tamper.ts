/**
 * Runs inside of a guest: changes a signed set of files and tries to load it, many times in one
 * process. Prints one JSON object.
 *
 *   tamper flips FOLDER KEY COUNT FILE…   one byte flipped at COUNT places of each file
 *   tamper race FOLDER KEY COUNT          COUNT loads, while another process rewrites the files
 *   tamper exec                           hands over to what is loaded
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { exec, KexecError, load } from "../../../src/index.ts";
import { seeded } from "../../unit/fuzz.ts";

const [what, folder = "", key = "", count = "0", ...files] = process.argv.slice(2);
const times = Number(count);
const isLoaded = () => readFileSync("/sys/kernel/kexec_loaded", "utf8").trim() === "1";

/** The exit code and code of one try, or "loaded". */
async function outcome(): Promise<string> {
  try {
    await load({ kernel: `${folder}/boot.json`, trust: [key] });
    return "loaded";
  } catch (error) {
    if (error instanceof KexecError) return `${error.exit} ${error.code}`;
    return `bug ${error}`;
  }
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

async function flips(): Promise<Record<string, Record<string, number>>> {
  const result: Record<string, Record<string, number>> = {};
  const rng = seeded(20_261_123);
  for (const name of files) {
    const counts: Record<string, number> = {};
    result[name] = counts;
    const fd = openSync(`${folder}/${name}`, "r+");
    const { size } = fstatSync(fd);
    const byte = new Uint8Array(1);
    // The first line of minisign's files is an untrusted comment, which it does not sign either.
    const first = name.endsWith(".minisig") ? readFileSync(`${folder}/${name}`).indexOf("\n") : 0;
    for (let turn = 0; turn < times; turn++) {
      const at = first + rng.below(size - first);
      readSync(fd, byte, 0, 1, at);
      const original = byte[0] ?? 0;
      byte[0] = original ^ (1 << rng.below(8));
      writeSync(fd, byte, 0, 1, at);
      // The kernel refuses a file that is open for writing, which must not be what is seen here.
      add(counts, isLoaded() ? "something is loaded" : await outcome());
      byte[0] = original;
      writeSync(fd, byte, 0, 1, at);
    }
    closeSync(fd);
  }
  return result;
}

async function race(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let turn = 0; turn < times; turn++) add(counts, await outcome());
  return counts;
}

if (what === "exec") await exec({ force: true });
console.log(JSON.stringify(what === "flips" ? await flips() : await race()));
