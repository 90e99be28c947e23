import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type ErrorCode, KexecError } from "../../../src/errors.ts";
import { gateFor } from "../../../src/handoff/gate/choose-gate.ts";
import { type LoadRequest, parseLoadRequest, requestsOf } from "../../../src/handoff/request.ts";
import { Assembled } from "../../../src/handoff/stages/assemble.ts";
import { Secrets } from "../../../src/handoff/stages/secrets.ts";
import { Verified } from "../../../src/handoff/stages/verify.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { Source } from "../../../src/source/open.ts";
import { formatManifest } from "../../../src/trust/manifest.ts";
import { ascii, concat, makeArm64, makeBzImage, makePe, patched } from "../image/build.ts";
import { signerOf } from "../trust/signer.ts";

const x86 = process.arch === "x64";
const machine = x86 ? "x86_64" : "aarch64";

const folder = mkdtempSync(join(tmpdir(), "aegis-sources-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (path: string) => join(folder, path);

function write(path: string, content: string | Uint8Array): string {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
  return at(path);
}

/** What the system call would get. */
async function assembled(request: LoadRequest) {
  const [parsed] = requestsOf(parseLoadRequest(request));
  if (parsed === undefined) throw new Error("there is no SOURCE");
  const warnings: string[] = [];
  const observer = { warn: (line: string) => warnings.push(line) };
  const gate = await gateFor(parsed);
  using source = await Source.open(parsed, observer, gate);
  using verified = await Verified.from(source, parsed, machine, gate, observer);
  using secrets = await Secrets.read([], undefined);
  using result = await Assembled.from(verified, secrets, false, observer);
  const contentOf = (fd: number): Uint8Array => new Uint8Array(readFileSync(`/proc/self/fd/${fd}`));
  return {
    kernel: contentOf(result.kernelFd),
    initrd: result.initrdFd === undefined ? undefined : contentOf(result.initrdFd),
    cmdline: verified.cmdline,
    format: verified.image.format,
    initrds: verified.initrds.map(({ file }) => [
      file.canonicalPath.replace(`${folder}/`, ""),
      file.size,
    ]),
    signature: verified.trust?.signature.replace(`${folder}/`, ""),
    samePath: result.kernelFd === source.kernel.file.fd,
    sameInitrd: result.initrdFd === source.initrds[0]?.file.fd,
  };
}

async function refusal(code: ErrorCode, request: LoadRequest): Promise<string> {
  try {
    await assembled(request);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect({ code: error.code, message: error.message }).toMatchObject({ code });
    return error.message.replaceAll(`${folder}/`, "");
  }
  throw new Error("it was not refused");
}

const kernel = x86 ? makeBzImage() : makeArm64();
const newc = (path: string) => encodeArchive([{ type: "directory", path }]);
const microcode = newc("microcode");
const initramfs = newc("initramfs");
const given = newc("given");
/** Archives joined as the kernel wants them: four zeros at least, then to a multiple of four. */
const joined = (...archives: readonly Uint8Array[]) =>
  concat(
    ...archives.flatMap((bytes, index) => [...(index === 0 ? [] : [new Uint8Array(4)]), bytes]),
  );

const sections = [
  { name: ".cmdline", content: ascii("root=A quiet\n") },
  { name: ".initrd", content: initramfs },
  { name: ".linux", content: kernel },
];
const forMachine = (pe: Uint8Array) => patched(pe, [68, 2, x86 ? 0x8664 : 0xaa64]);
const withMicrocode = forMachine(makePe([...sections, { name: ".ucode", content: microcode }]));
const uki = forMachine(
  makePe([
    ...sections,
    { name: ".profile", content: ascii("ID=main") },
    { name: ".profile", content: ascii("ID=debug") },
    { name: ".cmdline", content: ascii("debug") },
  ]),
);

const initrd = write("given.img", given);
const plain = write("vmlinuz", kernel);
const ukiPath = write("a.efi", uki);

describe("without trust", () => {
  test("a bare kernel with one archive is not copied", async () => {
    expect(await assembled({ kernel: plain, initrd, cmdline: "a" })).toMatchObject({
      samePath: true,
      sameInitrd: true,
      cmdline: "a",
    });
  });

  test("a packed kernel", async () => {
    const packed = write("vmlinuz.gz", Bun.gzipSync(Uint8Array.from(kernel)));
    const result = await assembled({ kernel: packed, initrd });
    expect(result.kernel).toEqual(kernel);
    expect(result).toMatchObject({ samePath: false, sameInitrd: true });
  });

  test("a UKI with one archive, with two, and with one more of the user", async () => {
    const alone = await assembled({ kernel: ukiPath });
    expect(alone.kernel).toEqual(kernel);
    expect(alone.initrd).toEqual(initramfs);
    expect(alone).toMatchObject({
      cmdline: "root=A quiet",
      initrds: [["a.efi#.initrd", initramfs.length]],
    });
    const path = write("microcode.efi", withMicrocode);
    expect((await assembled({ kernel: path })).initrd).toEqual(joined(microcode, initramfs));
    const more = await assembled({ kernel: path, initrd, cmdline: "b", append: "c" });
    expect(more.initrd).toEqual(joined(microcode, initramfs, given));
    expect(more.cmdline).toBe("b c");
  });

  test("in place of what a UKI brings, as kexec-tools takes it", async () => {
    const inPlaceOfUki = true;
    const path = write("microcode.efi", withMicrocode);
    const both = await assembled({ kernel: path, initrd, cmdline: "b", inPlaceOfUki });
    expect(both.initrd).toEqual(given);
    expect(both).toMatchObject({ cmdline: "b", sameInitrd: true });
    const line = await assembled({ kernel: path, cmdline: "", inPlaceOfUki });
    expect(line.initrd).toEqual(joined(microcode, initramfs));
    expect(line.cmdline).toBe("");
    const archive = await assembled({ kernel: path, initrd, inPlaceOfUki });
    expect(archive).toMatchObject({ cmdline: "root=A quiet", sameInitrd: true });
    expect((await assembled({ kernel: path, inPlaceOfUki })).cmdline).toBe("root=A quiet");
  });

  test("a boot entry that leads to a UKI adds to it", async () => {
    write("boot/EFI/Linux/a.efi", uki);
    write("boot/extra.img", given);
    const entry = write(
      "boot/loader/entries/e.conf",
      "uki /EFI/Linux/a.efi\ninitrd /extra.img\noptions root=B\nprofile 1\n",
    );
    const result = await assembled({ kernel: entry });
    expect(result).toMatchObject({ cmdline: "root=B" });
    expect(result.initrd).toEqual(joined(initramfs, given));
    write("boot/loader/entries/e.conf", "uki /EFI/Linux/a.efi\nprofile 1\n");
    expect((await assembled({ kernel: entry })).cmdline).toBe("debug");
    expect((await assembled({ kernel: entry, profile: 0 })).cmdline).toBe("root=A quiet");
  });
});

describe("with trust required", () => {
  const signer = signerOf("11".repeat(32));
  const trust = write("org.pub", signer.minisignKey());
  const other = write("other.pub", signerOf("22".repeat(32)).minisignKey());
  const signed = write("signed.efi", uki);
  write("signed.efi.minisig", signer.minisign(uki));

  test("a UKI with a signature of the whole file", async () => {
    const result = await assembled({ kernel: signed, trust });
    expect(result.kernel).toEqual(kernel);
    expect(result.initrd).toEqual(initramfs);
    expect(result).toMatchObject({ cmdline: "root=A quiet", signature: "signed.efi.minisig" });
    expect((await assembled({ kernel: signed, trust, profile: 1 })).cmdline).toBe("debug");
  });

  test.each([
    ["raw", () => signer.sign(uki)],
    ["legacy", () => signer.minisign(uki, { isLegacy: true })],
  ])("a UKI with a %s signature", async (name, sign) => {
    const signature = write(`${name}.sig`, sign());
    expect(await assembled({ kernel: signed, trust, signature })).toMatchObject({
      signature: `${name}.sig`,
    });
  });

  test("one flipped byte anywhere in the file is refused", async () => {
    write("flipped.efi.minisig", signer.minisign(uki));
    for (let at = 0; at < uki.length; at += 97) {
      const path = write("flipped.efi", patched(uki, [at, 1, (uki[at] ?? 0) ^ 1]));
      try {
        await assembled({ kernel: path, trust });
      } catch (error) {
        if (!(error instanceof KexecError)) throw error;
        expect(error.exit).toBe(5);
        continue;
      }
      throw new Error(`byte ${at} does not count`);
    }
  });

  test("another key, no signature, a floor that it cannot meet", async () => {
    await refusal("bad-signature", { kernel: signed, trust: other });
    await refusal("no-signature", { kernel: ukiPath, trust });
    expect(
      await refusal("generation-too-low", { kernel: signed, trust, minGeneration: 1 }),
    ).toContain("it has no generation");
  });

  test.each([
    [{ cmdline: "x" }, "--cmdline"],
    [{ reuseCmdline: true }, "--reuse-cmdline"],
    [{ initrd }, "--initrd"],
    [{ append: "x" }, "--append"],
  ] as const)("%p is refused", async (more, option) => {
    const message = await refusal("policy-refused", { kernel: signed, trust, ...more });
    expect(message).toStartWith(`cannot use ${option}: `);
    const asKexec = { kernel: signed, trust, inPlaceOfUki: true, ...more };
    expect(await refusal("policy-refused", asKexec)).toBe(message);
  });

  test("words that the policy lets through are appended", async () => {
    const policy = write(
      "policy.json",
      JSON.stringify({ trust: [trust], allowAppend: ["console="] }),
    );
    expect((await assembled({ kernel: signed, policy, append: "console=ttyS0" })).cmdline).toBe(
      "root=A quiet console=ttyS0",
    );
    await refusal("policy-refused", { kernel: signed, policy, append: "init=/bin/sh" });
  });

  test("a bare kernel, packed or not, is refused whoever signed it", async () => {
    for (const [name, bytes] of [
      ["bare", kernel],
      ["packed", Bun.gzipSync(Uint8Array.from(kernel))],
    ] as const) {
      const path = write(name, bytes);
      write(`${name}.minisig`, signer.minisign(bytes));
      expect(await refusal("untrusted", { kernel: path, trust })).toBe(
        `cannot trust ${name}: no signature covers kernel, initramfs and command line as one`,
      );
    }
  });

  test("a boot entry leads to a signed UKI, and to nothing else", async () => {
    write("esp/EFI/Linux/a.efi", uki);
    write("esp/EFI/Linux/a.efi.minisig", signer.minisign(uki));
    write("esp/vmlinuz", kernel);
    write("esp/more.img", given);
    const entry = at("esp/loader/entries/e.conf");
    const load = (text: string) => {
      write("esp/loader/entries/e.conf", text);
      return { kernel: entry, trust };
    };
    expect(await assembled(load("uki /EFI/Linux/a.efi\n"))).toMatchObject({
      cmdline: "root=A quiet",
      signature: "esp/EFI/Linux/a.efi.minisig",
    });
    expect(await assembled({ kernel: at("esp"), trust })).toMatchObject({
      cmdline: "root=A quiet",
    });
    await refusal("untrusted", load("linux /vmlinuz\noptions root=A\n"));
    const options = await refusal("policy-refused", load("uki /EFI/Linux/a.efi\noptions root=B\n"));
    expect(options).toStartWith("cannot use the options line of esp/loader/entries/e.conf");
    const initrds = await refusal(
      "policy-refused",
      load("uki /EFI/Linux/a.efi\ninitrd /more.img\n"),
    );
    expect(initrds).toStartWith("cannot use the initrd line of esp/loader/entries/e.conf");
  });

  test("a manifest that did not pass the gate is not accepted behind it", async () => {
    const path = write("unasked/boot.json", '{ "format": "aegis-kexec/1" }');
    write("unasked/vmlinuz", kernel);
    const listed = { path: "vmlinuz", size: kernel.length };
    const sha256 = new Bun.CryptoHasher("sha256").update(kernel).digest("hex");
    write(
      "unasked/boot.json",
      formatManifest({
        format: "aegis-kexec/1",
        generation: 1,
        architecture: machine,
        kernel: { ...listed, sha256 },
        initrds: [],
        cmdline: "",
      }),
    );
    const parsed = { ...parseLoadRequest({ kernel: path, trust }), source: path };
    using source = await Source.open(parsed);
    const passed = Verified.from(source, parsed, machine, await gateFor(parsed), {});
    expect(await passed.catch((error: unknown) => error)).toMatchObject({ code: "untrusted" });
  });

  test("the signature is checked before a listed file is opened", async () => {
    const text = formatManifest({
      format: "aegis-kexec/1",
      generation: 1,
      architecture: machine,
      kernel: { path: "nowhere", size: 1, sha256: "00".repeat(32) },
      initrds: [],
      cmdline: "",
    });
    const path = write("early/boot.json", text);
    write("early/boot.json.minisig", signer.minisign(ascii(text)));
    await refusal("bad-signature", { kernel: path, trust: other });
    await refusal("file-not-found", { kernel: path, trust });
  });

  test("a manifest may list a packed kernel, or a UKI: its command line counts", async () => {
    const packed = Bun.gzipSync(Uint8Array.from(kernel));
    for (const [name, bytes] of [
      ["m/vmlinuz.gz", packed],
      ["m/a.efi", uki],
    ] as const) {
      write(name, bytes);
      write("m/given.img", given);
      const fileOf = (path: string, content: Uint8Array) => ({
        path,
        size: content.length,
        sha256: new Bun.CryptoHasher("sha256").update(content).digest("hex"),
      });
      const text = formatManifest({
        format: "aegis-kexec/1",
        generation: 3,
        architecture: machine,
        kernel: fileOf(name.slice(2), bytes),
        initrds: [fileOf("given.img", given)],
        cmdline: "of the manifest",
      });
      const path = write("m/boot.json", text);
      write("m/boot.json.minisig", signer.minisign(ascii(text)));
      const result = await assembled({ kernel: path, trust });
      expect(result.kernel).toEqual(kernel);
      expect(result.cmdline).toBe("of the manifest");
      expect(result.initrd).toEqual(name === "m/a.efi" ? joined(initramfs, given) : given);
      if (name === "m/a.efi") {
        const message = await refusal("policy-refused", { kernel: path, trust, profile: 1 });
        expect(message).toStartWith("cannot use --profile: ");
      }
      write(name, patched(bytes, [20, 1, (bytes[20] ?? 0) ^ 1]));
      await refusal("digest-mismatch", { kernel: path, trust });
    }
  });
});
