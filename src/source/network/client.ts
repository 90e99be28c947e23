/** One request and its answer, through redirections. */
import { released, version } from "../../version.ts";
import { redirected } from "./address.ts";
import { type Answer, answerOf, nameOf, type Resumption } from "./answer.ts";
import { type Failure, passing, refused, tlsFailure } from "./failure.ts";
import type { Identity } from "./identity.ts";
import { reachFailure } from "./reach.ts";
import { Watch, type WatchOptions } from "./watch.ts";

export interface ClientOptions extends WatchOptions {
  readonly identity: Identity;
}

export class Client {
  constructor(private readonly options: ClientOptions) {}

  /** @throws Failure */
  async get(url: URL, resumption: Resumption | undefined): Promise<Answer> {
    const watch = new Watch(this.options);
    try {
      const response = await this.follow(url, resumption, watch);
      return answerOf(response, resumption, watch);
    } catch (error) {
      watch.stop();
      throw error;
    }
  }

  private async follow(
    start: URL,
    resumption: Resumption | undefined,
    watch: Watch,
  ): Promise<Response> {
    let url = start;
    for (let count = 0; ; ) {
      const response = await this.ask(url, url.origin === start.origin, resumption, watch);
      if (![301, 302, 303, 307, 308].includes(response.status)) return response;
      count += 1;
      const to = redirected(url, response.headers.get("location"), count);
      void response.body?.cancel().catch(() => undefined);
      if (typeof to === "string")
        throw refused("redirect-refused", to, "give the URL that it leads to");
      url = to;
    }
  }

  /** @param known whether this is the server that this machine shows its certificate to */
  private async ask(
    url: URL,
    known: boolean,
    resumption: Resumption | undefined,
    watch: Watch,
  ): Promise<Response> {
    const { ca, certificate, key } = this.options.identity;
    const address = /^\[(.*)\]$/.exec(url.hostname)?.[1];
    const tls = {
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca }),
      ...(known && certificate !== undefined ? { cert: certificate, key } : {}),
      // With its brackets an address of IPv6 is in no certificate.
      ...(address === undefined ? {} : { serverName: address }),
    };
    const headers: Record<string, string> = {
      "Accept-Encoding": "identity",
      "User-Agent": `aegis-kexec/${version}`,
    };
    if (resumption !== undefined) {
      headers["Range"] = `bytes=${resumption.from}-`;
      if (resumption.validator !== undefined) headers["If-Range"] = resumption.validator;
    }
    watch.heard();
    try {
      return await withoutProxies(() =>
        fetch(url, {
          ...{ redirect: "manual", keepalive: false, verbose: false },
          ...{ decompress: false, signal: watch.signal, headers },
          ...(url.protocol === "https:" ? { tls } : {}),
        }),
      );
    } catch (error) {
      throw await this.failureOf(error, url, watch);
    }
  }

  private async failureOf(error: unknown, url: URL, watch: Watch): Promise<Failure> {
    const known = watch.failure ?? tlsFailure(nameOf(error), url.hostname, Date.now(), released);
    if (known !== undefined) return known;
    switch (nameOf(error)) {
      case "ECONNRESET":
      case "ConnectionClosed":
        return passing(
          "transfer-cut",
          "the server closed the connection without a whole answer",
          this.options.identity.certificate === undefined && url.protocol === "https:"
            ? "it may be starting, or want to know who this machine is: --client-cert and --client-key"
            : "it may be starting; its log may say why",
        );
      case "ResponseHeadersTooLarge":
        return refused("bad-answer", "the server's answer has a header without an end");
      case "ConnectionRefused":
      case "FailedToOpenSocket":
      case "ENOTFOUND":
      case "Timeout":
        return reachFailure(url);
      default:
        return isOfName(error)
          ? reachFailure(url)
          : refused("bad-answer", "the server's answer is not HTTP, or breaks its rules");
    }
  }
}

/** getaddrinfo(3) and resolvers fail by many names. */
function isOfName(error: unknown): boolean {
  return /^(E[A-Z]+|DNS_.*|EAI_.*)$/.test(nameOf(error));
}

/**
 * The runtime takes proxies from the environment, and looks there while `fetch` is called: whoever may
 * choose a variable must not thereby choose the way.
 */
function withoutProxies<T>(call: () => T): T {
  const names = ["NO_PROXY", "no_proxy"];
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = "*";
  try {
    return call();
  } finally {
    for (const [index, name] of names.entries()) {
      const value = before[index];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
