import { fetch as fetchGeneration } from "../../handoff/fetch.ts";
import { defineCommand } from "../arguments/define.ts";
import { options, positionals } from "../arguments/options.ts";
import { describeFetch } from "../output/describe.ts";
import { limitWrites } from "../output/streams.ts";
import { progressArguments, sourceArguments } from "./load.ts";

const { entry, wait, ca, trust, signature, threshold, policy } = sourceArguments;
const args = {
  source: positionals.generation,
  store: positionals.store,
  entry,
  wait,
  "no-modules": options["no-modules"],
  ca,
  "client-cert": options["client-cert"],
  "client-key": options["client-key"],
  trust,
  signature,
  threshold,
  "min-generation": options["min-generation"],
  policy,
  keep: options.keep,
  ...progressArguments,
};

export const fetch = defineCommand({
  meta: {
    name: "fetch",
    description: "verify a generation and store it in STORE, whole or not at all",
    notes: [
      "It is written beside the others, flushed, read again, and only then gets its name, which is its number with three tries: 42+3. A fetch that was cut off goes on the next time.",
      "The running generation is never removed, nor the last good one, which is the highest without a counter. A disk that is full is left as it was.",
    ],
    examples: [
      [
        "aegis-kexec fetch /media/stick/boot.json /store/generations --trust org.pub",
        "one generation, from a stick",
      ],
      [
        "aegis-kexec fetch LABEL=STICK:/generations LABEL=STORE:/generations --keep 2",
        "the newest of a store, into another; neither disk need be mounted",
      ],
      [
        "aegis-kexec fetch https://boot.example/node/boot.json /store/generations --trust org.pub",
        "the generation that a server has",
      ],
    ],
  },
  args,
  run: async (given, output) => {
    limitWrites();
    await output.tellProgress(given.text("progress"), given.text("progress-fd"));
    const number = (name: "wait" | "threshold" | "min-generation" | "keep") => {
      const value = given.text(name);
      return value === undefined ? undefined : Number(value);
    };
    const report = await fetchGeneration(
      {
        source: given.positional("source"),
        store: given.positional("store"),
        entry: given.text("entry"),
        wait: number("wait"),
        ca: given.text("ca"),
        clientCert: given.text("client-cert"),
        clientKey: given.text("client-key"),
        trust: [...given.list("trust")],
        signature: [...given.list("signature")],
        threshold: number("threshold"),
        minGeneration: number("min-generation"),
        policy: given.text("policy"),
        keep: number("keep"),
      },
      output.observer,
    );
    output.result(report, describeFetch);
  },
});
