/**
 * Lets a compiled binary be the first process of a machine (`rdinit=`).
 *
 * The Bun runtime aborts before its first line where /proc is not mounted, and to
 * mount it is the first process's own task. So a few instructions go in front of
 * the binary's entry point: with process id 1 and without /proc/self they make and
 * mount /proc, and then, whatever came of it, go on where the binary began. What is
 * mounted there already stays, as in a container.
 *
 * Where they mount it, they also take the environment away: it is words of the kernel command line that the
 * kernel did not know (init/main.c, unknown_bootoption), and libc obeys some, as `TZ`, by which it reads a
 * file and waits for a device. Each string becomes an empty one: the array stays, as musl finds what is behind it.
 *
 * They stand in a segment of their own at the end of the file, in the place of the
 * PT_NOTE header, which holds nothing that is needed to run.
 */

import {
  entryPoint,
  pages,
  programHeaderTable,
  READ_EXECUTE,
  readSegments,
  roundUp,
  segmentType,
  setEntryPoint,
  writeSegments,
} from "./elf.ts";
import type { Target } from "./targets.ts";

/**
 * The file with the instructions in it.
 *
 * @throws Error when `file` has no PT_NOTE header behind its last segment.
 */
export function mountProcFirst(file: Uint8Array, architecture: Target["architecture"]): Uint8Array {
  const page = pages[architecture];
  const segments = readSegments(file);
  const loads = segments.filter(({ type }) => type === segmentType.load);
  const note = segments.findLastIndex(({ type }) => type === segmentType.note);
  // The kernel wants segments in the order of their addresses: fs/binfmt_elf.c, total_mapping_size.
  const last = segments.findLastIndex(({ type }) => type === segmentType.load);
  if (note === -1 || last === -1 || last > note) {
    throw new Error("the compiled binary has no PT_NOTE header behind its segments");
  }
  const end = Math.max(...loads.map(({ address, inMemory }) => address + inMemory));
  const offset = roundUp(file.byteLength, page);
  const address = roundUp(end, page);
  const code = instructions(architecture, entryPoint(file));

  const result = new Uint8Array(offset + code.byteLength);
  result.set(file);
  result.set(code, offset);
  segments[note] = {
    type: segmentType.load,
    flags: READ_EXECUTE,
    offset,
    address,
    inFile: code.byteLength,
    inMemory: code.byteLength,
    align: page,
  };
  writeSegments(result, programHeaderTable(file).offset, segments);
  setEntryPoint(result, BigInt(address));
  return result;
}

/** Position independent, but for the absolute entry point at the end. */
function instructions(architecture: Target["architecture"], entry: bigint): Uint8Array {
  const code = architecture === "x64" ? x64 : arm64;
  const result = new Uint8Array(code.length + 32);
  result.set(code);
  result.set(new TextEncoder().encode("/proc/self"), code.length);
  result.set(new TextEncoder().encode("/proc"), code.length + 16);
  new DataView(result.buffer).setBigUint64(code.length + 24, entry, true);
  return result;
}

/**
 * System calls: arch/x86/entry/syscalls/syscall_64.tbl. rdx is the loader's function
 * for atexit(3) and must arrive at the old entry point (System V ABI, AMD64, 3.4.1).
 */
const x64 = Uint8Array.from([
  0x52, //                                     push rdx
  ...[0xb8, 39, 0, 0, 0], //                   mov eax, getpid
  ...[0x0f, 0x05], //                          syscall
  ...[0x83, 0xf8, 0x01], //                    cmp eax, 1
  ...[0x75, 0x5d], //                          jne out
  ...[0xb8, 21, 0, 0, 0], //                   mov eax, access
  ...[0x48, 0x8d, 0x3d, 0x58, 0, 0, 0], //     lea rdi, [self]
  ...[0x31, 0xf6], //                          xor esi, esi
  ...[0x0f, 0x05], //                          syscall
  ...[0x85, 0xc0], //                          test eax, eax
  ...[0x74, 0x49], //                          jz out
  ...[0xb8, 83, 0, 0, 0], //                   mov eax, mkdir
  ...[0x48, 0x8d, 0x3d, 0x54, 0, 0, 0], //     lea rdi, [path]
  ...[0xbe, 0xed, 0x01, 0, 0], //              mov esi, 0755
  ...[0x0f, 0x05], //                          syscall
  ...[0xb8, 165, 0, 0, 0], //                  mov eax, mount
  ...[0x48, 0x8d, 0x35, 0x41, 0, 0, 0], //     lea rsi, [path]
  ...[0x48, 0x8d, 0x7e, 0x01], //              lea rdi, [rsi + 1]
  ...[0x48, 0x89, 0xfa], //                    mov rdx, rdi
  ...[0x45, 0x31, 0xd2], //                    xor r10d, r10d
  ...[0x45, 0x31, 0xc0], //                    xor r8d, r8d
  ...[0x0f, 0x05], //                          syscall
  // The arguments' number lies behind the word that was pushed, the environment behind their end mark.
  ...[0x48, 0x8b, 0x44, 0x24, 0x08], //        mov rax, [rsp + 8]
  ...[0x48, 0x8d, 0x44, 0xc4, 0x18], //        lea rax, [rsp + 8 * rax + 24]
  ...[0x48, 0x8b, 0x08], //                    next: mov rcx, [rax]
  ...[0x48, 0x85, 0xc9], //                    test rcx, rcx
  ...[0x74, 0x09], //                          jz out
  ...[0xc6, 0x01, 0x00], //                    mov byte ptr [rcx], 0
  ...[0x48, 0x83, 0xc0, 0x08], //              add rax, 8
  ...[0xeb, 0xef], //                          jmp next
  0x5a, //                                     out: pop rdx
  ...[0xff, 0x25, 0x18, 0, 0, 0], //           jmp [entry]
  // self, 16 bytes; path, 8 bytes; entry, 8 bytes
]);

/** System calls: include/uapi/asm-generic/unistd.h. x0 is what rdx is above; svc keeps x9. */
const arm64 = words([
  0xaa0003e9, //  mov x9, x0
  0xd2801588, //  mov x8, getpid (172)
  0xd4000001, //  svc 0
  0xf100041f, //  cmp x0, 1
  0x54000321, //  b.ne out
  0xd2800608, //  mov x8, faccessat (48)
  0x92800c60, //  mov x0, AT_FDCWD (-100)
  0x10000321, //  adr x1, self
  0xd2800002, //  mov x2, 0
  0xd4000001, //  svc 0
  0xb4000260, //  cbz x0, out
  0xd2800448, //  mov x8, mkdirat (34)
  0x92800c60, //  mov x0, AT_FDCWD (-100)
  0x100002e1, //  adr x1, path
  0xd2803da2, //  mov x2, 0755
  0xd4000001, //  svc 0
  0xd2800508, //  mov x8, mount (40)
  0x91000420, //  add x0, x1, 1
  0xaa0003e2, //  mov x2, x0
  0xd2800003, //  mov x3, 0
  0xd2800004, //  mov x4, 0
  0xd4000001, //  svc 0
  0xf94003e1, //  ldr x1, [sp]
  0x8b216fe1, //  add x1, sp, x1, lsl 3
  0x91004021, //  add x1, x1, 16
  0xf8408422, //  next: ldr x2, [x1], 8
  0xb4000062, //  cbz x2, out
  0x3900005f, //  strb wzr, [x2]
  0x17fffffd, //  b next
  0xaa0903e0, //  out: mov x0, x9
  0x58000110, //  ldr x16, entry
  0xd61f0200, //  br x16
  // self, 16 bytes; path, 8 bytes; entry, 8 bytes
]);

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value, true);
  return bytes;
}
