/** A generation from a server: what is asked for, in which order, by whom, and how it is taken up again. */
import { describe, expect, test } from "bun:test";
import { isAbsolute } from "node:path";
import { Source } from "../../../../src/source/open.ts";
import { version } from "../../../../src/version.ts";
import {
  authority,
  ca,
  fetched,
  initrd,
  kernel,
  manifest,
  places,
  serve,
  served,
  signature,
  stranger,
  trusted,
  trustOptions,
  write,
} from "./generation.ts";
import { type Answer, type Asked, ok, status } from "./server.ts";

type Instead = (asked: Asked) => Answer | undefined;

describe("what is asked for", () => {
  test("manifest and signature first, then the files, all of them once", async () => {
    using server = serve();
    expect(await fetched(server.url("/node/boot.json"))).toBeUndefined();
    expect(server.paths).toEqual(places);
    const known = ["accept", "accept-encoding", "connection", "host", "user-agent"];
    for (const { headers } of server.log) {
      expect(Object.keys(headers).filter((name) => !known.includes(name))).toEqual([]);
      expect(headers["accept-encoding"]).toBe("identity");
      expect(headers["user-agent"]).toBe(`aegis-kexec/${version}`);
    }
  });

  test.each<[string, string, Instead]>([
    [
      "it has no signature",
      "no-signature",
      ({ path }) => (path.endsWith("sig") ? status(404) : undefined),
    ],
    [
      "an object store hides that it has none",
      "no-signature",
      ({ path }) => (path.endsWith("sig") ? status(403) : undefined),
    ],
    [
      "it was changed",
      "bad-signature",
      ({ path }) => (path.endsWith("json") ? ok(manifest.replace("quiet", "debug")) : undefined),
    ],
    [
      "its signature was changed",
      "bad-signature",
      ({ path }) =>
        path.endsWith("minisig") ? ok(signature.replace("timestamp:1", "timestamp:2")) : undefined,
    ],
    [
      "its signature is none",
      "bad-signature",
      ({ path }) => (path.endsWith("minisig") ? ok("<html>Not here") : undefined),
    ],
  ])("nothing beyond the manifest where %s", async (_, code, instead) => {
    using server = serve(instead);
    expect((await fetched(server.url("/node/boot.json")))?.code).toBe(code as "no-signature");
    expect(server.paths.filter((path) => !path.includes("boot.json"))).toEqual([]);
  });

  test("an answer of 403 for a signature leads on to the next name", async () => {
    using server = serve(({ path }) => {
      if (path.endsWith(".minisig")) return status(403);
      return path.endsWith(".sig") ? ok(signature) : undefined;
    });
    expect(await fetched(server.url("/node/boot.json"))).toBeUndefined();
  });

  test("what stands behind the question mark goes with every request, and is told nowhere", async () => {
    const told: string[] = [];
    const listener = {
      progress: (step: string) => void told.push(step),
      note: (line: string) => void told.push(line),
    };
    using server = serve(({ path }) => {
      const [place, query] = path.split("?");
      if (query !== "token=abc") return status(401);
      return place === "/node/vmlinuz" ? ok(kernel.subarray(1)) : undefined;
    });
    const asked = serve(({ path }) => (path.endsWith("?token=abc") ? status(500) : undefined));
    const error = await fetched(asked.url("/node/boot.json?token=abc"), {}, listener);
    expect(error?.code).toBe("http-status");
    expect(JSON.stringify([error, told])).not.toContain("abc");
    asked[Symbol.dispose]();
    await fetched(server.url("/node/boot.json?token=abc#fragment"), {}, listener);
    expect(server.paths).toEqual(["/node/boot.json?token=abc"]);
  });

  test("http:// only where trust is required, and before a byte is sent", async () => {
    using server = serve(undefined, {});
    const url = server.url("/node/boot.json");
    expect(await fetched(url)).toBeUndefined();
    server.log.length = 0;
    const opened = Source.open({ source: url, initrd: [], wait: 0 });
    await expect(opened).rejects.toMatchObject({ code: "untrusted", exit: 5 });
    expect(server.log).toEqual([]);
  });

  test.each([
    ["https://user:word@127.0.0.1/boot.json", "user name"],
    ["https://127.0.0.1/node/", "folder"],
    ["https://", "not a URL"],
    ["https://[::1/boot.json", "not a URL"],
    [`https://h/${"a".repeat(9000)}`, "not a URL"],
  ])("%s is refused as it stands", async (url, why) => {
    const error = await fetched(url);
    expect(error?.code).toBe("usage");
    expect(error?.message).toContain(why);
    expect(error?.message).not.toContain("word@");
  });

  test("proxies of the environment are not asked", async () => {
    using server = serve();
    using proxy = serve();
    const names = [
      "http_proxy",
      "https_proxy",
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "all_proxy",
      "NO_PROXY",
    ];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name === "NO_PROXY" ? "other" : proxy.url("");
    try {
      expect(await fetched(server.url("/node/boot.json"))).toBeUndefined();
      expect(process.env["NO_PROXY"]).toBe("other");
      expect(process.env["no_proxy"]).toBeUndefined();
    } finally {
      for (const [at, name] of names.entries()) {
        if (before[at] === undefined) delete process.env[name];
        else process.env[name] = before[at];
      }
    }
    expect(proxy.log).toEqual([]);
  });
});

describe("TLS", () => {
  test.each(["127.0.0.1", "::1"])("a server by its address: %s", async (hostname) => {
    using server = serve(undefined, { tls: served, hostname });
    expect(await fetched(server.url("/node/boot.json"))).toBeUndefined();
  });

  test("a server by its name", async () => {
    using server = serve();
    const url = server.url("/node/boot.json").replace("127.0.0.1", "localhost");
    expect(await fetched(url)).toBeUndefined();
  });

  test.each([
    ["tls-unknown-authority", stranger.issue(), "127.0.0.1"],
    ["tls-wrong-name", authority.issue({ names: ["other.example", "127.0.0.2"] }), "127.0.0.1"],
    ["tls-wrong-name", authority.issue({ names: ["other.example", "127.0.0.1"] }), "::1"],
    ["tls-expired", authority.issue({ from: 2019, to: 2021 }), "127.0.0.1"],
    ["tls-expired", authority.issue({ from: 2110, to: 2120 }), "127.0.0.1"],
  ] as const)("%s", async (code, tls, hostname) => {
    using server = serve(undefined, { tls, hostname });
    expect((await fetched(server.url("/node/boot.json")))?.code).toBe(code);
    expect(server.log).toEqual([]);
  });

  test("--ca is believed alone, and the environment cannot switch the check off", async () => {
    using server = serve();
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const other = write("stranger.pem", stranger.cert);
      for (const wrong of [other, undefined]) {
        const error = await fetched(server.url("/node/boot.json"), { ca: wrong });
        expect(error?.code).toBe("tls-unknown-authority");
      }
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
    expect(server.log).toEqual([]);
  });

  test("no TLS at all on the other side", async () => {
    const plain = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("") });
    const error = await fetched(`https://127.0.0.1:${plain.port}/node/boot.json`);
    expect(error?.code).toBe("tls-failed");
    await plain.stop(true);
  });

  /** RFC 2246: the records of a server that knows nothing newer. */
  const hello = Buffer.from(`02000026${"0301"}${"00".repeat(32)}00${"c013"}00`, "hex");
  test.each([
    ["answers by TLS 1.0", Buffer.concat([Buffer.from("160301002a", "hex"), hello])],
    ["refuses the version", Buffer.from("15030100020246", "hex")],
    ["refuses the handshake", Buffer.from("15030300020228", "hex")],
    ["ends it at once", Buffer.alloc(0)],
    ["sends what is no record", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")],
  ])("a server that %s", async (_, bytes) => {
    const server = Bun.listen({
      ...{ hostname: "127.0.0.1", port: 0 },
      socket: { data: (socket) => void socket.end(bytes) },
    });
    const error = await fetched(`https://127.0.0.1:${server.port}/node/boot.json`);
    expect(error?.code).toBe("tls-failed");
    server.stop(true);
  });

  const client = authority.issue({ names: ["node-1"] });
  const clientCert = write("node.pem", client.cert);
  const clientKey = write("node.key", client.key);
  const asks = { tls: served, authority: authority.cert };

  test("a server that asks who this machine is, is told, and another one is not", async () => {
    using elsewhere = serve(undefined, { tls: served });
    using server = serve(
      ({ path }) =>
        path === "/node/vmlinuz" ? status(302, `Location: ${elsewhere.url(path)}\r\n`) : undefined,
      asks,
    );
    const url = server.url("/node/boot.json");
    expect((await fetched(url))?.code).toBe("transfer-cut");
    expect(await fetched(url, { clientCert, clientKey })).toBeUndefined();
    const both = write("both.pem", client.cert + client.key);
    expect(await fetched(url, { clientCert: both })).toBeUndefined();
    expect(server.log.every(({ certified }) => certified)).toBe(true);
    expect(elsewhere.paths).toEqual(["/node/vmlinuz", "/node/vmlinuz"]);
    using demanding = serve(undefined, asks);
    using sending = serve(
      ({ path }) =>
        path === "/node/vmlinuz" ? status(302, `Location: ${demanding.url(path)}\r\n`) : undefined,
      asks,
    );
    const refused = await fetched(sending.url("/node/boot.json"), { clientCert, clientKey });
    expect(refused?.code).toBe("transfer-cut");
    expect(demanding.log).toEqual([]);
  });

  test.each([
    ["a key without its certificate", { clientKey }, "usage"],
    ["a certificate without its key", { clientCert }, "usage"],
    [
      "another's key",
      { clientCert, clientKey: write("other.key", stranger.issue().key) },
      "malformed-input",
    ],
    [
      "a key that is none",
      { clientCert, clientKey: write("none.key", "secret words") },
      "malformed-input",
    ],
    [
      "a certificate that is none",
      {
        clientCert: write(
          "none.pem",
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ),
        clientKey,
      },
      "malformed-input",
    ],
    ["no authority", { ca: write("no-ca.pem", "nothing") }, "malformed-input"],
    ["a missing file", { ca: "/nowhere/ca.pem" }, "file-not-found"],
  ] as const)("%s is told before anything is sent", async (_, files, code) => {
    using server = serve();
    const error = await fetched(server.url("/node/boot.json"), files);
    expect(error?.code).toBe(code);
    expect(JSON.stringify(error)).not.toContain("secret words");
    expect(server.log).toEqual([]);
  });
});

describe("redirections", () => {
  test("five are followed, the sixth is not", async () => {
    const hops =
      (most: number): Instead =>
      ({ path }) => {
        const [, place, count = "0"] = /^(\/node\/vmlinuz)(?:\/(\d))?$/.exec(path) ?? [];
        if (place === undefined) return undefined;
        if (Number(count) === most) return ok(kernel);
        return status(307, `Location: ${place}/${Number(count) + 1}\r\n`);
      };
    using five = serve(hops(5));
    expect(await fetched(five.url("/node/boot.json"))).toBeUndefined();
    using six = serve(hops(6));
    expect((await fetched(six.url("/node/boot.json")))?.code).toBe("redirect-refused");
    expect(six.paths.length).toBe(2 + 6);
  });

  test("files are looked for beside the manifest as it was named, wherever it was redirected to", async () => {
    using elsewhere = serve(({ path }) => (path === "/x" ? ok(manifest) : status(404)));
    using server = serve(({ path }) =>
      path === "/node/boot.json" ? status(301, `Location: ${elsewhere.url("/x")}\r\n`) : undefined,
    );
    expect(await fetched(server.url("/node/boot.json"))).toBeUndefined();
    expect(elsewhere.paths).toEqual(["/x"]);
    expect(server.paths).toEqual(places);
  });

  test.each([
    ["http://127.0.0.1:1/x"],
    ["ftp://127.0.0.1/x"],
    ["file:///etc/passwd"],
    ["data:,x"],
    ["https://user:word@127.0.0.1/x"],
    ["https://"],
    [`https://h/${"a".repeat(9000)}`],
    [""],
  ])("to %s it is not gone", async (location) => {
    using server = serve(({ path }) =>
      path === "/node/vmlinuz"
        ? status(302, location === "" ? "" : `Location: ${location}\r\n`)
        : undefined,
    );
    const error = await fetched(server.url("/node/boot.json"));
    expect(error?.code).toBe("redirect-refused");
    expect(error?.message).not.toContain("word@");
  });

  test("from http:// it goes on by https:// alone", async () => {
    using safe = serve();
    using plain = serve(({ path }) => status(302, `Location: ${safe.url(path)}\r\n`), {});
    expect(await fetched(plain.url("/node/boot.json"))).toBeUndefined();
    using unsafe = serve(undefined, {});
    using other = serve(({ path }) => status(302, `Location: ${unsafe.url(path)}\r\n`), {});
    expect((await fetched(other.url("/node/boot.json")))?.code).toBe("redirect-refused");
    expect(unsafe.log).toEqual([]);
  });
});

describe("after a cut", () => {
  const tag = 'ETag: "one"\r\n';
  const cut = (bytes: Uint8Array, at: number, headers = tag): Answer => [
    `HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`,
    bytes.subarray(0, at),
    // What comes in one go with the end is not always seen.
    50,
  ];
  const rest = (bytes: Uint8Array, from: number, headers = tag): Answer => [
    `HTTP/1.1 206 Partial\r\nContent-Length: ${bytes.length - from}\r\nContent-Range: bytes ${from}-${bytes.length - 1}/${bytes.length}\r\n${headers}\r\n`,
    bytes.subarray(from),
  ];
  /** The kernel is answered by each of these in turn. */
  const turns = (...answers: readonly ((asked: Asked) => Answer)[]) => {
    let turn = 0;
    return serve(({ path, ...asked }) =>
      path === "/node/vmlinuz"
        ? answers[Math.min(turn++, answers.length - 1)]?.({ path, ...asked })
        : undefined,
    );
  };

  test("the rest is asked for, of the same file", async () => {
    using server = turns(
      () => cut(kernel, 7000),
      ({ headers }) => rest(kernel, Number(/\d+/.exec(headers["range"] ?? "")?.[0])),
    );
    expect(await fetched(server.url("/node/boot.json"), { wait: 5 })).toBeUndefined();
    const asked = server.log.filter(({ path }) => path === "/node/vmlinuz");
    expect(asked.map(({ headers }) => [headers["range"], headers["if-range"]])).toEqual([
      [undefined, undefined],
      ["bytes=7000-", '"one"'],
    ]);
  });

  test.each<[string, (asked: Asked) => Answer]>([
    ["another file is there by now", () => ok(kernel)],
    ["the server gives no parts", () => ok(kernel, tag)],
  ])("it is begun anew where %s", async (_, answer) => {
    using server = turns(() => cut(kernel, 7000), answer);
    expect(await fetched(server.url("/node/boot.json"), { wait: 5 })).toBeUndefined();
  });

  test.each(["", 'ETag: W/"one"\r\n'])(
    "it is begun anew where nothing says that it is the same file: %p",
    async (headers) => {
      using server = turns(
        () => cut(kernel, 7000, headers),
        () => ok(kernel),
      );
      expect(await fetched(server.url("/node/boot.json"), { wait: 5 })).toBeUndefined();
      expect(server.log.map(({ headers: { range } }) => range)).not.toContain("bytes=7000-");
    },
  );

  test("a part that cannot be given, or another than was asked for", async () => {
    using unsatisfied = turns(
      () => cut(kernel, 7000),
      () => status(416),
      () => ok(kernel),
    );
    expect(await fetched(unsatisfied.url("/node/boot.json"), { wait: 5 })).toBeUndefined();
    using other = turns(
      () => cut(kernel, 7000),
      () => rest(kernel, 6000),
    );
    expect((await fetched(other.url("/node/boot.json"), { wait: 5 }))?.code).toBe("bad-answer");
  });

  test("pieces of two files are told by the digest, and fetched whole", async () => {
    const other = kernel.map((byte) => byte ^ 1);
    using server = turns(
      () => cut(other, 7000),
      () => rest(kernel, 7000),
      () => ok(kernel),
    );
    expect(await fetched(server.url("/node/boot.json"), { wait: 5 })).toBeUndefined();
  });

  test("a server that is busy is asked again, not before it says, and no longer than --wait", async () => {
    using server = turns(
      () => status(503, "Retry-After: 1\r\n"),
      () => status(500),
      () => ok(kernel),
    );
    const begin = performance.now();
    expect(await fetched(server.url("/node/boot.json"), { wait: 5 })).toBeUndefined();
    expect(performance.now() - begin).toBeGreaterThan(1000);
    using never = turns(() => status(503));
    const error = await fetched(never.url("/node/boot.json"), { wait: 1 });
    expect(error?.code).toBe("http-status");
    const times = never.paths.filter((path) => path === "/node/vmlinuz").length;
    expect(times).toBeGreaterThan(1);
    expect(times).toBeLessThan(8);
  });

  test("a server that gives the same megabyte for ever does not hold it up for ever", async () => {
    const large = new Uint8Array(3 << 20);
    const big = manifest.replace(/"size":20000/, `"size":${large.length}`);
    using server = serve(({ path }) => {
      if (path === "/node/boot.json") return ok(big);
      return path === "/node/vmlinuz" ? cut(large, 2 << 20, "") : undefined;
    });
    const open = {
      admit: async () => undefined,
      judgeWhole: async () => undefined,
      required: true,
      fileSystems: undefined,
    };
    const source = Source.open(
      { source: server.url("/node/boot.json"), initrd: [], wait: 1, ca },
      {},
      open,
    );
    await expect(source).rejects.toMatchObject({ code: "transfer-cut" });
    expect(server.log.length).toBeLessThan(12);
  });
});

test("a caller calls it off, in the midst of a file and between two attempts", async () => {
  using hanging = serve(({ path }) =>
    path === "/node/vmlinuz"
      ? ["HTTP/1.1 200 OK\r\n\r\n", kernel.subarray(0, 99), "hang"]
      : undefined,
  );
  using busy = serve(() => status(503));
  for (const server of [hanging, busy]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 80);
    const begin = performance.now();
    const error = await fetched(server.url("/node/boot.json"), {
      signal: controller.signal,
      wait: 20,
      stall: 9000,
    });
    expect(error?.code).toBe("aborted");
    expect(performance.now() - begin).toBeLessThan(2000);
  }
  expect((await fetched(busy.url("/node/boot.json"), { signal: AbortSignal.abort() }))?.code).toBe(
    "aborted",
  );
});

test("progress tells what comes, and how much of it", async () => {
  using server = serve();
  const told: unknown[][] = [];
  await fetched(server.url("/node/boot.json"), {}, { progress: (...step) => void told.push(step) });
  expect(told.at(-1)).toEqual([
    `fetching ${server.url("/node/sub/initrd%201.img")}`,
    initrd.length,
    initrd.length,
    "download",
  ]);
  expect(isAbsolute(trusted) && trustOptions.trust).toEqual([trusted]);
});
