/** What commands make of a server: several SOURCEs, stores, images, and what is stored. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fetch as fetchGeneration } from "../../../src/handoff/fetch.ts";
import { inspect } from "../../../src/handoff/inspect.ts";
import { load } from "../../../src/handoff/load.ts";
import { manifest } from "../../../src/handoff/manifest.ts";
import type { LoadRequest } from "../../../src/handoff/request.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { libc } from "../../../src/linux/libc.ts";
import { ascii, makeArm64, makeBzImage, makePe } from "../image/build.ts";
import { pack, plant } from "../image/iso-build.ts";
import { authority, ca, served, signer, trusted } from "../source/network/generation.ts";
import { type Answer, type Asked, ok, Server, status } from "../source/network/server.ts";

const x86 = libc().architecture === "x86_64";
const kernel = x86 ? makeBzImage() : makeArm64();
const archive = encodeArchive([{ type: "directory", path: "new" }]);
const sha256 = (of: Uint8Array) => new Bun.CryptoHasher("sha256").update(of).digest("hex");

type Files = Readonly<Record<string, Uint8Array>>;

/** A signed generation, by the names of its files. */
function generation(number: number): Files {
  const text = JSON.stringify({
    format: "aegis-kexec/1",
    generation: number,
    architecture: libc().architecture,
    kernel: { path: "vmlinuz", size: kernel.length, sha256: sha256(kernel) },
    initrds: [{ path: "initrd.img", size: archive.length, sha256: sha256(archive) }],
    cmdline: `gen=${number}`,
  });
  const bytes = Buffer.from(text);
  return {
    "boot.json": bytes,
    "boot.json.minisig": Buffer.from(signer.minisign(bytes)),
    vmlinuz: kernel,
    "initrd.img": archive,
  };
}

function serve(
  files: Files,
  instead: (asked: Asked) => Answer | undefined = () => undefined,
): Server {
  return new Server(
    (asked) => {
      const file = files[asked.path.slice(1)];
      return instead(asked) ?? (file === undefined ? status(404) : ok(file));
    },
    { tls: served },
  );
}

function store(generations: Readonly<Record<string, Files>>): string {
  const root = mkdtempSync(join(tmpdir(), "aegis-network-store-"));
  for (const [name, files] of Object.entries(generations)) {
    for (const [file, bytes] of Object.entries(files)) {
      const path = join(root, name, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
  }
  return root;
}

const common = { trust: [trusted], ca, wait: 0 };
const dry = async (request: LoadRequest) => {
  const warnings: string[] = [];
  const report = await load(
    { ...common, dryRun: true, ...request },
    { warn: (line) => void warnings.push(line) },
  );
  return { ...report, warnings };
};

describe("several SOURCEs", () => {
  test("a server that fails is passed over, with its reason, and the store is taken", async () => {
    using server = serve(generation(9), ({ path }) =>
      path === "/vmlinuz" ? [...ok(kernel.subarray(0, 99))].reverse() : undefined,
    );
    const report = await dry({ kernel: [server.url("/boot.json"), store({ "8": generation(8) })] });
    expect(report).toMatchObject({ generation: 8, cmdline: expect.stringContaining("gen=8") });
    expect(report.warnings[0]).toMatch(/boot\.json is passed over: cannot fetch/);
    expect(report.warnings[0]).toContain("not HTTP");
  });

  test("what is loaded is what came, and it is said from where", async () => {
    using server = serve(generation(9));
    const report = await dry({ kernel: server.url("/boot.json") });
    expect(report).toMatchObject({
      generation: 9,
      kernel: { path: server.url("/vmlinuz"), size: kernel.length },
      initrds: [{ path: server.url("/initrd.img"), size: archive.length }],
      trust: { signature: server.url("/boot.json.minisig") },
    });
    expect(server.paths).toEqual(["/boot.json", "/boot.json.minisig", "/vmlinuz", "/initrd.img"]);
  });

  test("who calls it off does not mean the next one", async () => {
    using server = serve(generation(9));
    const kernels = [server.url("/boot.json"), store({ "8": generation(8) })];
    const called = dry({ kernel: kernels, signal: AbortSignal.abort() });
    await expect(called).rejects.toMatchObject({ code: "aborted", exit: 12 });
  });
});

test("a kernel alone is refused in words that can be followed, signed and unsigned", async () => {
  const signature = Buffer.from(signer.minisign(kernel));
  using server = serve({ vmlinuz: kernel, signed: kernel, "signed.minisig": signature });
  const hintOf = (name: string) =>
    dry({ kernel: server.url(name), cmdline: undefined }).then(
      () => undefined,
      ({ code, hint }) => ({ code, hint: String(hint) }),
    );
  const unsigned = await hintOf("/vmlinuz");
  expect(unsigned?.code).toBe("no-signature");
  expect(unsigned?.hint).toContain("beside it on the server");
  const bare = await hintOf("/signed");
  expect(bare?.code).toBe("untrusted");
  expect(bare?.hint).toContain("write a manifest (aegis-kexec manifest)");
  // No command takes a URL there
  for (const said of [unsigned, bare]) expect(said?.hint).not.toContain("https://");
});

test("no secret and no key is sent, told or logged, by https or http, with whatever fails", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aegis-network-secret-"));
  const words = "correct horse battery staple";
  const client = authority.issue({ names: ["node-1"] });
  const [secret, clientCert, clientKey, log] = ["secret", "node.pem", "node.key", "log"].map(
    (name) => join(folder, name),
  ) as [string, string, string, string];
  writeFileSync(secret, words);
  writeFileSync(clientCert, client.cert);
  writeFileSync(clientKey, client.key);
  const told: string[] = [];
  const hear = (line: string) => void told.push(line);
  let received = "";
  for (const tls of [served, undefined]) {
    for (const fails of [false, true]) {
      using server = new Server(
        ({ path }) => {
          const file = generation(9)[path.slice(1).replace("?token=open-sesame", "")];
          return file === undefined || (fails && path.startsWith("/vmlinuz"))
            ? status(500)
            : ok(file);
        },
        tls === undefined ? {} : { tls, authority: authority.cert },
      );
      const request = {
        ...{
          ...common,
          dryRun: true,
          kernel: [server.url("/boot.json?token=open-sesame"), "/nowhere"],
          clientCert,
          clientKey,
          log,
        },
        secrets: [`${secret}:/etc/cryptsetup-keys.d/root.key`],
      };
      const result = await load(request, { warn: hear, note: hear, progress: hear }).catch(
        (error: unknown) => error,
      );
      expect(result instanceof Error).toBe(fails);
      told.push(JSON.stringify(result), String(result));
      received += server.received;
    }
  }
  const key = client.key.split("\n")[1] ?? "";
  expect(key.length).toBeGreaterThan(40);
  const logged = readFileSync(log, "utf8");
  expect(received).toContain("open-sesame");
  for (const text of [told.join("\n"), logged]) expect(text).not.toContain("open-sesame");
  for (const text of [received, told.join("\n"), logged]) {
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toContain(words);
    expect(text).not.toContain(Buffer.from(words).toString("base64"));
    expect(text).not.toContain(key);
    expect(text).not.toContain("PRIVATE");
  }
});

describe("no way down", () => {
  const blessed = store({ "7": generation(7), "6": generation(6), "9+2-1": generation(9) });

  test.each([
    ["below the blessed one", 6, 9, /generation 6, and .* has 7, which verifies and was blessed/],
    ["above it, if below one that was not blessed", 8, 8, undefined],
    ["the blessed one itself", 7, 7, undefined],
  ])("a server's generation %s", async (_, number, taken, why) => {
    using server = serve(generation(number));
    const report = await dry({ kernel: [server.url("/boot.json"), blessed] });
    expect(report.generation).toBe(taken);
    if (why !== undefined) {
      expect(report.warnings.join("\n")).toMatch(why);
      // Nothing but what tells its number was asked for.
      expect(server.paths).toEqual(["/boot.json", "/boot.json.minisig"]);
    }
  });

  test("--entry names it, where it is meant, and no other", async () => {
    using server = serve(generation(6));
    const kernels = [server.url("/boot.json"), blessed];
    expect((await dry({ kernel: kernels, entry: "6" })).kernel.path).toBe(server.url("/vmlinuz"));
    const other = await dry({ kernel: kernels, entry: "7" });
    expect(other.generation).toBe(7);
    expect(other.kernel.path).toStartWith(blessed);
    expect(other.warnings[0]).toContain("it is generation 6");
  });

  test("what does not verify does not count, and neither does what is no store", async () => {
    using server = serve(generation(6));
    const damaged = { ...generation(7), vmlinuz: kernel.map((byte) => byte ^ 1) };
    const unsigned = { ...generation(8), "boot.json.minisig": Buffer.from("none") };
    const others = [store({ "7": damaged, "8": unsigned }), "/nowhere", trusted];
    expect((await dry({ kernel: [server.url("/boot.json"), ...others] })).generation).toBe(6);
  });

  test("inspect says the same", async () => {
    using server = serve(generation(6));
    const inspection = await inspect({ ...common, kernel: [server.url("/boot.json"), blessed] });
    expect(inspection.verdict.notes.join("\n")).toContain("which verifies and was blessed");
    expect(inspection.source.path).toStartWith(blessed);
  });
});

test("inspect fetches each file once, and names the URL", async () => {
  using server = serve(generation(9));
  const inspection = await inspect({ ...common, kernel: server.url("/boot.json") });
  expect(inspection.source).toMatchObject({ path: server.url("/boot.json"), kind: "manifest" });
  expect(inspection.trust.signed).not.toBeNull();
  expect(server.paths.length).toBe(new Set(server.paths).size);
});

describe("images by URL", () => {
  test("a kernel by https where nothing has to be trusted, with the user's words", async () => {
    using server = serve({ vmlinuz: kernel });
    const report = await dry({ kernel: server.url("/vmlinuz"), trust: [], cmdline: "x" });
    expect(report.kernel).toMatchObject({ path: server.url("/vmlinuz"), size: kernel.length });
  });

  test("where trust is required a signature is asked for before more than the beginning", async () => {
    // More than the buffers of both sockets take
    const large = Buffer.concat([kernel, Buffer.alloc(64 << 20)]);
    let sent = 0;
    using server = serve({}, ({ path }) =>
      path === "/vmlinuz"
        ? [
            `HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`,
            () => {
              const piece = large.subarray(sent, sent + 65_536);
              sent += piece.length;
              return piece.length === 0 ? undefined : piece;
            },
          ]
        : undefined,
    );
    const refused = dry({ kernel: server.url("/vmlinuz") });
    await expect(refused).rejects.toMatchObject({ code: "no-signature", exit: 5 });
    expect(server.paths).toEqual(["/vmlinuz", "/vmlinuz.minisig", "/vmlinuz.sig"]);
    expect(sent).toBeLessThan(large.length);
  }, 60_000);

  test("another's signature is no reason to fetch it", async () => {
    const foreign = signer.minisign(kernel, { keyId: "1111111111111111" });
    using server = serve({ vmlinuz: kernel, "vmlinuz.minisig": Buffer.from(foreign) });
    await expect(dry({ kernel: server.url("/vmlinuz") })).rejects.toMatchObject({ exit: 5 });
  });

  test("a bare kernel is refused there, however it is signed", async () => {
    const own = Buffer.from(signer.minisign(kernel));
    using server = serve({ vmlinuz: kernel, "vmlinuz.minisig": own });
    const refused = dry({ kernel: server.url("/vmlinuz") });
    await expect(refused).rejects.toMatchObject({ code: "untrusted" });
  });

  test.skipIf(!x86)(`a UKI that is signed as a whole${x86 ? "" : " (needs x86_64)"}`, async () => {
    const sections = [
      { name: ".osrel", content: ascii("ID=test\n") },
      { name: ".cmdline", content: ascii("from=uki") },
      { name: ".initrd", content: archive },
      { name: ".linux", content: kernel },
    ];
    const uki = makePe(sections);
    const own = Buffer.from(signer.minisign(uki));
    using server = serve({ "system.efi": uki, "system.efi.minisig": own });
    const report = await dry({ kernel: server.url("/system.efi") });
    expect(report).toMatchObject({ cmdline: "from=uki", trust: { signer: { key: trusted } } });
    expect(server.paths).toEqual(["/system.efi", "/system.efi.minisig"]);
    using changed = serve({
      "system.efi": makePe([...sections, { name: ".more", content: ascii("x") }]),
      "system.efi.minisig": own,
    });
    await expect(dry({ kernel: changed.url("/system.efi") })).rejects.toMatchObject({
      code: "bad-signature",
    });
  });

  test("an ISO image, which the next system does not find there: that is told", async () => {
    const folder = mkdtempSync(join(tmpdir(), "aegis-network-iso-"));
    plant(join(folder, "tree"), {
      "boot/grub/grub.cfg":
        "menuentry a {\n linux /live/vmlinuz boot=live\n initrd /live/initrd\n}\n",
      "live/vmlinuz": kernel,
      "live/initrd": archive,
    });
    const image = readFileSync(pack(join(folder, "tree"), join(folder, "live.iso")));
    const own = Buffer.from(signer.minisign(image));
    using server = serve({ "live.iso": image, "live.iso.minisig": own });
    const blind = dry({ kernel: server.url("/live.iso") });
    await expect(blind).rejects.toMatchObject({ code: "system-not-found" });
    const inspection = await inspect({ ...common, kernel: server.url("/live.iso") });
    expect(inspection.source.kind).toBe("ISO image");
    expect(inspection.entries?.map(({ title }) => title)).toEqual(["a"]);
    const given = { kernel: server.url("/live.iso"), append: "fetch=elsewhere", trust: [] };
    const report = await dry(given);
    expect(report.cmdline).toMatch(/^boot=live .*fetch=elsewhere$/);
    expect(report.cmdline).not.toContain("https:");
  });

  test("a page, or nothing that boots, is told as that", async () => {
    using server = serve({ page: Buffer.from("<html>Log in to this network</html>") });
    const refused = dry({ kernel: server.url("/page"), trust: [], cmdline: "x" });
    await expect(refused).rejects.toMatchObject({ code: "not-a-kernel" });
  });
});

describe("fetch URL STORE", () => {
  test("stores it whole, and asks for nothing twice", async () => {
    using server = serve(generation(9));
    const root = store({});
    const report = await fetchGeneration({
      ...common,
      source: server.url("/boot.json"),
      store: root,
    });
    expect(report).toMatchObject({ generation: 9, stored: true, resumed: 0 });
    expect(readdirSync(root)).toEqual(["9+3"]);
    for (const [name, bytes] of Object.entries(generation(9))) {
      expect(readFileSync(join(root, "9+3", name)).equals(Buffer.from(bytes))).toBe(true);
    }
    const files = server.paths.filter((path) => !path.includes("boot.json"));
    expect(files.length).toBe(2);
    const again = await fetchGeneration({
      ...common,
      source: server.url("/boot.json"),
      store: root,
    });
    expect(again.stored).toBe(false);
    expect(server.paths.filter((path) => !path.includes("boot.json"))).toEqual(files);
  });

  test("what an earlier attempt left is not asked for again", async () => {
    using server = serve(generation(9), ({ path, headers }) => {
      const from = Number(/^bytes=(\d+)-$/.exec(headers["range"] ?? "")?.[1]);
      if (path !== "/vmlinuz" || !(from > 0)) return undefined;
      const rest = kernel.subarray(from);
      const range = `Content-Range: bytes ${from}-${kernel.length - 1}/${kernel.length}\r\n`;
      return [`HTTP/1.1 206 Partial\r\n${range}Content-Length: ${rest.length}\r\n\r\n`, rest];
    });
    const root = store({ ".9.part": { vmlinuz: kernel.subarray(0, 700) } });
    const report = await fetchGeneration({
      ...common,
      source: server.url("/boot.json"),
      store: root,
    });
    expect(report).toMatchObject({ stored: true, resumed: 700 });
    const asked = server.log.filter(({ path }) => path === "/vmlinuz");
    expect(asked.map(({ headers }) => headers["range"])).toEqual(["bytes=700-"]);
  });

  test("a store is no server", async () => {
    const refused = fetchGeneration({ ...common, source: "boot.json", store: "https://h/store" });
    await expect(refused).rejects.toMatchObject({ code: "usage" });
    await expect(manifest({ kernel: "https://h/vmlinuz" })).rejects.toMatchObject({
      code: "usage",
    });
  });
});

describe("manifest --content-names", () => {
  const made = () => {
    const folder = mkdtempSync(join(tmpdir(), "aegis-names-"));
    writeFileSync(join(folder, "vmlinuz"), kernel);
    writeFileSync(join(folder, "initrd.img"), archive);
    const request = {
      kernel: join(folder, "vmlinuz"),
      initrd: join(folder, "initrd.img"),
      cmdline: "x",
      generation: 3,
      contentNames: true,
    };
    return { folder, request };
  };

  test("files have a second name, which the manifest lists, and which is what is fetched", async () => {
    const { folder, request } = made();
    const written = await manifest(request);
    const names = [`sha256-${sha256(kernel)}`, `sha256-${sha256(archive)}`];
    expect([written.kernel, ...written.initrds].map(({ path }) => path)).toEqual(names);
    expect(readdirSync(folder).sort()).toEqual([...names, "initrd.img", "vmlinuz"].sort());
    const bytes = Buffer.from(JSON.stringify(written));
    using server = serve({
      "current.json": bytes,
      "current.json.minisig": Buffer.from(signer.minisign(bytes)),
      [names[0] ?? ""]: readFileSync(join(folder, names[0] ?? "")),
      [names[1] ?? ""]: readFileSync(join(folder, names[1] ?? "")),
    });
    expect((await dry({ kernel: server.url("/current.json") })).generation).toBe(3);
    // Once more, over what is there, and of what is named so already.
    expect(await manifest(request)).toEqual(written);
    const again = { ...request, kernel: join(folder, names[0] ?? "") };
    expect(await manifest(again)).toEqual(written);
  });

  test("another file under such a name is not taken for it", async () => {
    const { folder, request } = made();
    writeFileSync(join(folder, `sha256-${sha256(kernel)}`), archive);
    await expect(manifest(request)).rejects.toMatchObject({ code: "digest-mismatch" });
  });
});
