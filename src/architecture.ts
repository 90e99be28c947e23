/** The architectures that the program runs on, by the kernel's own names (`uname -m`). */
export type Architecture = "x86_64" | "aarch64";
