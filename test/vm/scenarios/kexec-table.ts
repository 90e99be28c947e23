/**
 * Command lines that kexec-tools and this program as `kexec` are both given. Where they do not do
 * the same, the row says what each does and why; a difference that is not listed, and one that is
 * listed and not there, fail the test.
 */

/** What a command line did. */
export interface Outcome {
  readonly exit: number;
  /** /sys/kernel/kexec_loaded afterwards. */
  readonly loaded: boolean;
  /** /sys/kernel/kexec_crash_loaded afterwards. */
  readonly crashLoaded: boolean;
  /** What shutdown was called with, if it was. */
  readonly shutdown: string;
}

export interface Row {
  /** In the guest: $K a kernel, $I its initramfs, both of which load. */
  readonly line: string;
  /** What is loaded before; default nothing. */
  readonly before?: "reboot" | "crash" | "both";
  /** Text that both must print. */
  readonly says?: string;
  readonly differs?: Difference;
  /** What is otherwise with kexec-tools 2.0.32: its difference, or none; it may not say what the row has. */
  readonly newest?: { readonly differs?: Difference; readonly silent?: true };
}

export interface Difference {
  readonly theirs: Partial<Outcome>;
  readonly ours: Partial<Outcome>;
  readonly because: string;
}

const neverKexecLoad =
  "kexec-tools loads by kexec_load(2), which nothing verifies; here that is refused";
const notIgnored = "kexec-tools ignores the word; here what is not understood is refused";
const beforeTheCall =
  "without -s kexec-tools reads the file itself and dies with 1; here it is as with -s";
const refusedEarly =
  "kexec-tools -s takes the kernel's refusal as a missing system call (253); here the image is refused before the call";

const noDebugFlag =
  "KEXEC_FILE_DEBUG is a flag that Linux before 6.7 refuses; here it is left out there";
const stillUnloads = "the first -u stays in force in kexec-tools";
const readFirst = "kexec-tools reads the file itself and dies with 1; here it is a failed load";
const typeIgnored = "kexec-tools ignores --type with its default -a; here a wrong one is refused";
const copied =
  "kexec-tools 2.0.32 gives the kernel a copy, which nobody writes to; here a file that is being written is refused";
const dtbIgnored =
  "kexec-tools on x86 says that it does not know it, and loads; here that is refused";

const loaded = { exit: 0, loaded: true } as const;
const refused = { exit: 1, loaded: false } as const;

export const rows: readonly Row[] = [
  // loading
  { line: "kexec -l $K" },
  { line: "kexec -s -l $K --initrd=$I --append=x" },
  { line: "kexec -l $K --initrd=$I --append=x" },
  { line: "kexec -a -l $K --command-line=x --ramdisk=$I" },
  { line: "kexec --load --kexec-file-syscall $K" },
  { line: "kexec --kexec-syscall-auto --load $K --init $I" },
  { line: "kexec -ls $K" },
  { line: "kexec $K -s -l --reuse-cmdline --append more" },
  { line: "kexec -s -l -- $K" },
  { line: "kexec -s -c -s -l $K" },
  {
    line: "kexec -s -d -i -x -y -l $K",
    newest: {
      differs: { theirs: { exit: 253, loaded: false }, ours: loaded, because: noDebugFlag },
    },
  },
  { line: "kexec -s -l $K --append=" },
  { line: "kexec -s -l $K --initrd=/missing --initrd=$I" },
  { line: "kexec -t bzImage64 -l $K" },
  { line: "kexec -tbzImage -l $K" },
  { line: "kexec -f -l -s $K" },
  { line: "kexec -s -l $K", before: "both" },
  // a crash kernel
  { line: "kexec -s -p $K --initrd=$I --append=x" },
  { line: "kexec -p $K --initrd=$I --append=x" },
  { line: "kexec --load-panic -s $K --reuse-cmdline" },
  { line: "kexec -s -l -p $K" },
  { line: "kexec -s -f -p $K" },
  { line: "kexec -s -p $K --elf64-core-headers --args-linux" },
  // unloading
  { line: "kexec -u" },
  { line: "kexec -u", before: "both" },
  { line: "kexec -s -u", before: "reboot" },
  { line: "kexec --unload --kexec-file-syscall", before: "reboot" },
  { line: "kexec -p -u", before: "both" },
  { line: "kexec -s -p -u", before: "crash" },
  {
    line: "kexec -u -l $K",
    before: "reboot",
    newest: {
      differs: { theirs: { exit: 0, loaded: false }, ours: loaded, because: stillUnloads },
    },
  },
  {
    line: "kexec -s -u -l $K",
    before: "reboot",
    differs: {
      theirs: { exit: 0, loaded: false },
      ours: loaded,
      because: "kexec-tools -s unloads twice: its flag for unloading stays set for the load",
    },
  },
  { line: "kexec -s -l -u", before: "reboot" },
  { line: "kexec -s -u -p", before: "crash" },
  // what is loaded
  { line: "kexec -S" },
  { line: "kexec -S", before: "reboot" },
  { line: "kexec --status", before: "crash" },
  { line: "kexec -lS" },
  { line: "kexec -l -S", before: "reboot" },
  { line: "kexec -S -l $K", before: "crash" },
  { line: "kexec -p -l -S", before: "reboot" },
  { line: "kexec --print-ckr-size" },
  // help
  { line: "kexec -v", says: "kexec-tools 2.0.25", newest: { silent: true } },
  { line: "kexec --version --foo" },
  { line: "kexec --help", says: "Usage: kexec [OPTION]... " },
  { line: "kexec '-?'" },
  // the way through the init system
  { line: "kexec -s $K --append=x" },
  { line: "kexec -s" },
  { line: "kexec -e -f", says: "No kernel specified" },
  { line: "kexec -e -f", says: "No kernel specified", before: "reboot" },
  { line: "kexec -s -p $K --initrd=$I --reset-vga --append=x" },
  {
    line: "kexec -s /boot/missing",
    newest: { differs: { theirs: { exit: 1 }, ours: { exit: 255 }, because: readFirst } },
  },
  // handing over to nothing
  { line: "kexec -e", says: "Nothing has been loaded!" },
  { line: "kexec --exec --no-sync", before: "crash" },
  { line: "kexec -u -e", before: "reboot" },
  { line: "kexec -p -e" },
  // wrong options
  { line: "kexec --foo -l $K", says: "unrecognized option '--foo'" },
  { line: "kexec --foo=bar -l $K", says: "unrecognized option '--foo=bar'" },
  { line: "kexec -z -l $K", says: "invalid option -- 'z'" },
  { line: "kexec -lt", says: "option requires an argument -- 't'" },
  { line: "kexec -l $K --append", says: "option '--append' requires an argument" },
  { line: "kexec --load=1 $K", says: "option '--load' doesn't allow an argument" },
  {
    line: "kexec --load- $K",
    says: "option '--load-' is ambiguous; possibilities: '--load-preserve-context' '--load-jump-back-helper' '--load-live-update' '--load-panic'",
  },
  {
    line: "kexec -l $K --re",
    says: "option '--re' is ambiguous; possibilities: '--reuseinitrd' '--reset-vga' '--reuse-video-type' '--reuse-cmdline' '--real-mode'",
  },
  {
    line: "kexec -s -l $K --dtb=x",
    newest: { differs: { theirs: loaded, ours: refused, because: dtbIgnored } },
  },
  { line: "kexec -u --append=x", before: "reboot" },
  { line: "kexec -e --initrd=$I", before: "reboot" },
  { line: "kexec -S --reuse-cmdline" },
  { line: "kexec -l $K --reuseinitrd" },
  { line: "kexec -l $K --exec-live-update" },
  { line: "kexec --load-preserve-context $K" },
  {
    line: "kexec -t nonsense -l $K",
    newest: {
      differs: { theirs: loaded, ours: { exit: 255, loaded: false }, because: typeIgnored },
    },
  },
  {
    line: "kexec -t elf-x86_64 -l $K",
    newest: {
      differs: { theirs: loaded, ours: { exit: 255, loaded: false }, because: typeIgnored },
    },
  },
  // files that cannot be loaded; what was loaded stays
  {
    line: "kexec -s -l /boot/missing",
    says: "No such file or directory",
    before: "reboot",
    newest: { differs: { theirs: { exit: 1 }, ours: { exit: 255 }, because: readFirst } },
  },
  {
    line: "kexec -s -l $K --initrd= --append=x",
    differs: {
      theirs: { exit: 255 },
      ours: { exit: 1 },
      because: "an empty name is a mistake of the command line, and not looked for",
    },
  },
  { line: "kexec -s -l $K --initrd=/missing", says: "No such file or directory" },
  {
    line: "kexec -s -l /boot/notes.txt",
    before: "reboot",
    newest: {
      differs: {
        theirs: { exit: 139 },
        ours: { exit: 255 },
        because: "kexec-tools 2.0.32 looks for a PE header in any file, and dies of SIGSEGV",
      },
    },
  },
  {
    line: "kexec -s -l /boot/busy 9>>/boot/busy",
    says: "failed: Text file busy",
    newest: {
      silent: true,
      differs: { theirs: loaded, ours: { exit: 255, loaded: false }, because: copied },
    },
  },
  { line: "kexec -s -l $K --initrd=/boot/busy 9>>/boot/busy", says: "failed: Text file busy" },
  // without the right to
  {
    line: 'su nobody -s /bin/sh -c "$(command -v kexec) -s -l $K"',
    says: "kexec_file_load failed: Operation not permitted",
  },
  {
    line: 'su nobody -s /bin/sh -c "$(command -v kexec) -s -u"',
    says: "kexec_file_load(unload) failed: Operation not permitted",
    before: "reboot",
  },
  { line: 'su nobody -s /bin/sh -c "$(command -v kexec) -S"', before: "crash" },
  {
    line: 'su nobody -s /bin/sh -c "$(command -v kexec) -e"',
    says: "kexec failed: Operation not permitted",
    before: "reboot",
  },
  // what kexec-tools and this program do not do alike
  {
    line: "kexec -c -l $K",
    differs: { theirs: loaded, ours: refused, because: neverKexecLoad },
  },
  {
    line: "kexec --kexec-syscall -u",
    before: "reboot",
    differs: {
      theirs: { exit: 0, loaded: false },
      ours: { exit: 1, loaded: true },
      because: neverKexecLoad,
    },
  },
  {
    line: "kexec --mem-min=0x1000000 -l $K",
    differs: { theirs: loaded, ours: refused, because: neverKexecLoad },
  },
  { line: "kexec -s -p $K --initrd=$I --console-vga --append=x" },
  {
    line: "kexec -s -l $K --console-serial",
    differs: {
      theirs: loaded,
      ours: refused,
      because: "kexec-tools ignores it with -s; here what has no effect is refused by name",
    },
  },
  {
    line: "kexec -s -l $K --append=root=/dev/sda quiet",
    differs: { theirs: loaded, ours: refused, because: notIgnored },
  },
  {
    line: "kexec -s -u $K",
    before: "reboot",
    differs: {
      theirs: { exit: 0, loaded: false },
      ours: { exit: 1, loaded: true },
      because: notIgnored,
    },
  },
  {
    line: "kexec -s -t nonsense -l $K",
    differs: {
      theirs: loaded,
      ours: { exit: 255, loaded: false },
      because: "kexec-tools ignores --type with -s; here a wrong one is refused",
    },
  },
  {
    line: "kexec -s -p $K -f",
    differs: {
      theirs: { exit: 1, crashLoaded: true },
      ours: { exit: 1, crashLoaded: false },
      because:
        "kexec-tools loads the crash kernel and then looks for another one to hand over to; here the contradiction is refused first",
    },
  },
  {
    line: "kexec -l /boot/missing",
    says: "No such file or directory",
    differs: { theirs: { exit: 1 }, ours: { exit: 255 }, because: beforeTheCall },
  },
  {
    line: "kexec -s -l /boot",
    differs: {
      theirs: { exit: 1 },
      ours: { exit: 255 },
      because: "kexec-tools dies reading a directory (1); here it is refused as a failed load",
    },
  },
  {
    line: "kexec -s -l /boot/truncated",
    differs: {
      theirs: loaded,
      ours: { exit: 255, loaded: false },
      because: "the kernel loads an image that is cut short, and it never boots",
    },
  },
  {
    line: "kexec -s -l $K --append=$(printf %3000s x | tr ' ' y)",
    differs: { theirs: { exit: 253 }, ours: { exit: 255 }, because: refusedEarly },
  },
  {
    line: "kexec -s -l $K --initrd=/boot/empty",
    differs: { theirs: { exit: 253 }, ours: { exit: 255 }, because: refusedEarly },
  },
];

/** After `kernel.kexec_load_disabled` was set, which lasts until the next boot. */
export const lockedRows: readonly Row[] = [
  { line: "kexec -s -l $K", says: "kexec_file_load failed: Operation not permitted" },
  { line: "kexec -s -u", says: "kexec_file_load(unload) failed: Operation not permitted" },
  { line: "kexec -a -l $K", says: "Operation not permitted" },
  { line: "kexec -l -S" },
];
