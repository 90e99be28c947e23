/** The programs that the bench makes itself. */
import { join } from "node:path";
import { buildTarget } from "../../build.ts";
import { temporaryPath } from "../vm/lib/host.ts";

/**
 * A Bun program that does nothing, compiled as aegis-kexec is: what any such program costs.
 * @returns its path
 */
export async function emptyProgram(
  target: "linux-x64" | "linux-arm64" = "linux-x64",
): Promise<string> {
  const entry = temporaryPath("empty.ts");
  await Bun.write(entry, "export {};\n");
  return buildTarget(target, { entry, outfile: temporaryPath("empty") });
}

/** guest/floor.c, static. @returns its path, or why there is none */
export async function floorProgram(): Promise<{ path: string } | { missing: string }> {
  const compiler = Bun.which("cc");
  if (compiler === null) return { missing: "this host has no C compiler (cc)" };
  const path = temporaryPath("floor");
  const source = join(import.meta.dir, "guest", "floor.c");
  const child = Bun.spawn([compiler, "-O2", "-static", "-o", path, source], { stderr: "pipe" });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) === 0) return { path };
  return { missing: `cc cannot link a static program: ${said.trim().split("\n")[0] ?? ""}` };
}

/**
 * An x86_64 program that executes `2 * rounds` instructions, and four more to begin and to exit:
 * what the instrument is checked with. Written as bytes, so that no compiler has a say in it.
 */
export function countingProgram(rounds: number): Uint8Array {
  const loadAddress = 0x400000n;
  const headers = 64 + 56; // ELF-64 Object File Format: Elf64_Ehdr, Elf64_Phdr
  const count = new Uint8Array(new Uint32Array([rounds]).buffer);
  const code = Uint8Array.of(
    ...[0xb9, ...count], // mov ecx, rounds
    ...[0xff, 0xc9], // dec ecx
    ...[0x75, 0xfc], // jnz -4
    ...[0x31, 0xff], // xor edi, edi
    ...[0xb8, 60, 0, 0, 0], // mov eax, __NR_exit
    ...[0x0f, 0x05], // syscall
  );
  const file = new Uint8Array(headers + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64-bit, little-endian
  view.setUint16(16, 2, true); // e_type: ET_EXEC
  view.setUint16(18, 62, true); // e_machine: EM_X86_64
  view.setUint32(20, 1, true); // e_version
  view.setBigUint64(24, loadAddress + BigInt(headers), true); // e_entry
  view.setBigUint64(32, 64n, true); // e_phoff
  view.setUint16(52, 64, true); // e_ehsize
  view.setUint16(54, 56, true); // e_phentsize
  view.setUint16(56, 1, true); // e_phnum
  view.setUint32(64, 1, true); // p_type: PT_LOAD
  view.setUint32(68, 5, true); // p_flags: PF_R | PF_X
  view.setBigUint64(80, loadAddress, true); // p_vaddr
  view.setBigUint64(88, loadAddress, true); // p_paddr
  view.setBigUint64(96, BigInt(file.length), true); // p_filesz
  view.setBigUint64(104, BigInt(file.length), true); // p_memsz
  view.setBigUint64(112, 0x1000n, true); // p_align
  file.set(code, headers);
  return file;
}
