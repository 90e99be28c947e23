/** A name server on this machine's loopback, where guests reach it through QEMU. */

/** QEMU passes on what is sent to the host's address as it is: the port is that of name servers. */
const port = 53;
const hostname = "127.0.0.1";

/** Why there can be none here: another one, or no right to that port. */
export const nameServerProblem = await probe();

async function probe(): Promise<string | undefined> {
  try {
    const socket = await Bun.udpSocket({ hostname, port });
    socket.close();
    return undefined;
  } catch {
    return `port ${port} of ${hostname}, as root`;
  }
}

/** Knows a few names (RFC 1035), and says of all others that there are none. */
export class NameServer implements Disposable {
  readonly asked: string[] = [];
  private readonly socket: Promise<Bun.udp.Socket<"buffer">>;

  constructor(private readonly names: Readonly<Record<string, string>>) {
    this.socket = Bun.udpSocket({
      hostname,
      port,
      socket: {
        data: (socket, bytes, from, address) => {
          const answer = this.answer(new Uint8Array(bytes));
          if (answer !== undefined) socket.send(answer, from, address);
        },
      },
    });
  }

  private answer(query: Uint8Array): Uint8Array | undefined {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at]; length !== undefined && length > 0; length = query[at]) {
      labels.push(new TextDecoder().decode(query.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const type = (query[at + 1] ?? 0) * 256 + (query[at + 2] ?? 0);
    const name = labels.join(".").toLowerCase();
    this.asked.push(name);
    const address = this.names[name];
    const known = address !== undefined && type === 1;
    // QR, RD, RA; no such name where it is not known
    const head = [...query.subarray(0, 2), 0x81, address === undefined ? 0x83 : 0x80];
    const counts = [0, 1, 0, known ? 1 : 0, 0, 0, 0, 0];
    // A pointer to the name, A, IN, a minute, four bytes
    const record = known
      ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)]
      : [];
    return Uint8Array.from([...head, ...counts, ...question, ...record]);
  }

  [Symbol.dispose](): void {
    void this.socket.then((socket) => socket.close());
  }
}
