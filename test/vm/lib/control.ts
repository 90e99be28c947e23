/** QEMU's machine protocol (docs/interop/qmp-spec): one command at a time. */
import type { Port } from "./qemu.ts";

export class Control {
  readonly #port: Port;
  readonly #answers: ((answer: Record<string, unknown>) => void)[] = [];
  #text = "";
  #ready: Promise<unknown> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(port: Port) {
    this.#port = port;
    const decoder = new TextDecoder();
    port.receive((bytes) => this.#receive(decoder.decode(bytes, { stream: true })));
  }

  /** @returns the command's `return` value. @throws Error with QEMU's own words. */
  execute(command: string, parameters: Record<string, unknown>): Promise<unknown> {
    const send = async () => {
      this.#ready ??= this.#send("qmp_capabilities", {});
      await this.#ready;
      return this.#send(command, parameters);
    };
    const result = this.#queue.then(send);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #send(execute: string, parameters: Record<string, unknown>): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    this.#answers.push(resolve);
    this.#port.send(new TextEncoder().encode(JSON.stringify({ execute, arguments: parameters })));
    const late = Bun.sleep(60_000).then(() => ({ error: "no answer in 60 s" }));
    const answer: Record<string, unknown> = await Promise.race([promise, late]);
    if ("error" in answer) throw new Error(`QEMU: ${execute}: ${JSON.stringify(answer["error"])}`);
    return answer["return"];
  }

  #receive(text: string): void {
    const lines = (this.#text + text).split("\n");
    this.#text = lines.pop() ?? "";
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (typeof message !== "object" || message === null) continue;
      // Greetings and events are not answers.
      if ("return" in message || "error" in message) this.#answers.shift()?.({ ...message });
    }
  }
}
