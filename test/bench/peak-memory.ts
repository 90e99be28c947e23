/** The most memory that the process of a load ever had, by kind. */
import type { Guest } from "../vm/lib/guest.ts";
import type { Scene } from "./scene.ts";
import { type ProgramName, partSize } from "./works.ts";

/** Bytes. */
export interface PeakMemory {
  readonly program: ProgramName;
  /** MiB of all archives together. */
  readonly archives: number;
  /** Heaps, stacks and what was written in private mappings. */
  readonly anonymous: number;
  /** All of it resident: pages of files, which are shared and can be dropped, included. */
  readonly resident: number;
}

/** Archives in two sizes, each as two that must be joined: what grows with them, shows. */
export async function measurePeakMemory(
  scene: Scene,
  sizes: readonly number[],
  report: (line: string) => void,
): Promise<PeakMemory[]> {
  report("peak memory: booting");
  await using guest = await scene.start({ memory: 6144, icount: false });
  const results: PeakMemory[] = [];
  for (const size of sizes) {
    // In multiples of a part: 50 is rounded up to 60
    const count = Math.ceil(size / partSize);
    const halves = [Math.floor(count / 2), Math.ceil(count / 2)];
    for (const [index, half] of halves.entries()) {
      const parts = Array.from({ length: half }, () => "/boot/part-1.img").join(" ");
      await guest.check(`cat ${parts} >/boot/half-${index}.img`, { timeout: 120 });
    }
    const archives = count * partSize;
    const joined = "/boot/half-0.img --initrd /boot/half-1.img";
    const load = `aegis-kexec load /boot/vmlinuz --initrd ${joined} --cmdline x`;
    results.push({ program: "aegis-kexec", archives, ...(await peakOf(guest, load)) });
    const together = `cat /boot/half-0.img /boot/half-1.img >/run/joined.img`;
    await guest.check(`kexec -s -u; ${together}`, { timeout: 120 });
    const today = "kexec -s -l /boot/vmlinuz --initrd=/run/joined.img --command-line=x";
    results.push({ program: "kexec-tools", archives, ...(await peakOf(guest, today)) });
    await guest.check("kexec -s -u; rm /run/joined.img /boot/half-*.img");
    report(`  ${archives} MiB: done`);
  }
  return results;
}

const counters = ["MM_ANONPAGES", "MM_FILEPAGES", "MM_SHMEMPAGES"] as const;

/**
 * From the kernel's own accounting, at every change (include/trace/events/kmem.h, rss_stat): no
 * sample can miss the peak.
 */
async function peakOf(
  guest: Guest,
  command: string,
): Promise<Pick<PeakMemory, "anonymous" | "resident">> {
  const trace = await guest.check(
    [
      "cd /sys/kernel/tracing",
      "echo 0 >tracing_on; echo >trace; echo 20000 >buffer_size_kb",
      "echo 'curr == 1' >events/kmem/rss_stat/filter",
      "echo 1 >options/event-fork",
      "echo 1 >events/kmem/rss_stat/enable",
      // The process becomes the program, so that its number is known before
      `sh -c 'echo $$ >set_event_pid; echo 1 >tracing_on; exec ${command} >/dev/null' || exit 1`,
      "echo 0 >tracing_on; echo 0 >events/kmem/rss_stat/enable; echo >set_event_pid",
      "grep -q -v '^#' trace || exit 1",
      "sed -n 's/.*mm_id=\\([0-9]*\\) .*type=\\([A-Z_]*\\) size=\\([0-9]*\\)B/\\1 \\2 \\3/p' trace",
    ].join("\n"),
    { timeout: 600 },
  );
  const now = new Map<string, number>();
  let anonymous = 0;
  let resident = 0;
  for (const line of trace.split("\n")) {
    const [mm, kind, size] = line.split(" ");
    if (size === undefined) continue;
    now.set(`${mm} ${kind}`, Number(size));
    const sizes = counters.map((counter) => now.get(`${mm} ${counter}`) ?? 0);
    anonymous = Math.max(anonymous, sizes[0] ?? 0);
    resident = Math.max(
      resident,
      sizes.reduce((sum, one) => sum + one, 0),
    );
  }
  if (resident === 0) throw new Error(`no memory was traced of: ${command}`);
  return { anonymous, resident };
}
