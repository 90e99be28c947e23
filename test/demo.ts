/**
 * Shows a handover: a throwaway machine boots, aegis-kexec runs in it, and the next kernel speaks.
 * test/setup.ts has installed what was missing; nothing of this machine is touched otherwise.
 */
import { initrd, scene, unique, vmlinuz } from "./vm/lib/aegis.ts";
import { text } from "./vm/lib/initramfs.ts";

/** What of a booting kernel's log is worth a line here. */
const worthShowing =
  /Linux version|Kernel command line|Unpacking initramfs|Freeing initrd|Run \/init/;
const start = performance.now();

function say(line: string): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  console.log(`${seconds} s  ${line}`);
}

/** Prints whole lines of a console as they come. */
function printer(prefix: string, wanted: RegExp) {
  let rest = "";
  return (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const words = line.replace(/^\[\s*[\d.]+\]\s*/, "").trim();
      if (wanted.test(words)) say(`${prefix} ${words.slice(0, 110)}`);
    }
  };
}

async function demo(): Promise<void> {
  say("building aegis-kexec");
  const mark = unique();
  const print = { first: printer("first kernel │", worthShowing), next: printer("", /^$/) };
  let phase: "first" | "next" = "first";
  const made = scene({
    first: "debian-6.12",
    nextEntries: [text("/etc/mark", `${mark}\n`)],
    guest: { onConsole: (words) => print[phase](words) },
  });

  say("booting a throwaway machine (QEMU, software emulation)");
  await using guest = await made.start();
  const first = await guest.check("cat /proc/sys/kernel/random/boot_id");
  say(`the machine is up: Linux ${guest.announcement.release}`);

  const cmdline = `no_timer_check console=ttyS0 panic=-1 ${mark}`;
  const command = `aegis-kexec boot ${vmlinuz} --initrd ${initrd} --cmdline "${cmdline}" --verbose`;
  say(`# ${command}`);
  const ours = /^aegis-kexec:|^(kernel|version|initrd|cmdline|took) +\S|^handing over/;
  print.next = printer("│", new RegExp(`${ours.source}|${worthShowing.source}`));
  phase = "next";
  const begun = performance.now();
  const up = await guest.handoff(`${command} >/dev/console 2>&1`);
  const took = ((performance.now() - begun) / 1000).toFixed(1);

  const second = await guest.check("cat /proc/sys/kernel/random/boot_id");
  const found = await guest.check("cat /etc/mark");
  const problems = [
    up.token === made.token ? undefined : "another init answered",
    up.cmdline === cmdline ? undefined : `the command line is ${up.cmdline}`,
    found.trim() === mark ? undefined : "the initramfs is another one",
    first === second ? "it is the same boot" : undefined,
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw new Error(`the handover went wrong: ${problems.join("; ")}`);

  say(`the next kernel is up: Linux ${up.release}, ${took} s after the command`);
  say(`  its command line: ${up.cmdline}`);
  say(`  its init found ${mark} in the initramfs that was handed over`);
  say(`  boot id before ${first.trim()}`);
  say(`  boot id after  ${second.trim()}`);
  console.log("\nIt worked: one kernel handed this machine over to the next, without firmware.");
}

try {
  await demo();
  process.exit(0);
} catch (error) {
  console.error(`\ndemo: ${error}`);
  process.exit(1);
}
