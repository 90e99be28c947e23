/** The host's end of the line to a guest's agent: bytes out, records in. The format is in `agent.sh`. */
import { gunzipSync } from "node:zlib";
import type { Port } from "./qemu.ts";

/** One record of the agent. */
export interface AgentRecord {
  readonly fields: readonly string[];
  readonly body: Uint8Array;
}

/** What a guest's line brings. */
export interface ChannelEvents {
  readonly record: (record: AgentRecord) => void;
  /** A record arrived with kernel messages in it. */
  readonly damaged: () => void;
  /** Everything that is not a record: the kernel's messages, where they share the line. */
  readonly noise: (text: string) => void;
}

const begin = 0x02;
const end = Buffer.from("\x03end\x04");
const acknowledge = 0x06;
/** As in `agent.sh`. */
const chunkSize = 16384;
/** Up to here the agent's shell reads a script faster by itself than a process it starts. */
const shortScript = 400;

export class Channel {
  readonly #port: Port;
  readonly #events: ChannelEvents;
  /** The bytes of a record that has begun. */
  #record: Buffer | undefined;
  #acknowledged: (() => void) | undefined;

  constructor(port: Port, events: ChannelEvents) {
    this.#port = port;
    this.#events = events;
    port.receive((bytes) => this.#receive(Buffer.from(bytes)));
  }

  /** Has the agent run a script, which ends in a newline. Its answer comes as records. */
  async sendScript(number: number, script: string, seconds: number): Promise<void> {
    const bytes = Buffer.from(script);
    const short = bytes.length <= shortScript;
    const length = short ? script.split("\n").length - 1 : bytes.length;
    this.sendOrder(`${short ? "lines" : "script"} ${number} ${length} ${seconds}`);
    for (let at = 0; at < bytes.length; at += chunkSize) {
      const last = at + chunkSize >= bytes.length;
      const acknowledged = new Promise<void>((resolve) => {
        this.#acknowledged = resolve;
      });
      this.#port.send(bytes.subarray(at, at + chunkSize));
      if (!last) await acknowledged;
    }
  }

  /** A line for the agent. */
  sendOrder(order: string): void {
    this.#port.send(Buffer.from(`${order}\n`));
  }

  #receive(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      rest = this.#record === undefined ? this.#outside(rest) : this.#inside(this.#record, rest);
    }
  }

  /** @returns what follows the next mark. */
  #outside(bytes: Buffer): Buffer {
    const mark = bytes.findIndex((byte) => byte === begin || byte === acknowledge);
    const text = mark === -1 ? bytes : bytes.subarray(0, mark);
    if (text.length > 0) this.#events.noise(text.toString());
    if (mark === -1) return bytes.subarray(bytes.length);
    if (bytes[mark] === begin) this.#record = Buffer.alloc(0);
    else this.#acknowledged?.();
    return bytes.subarray(mark + 1);
  }

  /** @returns what follows the record. */
  #inside(before: Buffer, bytes: Buffer): Buffer {
    const all = Buffer.concat([before, bytes]);
    const stop = all.indexOf(end, Math.max(0, before.length - end.length));
    this.#record = stop === -1 ? all : undefined;
    if (stop === -1) return bytes.subarray(bytes.length);
    const record = decode(all.subarray(0, stop));
    if (record === undefined) this.#events.damaged();
    else this.#events.record(record);
    return all.subarray(stop + end.length);
  }
}

function decode(compressed: Buffer): AgentRecord | undefined {
  try {
    const bytes = gunzipSync(compressed);
    const line = bytes.lastIndexOf(0x0a);
    const fields = bytes
      .subarray(line + 1)
      .toString()
      .split(" ");
    return { fields, body: new Uint8Array(bytes.subarray(0, line)) };
  } catch {
    return undefined;
  }
}
