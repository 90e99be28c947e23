/** What the build has as bytes, in the words of GNU as: jumps and places are its to count. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Architecture = "x64" | "arm64";

/** The programs that assemble for that architecture. */
export function assemblers(architecture: Architecture): [as: string, objcopy: string] {
  const prefix = architecture === "x64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  return [`${prefix}-as`, `${prefix}-objcopy`];
}

/** The bytes of a source's .text. */
export async function assembled(architecture: Architecture, source: string): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "aegis-kexec-as-"));
  try {
    const [code, object, bytes] = ["s", "o", "bin"].map((end) => join(folder, `code.${end}`));
    const [as, objcopy] = assemblers(architecture);
    await Bun.write(code ?? "", source);
    await Bun.$`${as} -o ${object} ${code}`.quiet();
    await Bun.$`${objcopy} -O binary -j .text ${object} ${bytes}`.quiet();
    return Buffer.from(await Bun.file(bytes ?? "").arrayBuffer());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const data = `
self: .asciz "/proc/self"
  .space 16 - (. - self)
path: .asciz "/proc"
  .space 8 - (. - path)
entry: .quad 0x201000
`;

/** build/first-process.ts */
export const sources = {
  x64: `
  .intel_syntax noprefix
  push rdx
  mov eax, 39           # getpid
  syscall
  cmp eax, 1
  jne out
  mov eax, 21           # access
  lea rdi, [rip + self]
  xor esi, esi
  syscall
  test eax, eax
  jz out
  mov eax, 83           # mkdir
  lea rdi, [rip + path]
  mov esi, 0755
  syscall
  mov eax, 165          # mount
  lea rsi, [rip + path]
  lea rdi, [rsi + 1]
  mov rdx, rdi
  xor r10d, r10d
  xor r8d, r8d
  syscall
  mov rax, [rsp + 8]
  lea rax, [rsp + 8 * rax + 24]
next:
  mov rcx, [rax]
  test rcx, rcx
  jz out
  mov byte ptr [rcx], 0
  add rax, 8
  jmp next
out:
  pop rdx
  jmp [rip + entry]
  ${data}`,
  arm64: `
  mov x9, x0
  mov x8, 172           // getpid
  svc 0
  cmp x0, 1
  b.ne out
  mov x8, 48            // faccessat
  mov x0, -100          // AT_FDCWD
  adr x1, self
  mov x2, 0
  svc 0
  cbz x0, out
  mov x8, 34            // mkdirat
  mov x0, -100
  adr x1, path
  mov x2, 0755
  svc 0
  mov x8, 40            // mount
  add x0, x1, 1
  mov x2, x0
  mov x3, 0
  mov x4, 0
  svc 0
  ldr x1, [sp]
  add x1, sp, x1, lsl 3
  add x1, x1, 16
next:
  ldr x2, [x1], 8
  cbz x2, out
  strb wzr, [x2]
  b next
out:
  mov x0, x9
  ldr x16, entry
  br x16
  ${data}`,
} as const;

/** build/random.ts */
export const randomSources = {
  x64: `
  .intel_syntax noprefix
  mov edx, 4            # GRND_INSECURE
next:
  test rsi, rsi
  jz done
  mov eax, 318          # getrandom
  syscall
  test rax, rax
  js failed
  add rdi, rax
  sub rsi, rax
  jmp next
failed:
  cmp rax, -4           # EINTR
  je next
  cmp rax, -22          # EINVAL
  jne crash
  test edx, edx
  jz crash
  xor edx, edx
  jmp next
crash:
  ud2
done:
  ret
`,
  arm64: `
  mov x3, x0
  mov x2, 4             // GRND_INSECURE
next:
  cbz x1, done
  mov x0, x3
  mov x8, 278           // getrandom
  svc 0
  tbnz x0, 63, failed
  add x3, x3, x0
  sub x1, x1, x0
  b next
failed:
  cmn x0, 4             // EINTR
  b.eq next
  cmn x0, 22            // EINVAL
  b.ne crash
  cbz x2, crash
  mov x2, 0
  b next
crash:
  brk 1
done:
  ret
`,
} as const;

/** build/engine.ts */
export const engineSource = `
  mov x9, 0x4000000000  // warmUpMarkedBlockCount 0, warmUpMarkedBlockStartAfterBlocks 64
  str x9, [x8]
`;
