/** Writing a word to a file of /sys or /proc. */
import { close, O_WRONLY, open, writeAll } from "./descriptor.ts";

/** Writes `text` by one write(2), as a driver's attribute wants it. Returns 0, or -errno. */
export function writeWord(path: string, text: string): number {
  const fd = open(path, O_WRONLY);
  if (fd < 0) return fd;
  try {
    return writeAll(fd, new TextEncoder().encode(text));
  } finally {
    close(fd);
  }
}
