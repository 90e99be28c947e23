/** A process that fetches one file as a load does: into sealed memory, digested on its way. Prints what it took. */
import { findOnNetwork } from "../../src/source/network/network.ts";

const [url = "", ca = "", size = "", sha256 = ""] = process.argv.slice(2);
using held = new DisposableStack();
const admission = { required: true };
const found = await findOnNetwork(url, held, admission, { wait: 0, ca }, {});
const begin = performance.now();
const expected = { path: "large", size: Number(size), sha256 };
held.use(await found.openBelow(expected.path, "initramfs", expected, 0));
const seconds = (performance.now() - begin) / 1000;
const most = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ seconds, most }));
