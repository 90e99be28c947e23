import { loadAndReport } from "../../handoff/load.ts";
import { parseRsdpWanted } from "../../handoff/option-values.ts";
import type { LoadRequest } from "../../handoff/request.ts";
import type { ArgumentsOf } from "../arguments/arguments.ts";
import { defineCommand } from "../arguments/define.ts";
import { options, positionals } from "../arguments/options.ts";
import { quoted, usageError } from "../arguments/parse.ts";
import { describeLoad } from "../output/describe.ts";
import { limitWrites } from "../output/streams.ts";

/** What to load, and what must hold of it. */
export const sourceArguments = {
  source: positionals.sources,
  entry: options.entry,
  wait: options.wait,
  "no-modules": options["no-modules"],
  ca: options.ca,
  "client-cert": options["client-cert"],
  "client-key": options["client-key"],
  profile: options.profile,
  initrd: options.initrd,
  cmdline: options.cmdline,
  "reuse-cmdline": options["reuse-cmdline"],
  append: options.append,
  secret: options.secret,
  trust: options.trust,
  signature: options.signature,
  threshold: options.threshold,
  "min-generation": options["min-generation"],
  policy: options.policy,
  "acpi-rsdp": options["acpi-rsdp"],
};

/** Who is told how far the work is. */
export const progressArguments = {
  progress: options.progress,
  "progress-fd": options["progress-fd"],
};

/** The arguments from which a load request is made. */
export const loadArguments = {
  ...sourceArguments,
  ...progressArguments,
  luks: options.luks,
  menu: options.menu,
  timeout: options.timeout,
  lock: options.lock,
  measure: options.measure,
  "measure-log": options["measure-log"],
  "dry-run": options["dry-run"],
  log: options.log,
};

export function loadRequest(given: ArgumentsOf<typeof loadArguments>): LoadRequest {
  const measure = given.text("measure");
  return {
    ...sourceRequest(given),
    luks: [...given.list("luks")],
    lock: given.flag("lock"),
    measure: measure === undefined ? undefined : Number(measure),
    measureLog: given.text("measure-log"),
    dryRun: given.flag("dry-run"),
    log: given.text("log"),
  };
}

/** As `loadRequest`, with what somebody chooses where a menu is wanted. @throws KexecError */
export function chosenRequest(
  given: ArgumentsOf<typeof loadArguments>,
): LoadRequest | Promise<LoadRequest> {
  const request = loadRequest(given);
  const timeout = given.text("timeout");
  if (!given.flag("menu")) {
    if (timeout === undefined) return request;
    throw usageError(undefined, "--timeout is for --menu", "add --menu, or leave --timeout out");
  }
  return import("../menu.ts").then(({ withChosenEntry }) =>
    withChosenEntry(request, timeout === undefined ? undefined : Number(timeout)),
  );
}

export function sourceRequest(given: ArgumentsOf<typeof sourceArguments>): LoadRequest {
  const minGeneration = given.text("min-generation");
  const threshold = given.text("threshold");
  const profile = given.text("profile");
  const wait = given.text("wait");
  return {
    kernel: [...given.positionals("source")],
    entry: given.text("entry"),
    wait: wait === undefined ? undefined : Number(wait),
    ca: given.text("ca"),
    clientCert: given.text("client-cert"),
    clientKey: given.text("client-key"),
    profile: profile === undefined ? undefined : Number(profile),
    initrd: [...given.list("initrd")],
    cmdline: given.text("cmdline"),
    reuseCmdline: given.flag("reuse-cmdline"),
    append: given.text("append"),
    secrets: [...given.list("secret")],
    trust: [...given.list("trust")],
    signature: [...given.list("signature")],
    threshold: threshold === undefined ? undefined : Number(threshold),
    minGeneration: minGeneration === undefined ? undefined : Number(minGeneration),
    policy: given.text("policy"),
    acpiRsdp: acpiRsdp(given.text("acpi-rsdp")),
  };
}

/** @throws KexecError `usage` */
function acpiRsdp(value: string | undefined): string | undefined {
  if (value === undefined || parseRsdpWanted(value) !== undefined) return value;
  throw usageError(
    undefined,
    `--acpi-rsdp takes auto or an address, not "${quoted(value)}"`,
    "write an address in hexadecimal: 0x7fe14014",
  );
}

const args = { ...loadArguments, crash: options.crash, "check-image": options["check-image"] };

export const load = defineCommand({
  meta: {
    name: "load",
    description: "verify, assemble and load a kernel, and stop before the handover",
    notes: [
      "A load replaces the kernel that was loaded before. A load that fails leaves it loaded.",
    ],
    examples: [
      [
        'aegis-kexec load /boot/vmlinuz --initrd /boot/initrd.img --cmdline "root=/dev/vda1 quiet"',
        "load; aegis-kexec exec then hands over",
      ],
      [
        "aegis-kexec load vmlinuz --initrd initrd.img --reuse-cmdline --append single",
        "the running kernel's command line, and one word more",
      ],
      [
        "aegis-kexec load boot.json --trust org.pub --secret -:/etc/cryptsetup-keys.d/root.key",
        "only what the organisation signed, and a key from standard input",
      ],
      ["aegis-kexec load vmlinuz --dry-run --json", "check the files; load nothing"],
    ],
  },
  args,
  run: async (given, output) => {
    limitWrites();
    await output.tellProgress(given.text("progress"), given.text("progress-fd"));
    const { verbose } = output.settings;
    const request = {
      ...(await chosenRequest(given)),
      crash: given.flag("crash"),
      debug: verbose,
      ...(given.flag("check-image") ? { checkImage: true } : {}),
    };
    await loadAndReport(request, output.observer, (report) => output.result(report, describeLoad));
  },
});
