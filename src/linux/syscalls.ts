import type { Architecture } from "../architecture.ts";

/**
 * Syscall numbers, `[x86_64, aarch64]`. Sources: arch/x86/entry/syscalls/syscall_64.tbl and
 * include/uapi/asm-generic/unistd.h (arm64 uses the generic table).
 */
const numbers = {
  read: [0, 63],
  write: [1, 64],
  close: [3, 57],
  lseek: [8, 62],
  mmap: [9, 222],
  munmap: [11, 215],
  rt_sigaction: [13, 134],
  ioctl: [16, 29],
  pread64: [17, 67],
  pwrite64: [18, 68],
  madvise: [28, 233],
  sendfile: [40, 71],
  uname: [63, 160],
  socket: [41, 198],
  connect: [42, 203],
  recvfrom: [45, 207],
  bind: [49, 200],
  getsockopt: [55, 209],
  fcntl: [72, 25],
  flock: [73, 32],
  fsync: [74, 82],
  ftruncate: [77, 46],
  geteuid: [107, 175],
  fadvise64: [221, 223],
  keyctl: [250, 219],
  capget: [125, 90],
  mlock: [149, 228],
  prctl: [157, 167],
  setrlimit: [160, 164],
  sync: [162, 81],
  mount: [165, 40],
  reboot: [169, 142],
  fstatfs: [138, 44],
  getdents64: [217, 61],
  openat: [257, 56],
  mkdirat: [258, 34],
  unlinkat: [263, 35],
  readlinkat: [267, 78],
  faccessat: [269, 48],
  ppoll: [271, 73],
  syncfs: [306, 267],
  renameat2: [316, 276],
  finit_module: [313, 273],
  memfd_create: [319, 279],
  kexec_file_load: [320, 294],
  statx: [332, 291],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  openat2: [437, 437],
} as const satisfies Record<string, readonly [x86_64: number, aarch64: number]>;

export type SyscallName = keyof typeof numbers;

/** The number of a syscall on one architecture. */
export function syscallNumber(name: SyscallName, architecture: Architecture): number {
  const [x86, arm] = numbers[name];
  return architecture === "x86_64" ? x86 : arm;
}
