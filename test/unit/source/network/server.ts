/** A server on loopback that answers byte by byte what a test wants, and keeps a log. */
import type { Socket, TCPSocketListener } from "bun";
import type { Certified } from "./authority.ts";

export interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the other side showed a certificate. */
  readonly certified: boolean;
}

/** What follows a request: text and bytes are sent; a pause of so many milliseconds; `hang` sends no more. */
export type Step = string | Uint8Array | number | "hang" | (() => Uint8Array | undefined);
/** The connection is closed behind the last step. */
export type Answer = readonly Step[];

export interface ServerOptions {
  readonly tls?: Certified | undefined;
  /** Of clients. */
  readonly authority?: string;
  readonly hostname?: string;
}

interface State {
  text: string;
  drained: (() => void) | undefined;
}

export class Server implements Disposable {
  readonly log: Asked[] = [];
  /** All that was ever sent to it. */
  received = "";
  /** Of each connection by TLS: what its keys are made of, in the form of SSLKEYLOGFILE. */
  readonly keyLog: string[] = [];
  private readonly listener: TCPSocketListener<State>;
  private readonly scheme: string;
  readonly hostname: string;

  constructor(
    private readonly answer: (asked: Asked) => Answer,
    { tls, authority, hostname = "127.0.0.1" }: ServerOptions = {},
  ) {
    this.hostname = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.scheme = tls === undefined ? "http" : "https";
    const clients =
      authority === undefined ? {} : { ca: authority, requestCert: true, rejectUnauthorized: true };
    this.listener = Bun.listen<State>({
      hostname,
      port: 0,
      ...(tls === undefined ? {} : { tls: { ...tls, ...clients } }),
      socket: {
        open: (socket) => {
          socket.data = { text: "", drained: undefined };
        },
        data: (socket, bytes) => void this.hear(socket, bytes),
        drain: (socket) => socket.data.drained?.(),
        close: (socket) => socket.data?.drained?.(),
        error: () => undefined,
        ...keyLogInto(this.keyLog),
      },
    });
  }

  get port(): number {
    return this.listener.port;
  }

  url(path: string): string {
    return `${this.scheme}://${this.hostname}:${this.port}${path}`;
  }

  get paths(): readonly string[] {
    return this.log.map(({ path }) => path);
  }

  private async hear(socket: Socket<State>, bytes: Uint8Array): Promise<void> {
    const state = socket.data;
    const text = new TextDecoder().decode(bytes);
    this.received += text;
    state.text += text;
    const end = state.text.indexOf("\r\n\r\n");
    if (end < 0) return;
    const [first = "", ...lines] = state.text.slice(0, end).split("\r\n");
    state.text = "";
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const shown = this.scheme === "https" ? socket.getPeerCertificate() : undefined;
    const certified = shown !== undefined && Object.keys(shown).length > 0;
    const asked = { path: first.split(" ")[1] ?? "", headers, certified };
    this.log.push(asked);
    for (const step of this.answer(asked)) {
      if (step === "hang") return;
      if (typeof step === "number") await Bun.sleep(step);
      else if (typeof step === "function") {
        for (let more = step(); more !== undefined; more = step()) {
          if (!(await send(socket, more))) return;
        }
      } else if (!(await send(socket, typeof step === "string" ? Buffer.from(step) : step))) return;
    }
    socket.end();
  }

  [Symbol.dispose](): void {
    this.listener.stop(true);
  }
}

/** A handler that the runtime's types do not have. */
function keyLogInto(lines: string[]): object {
  return { keylog: (_: unknown, line: Uint8Array) => void lines.push(line.toString().trim()) };
}

/** @returns whether the other side is still there */
async function send(socket: Socket<State>, bytes: Uint8Array): Promise<boolean> {
  let left = bytes;
  while (left.byteLength > 0) {
    const put = socket.write(left);
    if (put < 0 || socket.readyState <= 0) return false;
    left = left.subarray(put);
    if (left.byteLength === 0) break;
    await new Promise<void>((resolve) => {
      socket.data.drained = resolve;
      setTimeout(resolve, 50);
    });
  }
  return true;
}

/** A whole and good answer. */
export function ok(body: string | Uint8Array, headers = ""): Answer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return [`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.byteLength}\r\n${headers}\r\n`, bytes];
}

export function status(code: number, headers = ""): Answer {
  return [`HTTP/1.1 ${code} Status\r\nContent-Length: 0\r\n${headers}\r\n`];
}
