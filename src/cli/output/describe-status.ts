/** The status in words, each fact with what it means for the next command. */
import { noFileLoad } from "../../diagnosis/kernel-state.ts";
import type { Sufferer } from "../../handoff/leave/sufferers.ts";
import type { PolicyStatus, Status } from "../../handoff/status.ts";
import { keyMemory } from "../../machine/crash.ts";
import type { BankValues } from "../../machine/tpm-facts.ts";
import { machineRows, platformRows, type Row, type TextOf } from "./describe-machine.ts";
import { columns } from "./layout.ts";
import { formatBytes } from "./progress.ts";

type Section = readonly [title: string, rows: readonly Row[]];

/** Keys of a keyring that are named; distributions' revocation lists have hundreds. */
const mostKeys = 8;

export function describeStatus(status: Status): string[] {
  const told = new Set<string>();
  /** A reason is told once. */
  const textOf: TextOf = (member, value, words) => {
    if (value !== null) return words(value);
    const why = status.unknown[member] ?? "not read";
    if (told.has(why)) return "unknown (likewise)";
    told.add(why);
    return `unknown (${why})`;
  };
  const sections: readonly Section[] = [
    ["Loaded", loadedRows(status, textOf)],
    ["Allowed", allowedRows(status, textOf)],
    ["Signatures", signatureRows(status, textOf)],
    ["Policy", policyRows(status.policy)],
    ["TPM", tpmRows(status, textOf)],
    ["Machine", [...machineRows(status, textOf), ...platformRows(status.platforms)]],
  ];
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([label]) => label.length)));
  return sections.flatMap(([title, rows], index) => [
    ...(index === 0 ? [] : [""]),
    title,
    ...columns(rows, width),
  ]);
}

function loadedRows({ kexec, crash }: Status, textOf: TextOf): Row[] {
  const updates = (updated: boolean) =>
    updated ? "the kernel tells a crash kernel itself" : "load the crash kernel again afterwards";
  return [
    [
      "kernel",
      textOf("kexec.loaded", kexec.loaded, (loaded) =>
        loaded ? "yes: exec hands over to it" : "no: exec has nothing to hand over to",
      ),
    ],
    [
      "crash kernel",
      textOf("kexec.crashLoaded", kexec.crashLoaded, (loaded) =>
        loaded ? "yes: a panic starts it" : "no",
      ),
    ],
    [
      "crash memory",
      textOf("kexec.crashSize", kexec.crashSize, (size) =>
        size === 0 ? "none reserved: load --crash needs crashkernel=" : formatBytes(size),
      ),
    ],
    ["new processors", textOf("crash.updatesProcessors", crash.updatesProcessors, updates)],
    ["new memory", textOf("crash.updatesMemory", crash.updatesMemory, updates)],
    [
      "disk keys",
      textOf("crash.keys", crash.keys, (keys) =>
        keys === 0
          ? "none for a crash kernel"
          : `${keys} for the next crash kernel, in ${formatBytes(keyMemory(keys))} of its memory${crash.keysReused === true ? "; those of the last load" : ""}`,
      ),
    ],
  ];
}

function allowedRows({ kexec, privilege }: Status, textOf: TextOf): Row[] {
  return [
    [
      "system call",
      textOf("kexec.fileLoad", kexec.fileLoad, (built) =>
        built ? "kexec_file_load(2) is built in" : noFileLoad.why,
      ),
    ],
    [
      "loading",
      textOf("kexec.disabled", kexec.disabled, (disabled) =>
        disabled
          ? "no: kernel.kexec_load_disabled is 1 until the next boot"
          : "yes: kernel.kexec_load_disabled is 0",
      ),
    ],
    ["loads left", textOf("kexec.loadLimitReboot", kexec.loadLimitReboot, loadsLeft)],
    ["crash loads left", textOf("kexec.loadLimitPanic", kexec.loadLimitPanic, loadsLeft)],
    [
      "CAP_SYS_BOOT",
      textOf("privilege.capSysBoot", privilege.capSysBoot, (held) =>
        held ? "held" : "not held: loading and handing over need root",
      ),
    ],
    [
      "user namespace",
      textOf("privilege.initialUserNamespace", privilege.initialUserNamespace, (initial) =>
        initial ? "the initial one" : "not the initial one: the kernel refuses to load from here",
      ),
    ],
    [
      "pid namespace",
      textOf("privilege.initialPidNamespace", privilege.initialPidNamespace, (initial) =>
        initial
          ? "the initial one"
          : "not the initial one: the kernel refuses to hand over from here",
      ),
    ],
    ["container", textOf("privilege.container", privilege.container, (name) => name)],
  ];
}

function signatureRows(status: Status, textOf: TextOf): Row[] {
  const { signatures, keyrings } = status;
  const keys = (name: "builtin" | "secondary" | "machine" | "platform", label: string): Row => [
    label,
    textOf(`keyrings.${name}`, keyrings[name], keyList),
  ];
  return [
    [
      "lockdown",
      textOf("lockdown", status.lockdown, (level) =>
        level === "none"
          ? "none: the kernel asks no signature because of it"
          : `${level}: only kernels whose signature the kernel trusts`,
      ),
    ],
    [
      "checked",
      textOf("signatures.checked", signatures.checked, (checked) =>
        checked ? "yes, by the keyrings below" : "no: this kernel has no CONFIG_KEXEC_SIG",
      ),
    ],
    [
      "enforced",
      textOf("signatures.enforced", signatures.enforced, (enforced) =>
        enforced ? "yes: an image without a good one is refused" : "no, but for lockdown",
      ),
    ],
    [
      "IMA appraisal",
      textOf("signatures.imaAppraisal", signatures.imaAppraisal, (on) =>
        on ? "of kernels: they need security.ima" : "not of kernels",
      ),
    ],
    ["Secure Boot", textOf("secureBoot", status.secureBoot, (on) => (on ? "on" : "off"))],
    [
      "Setup Mode",
      textOf("setupMode", status.setupMode, (on) => (on ? "on: anyone may enrol keys" : "off")),
    ],
    keys("builtin", "built-in keys"),
    keys("secondary", "secondary keys"),
    keys("machine", "machine keys"),
    keys("platform", "platform keys"),
    [
      "revoked",
      textOf("keyrings.blacklist", keyrings.blacklist, ({ certificates, hashes }) => {
        const named = certificates.length === 0 ? "no certificate" : keyList(certificates);
        return `${named}; ${hashes.tbs} hashes of certificates, ${hashes.bin} of files`;
      }),
    ],
  ];
}

function keyList(keys: readonly { readonly subject: string; readonly id: string }[]): string {
  if (keys.length === 0) return "none";
  const named = keys.slice(0, mostKeys).map(({ subject, id }) => `${subject} (${id.slice(-8)})`);
  const more = keys.length - named.length;
  return `${named.join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
}

function policyRows(policy: PolicyStatus | null): Row[] {
  if (policy === null) return [["in force", "none: nothing has to be signed by its owner"]];
  if (policy.broken) return [["in force", `broken, nothing is loaded: ${policy.why}`]];
  const { path, trust, threshold, minGeneration, allowAppend, allowSecret } = policy;
  return [
    ["in force", path],
    ["trusted keys", trust.join(", ")],
    ...(threshold > 1 ? [["signatures needed", String(threshold)] as const] : []),
    ["lowest generation", minGeneration === null ? "any" : String(minGeneration)],
    ["words to append", allowAppend.length === 0 ? "none" : allowAppend.join(" ")],
    ["places of secrets", allowSecret.length === 0 ? "none" : allowSecret.join(", ")],
  ];
}

/** Which one, its banks, and what the PCR holds that the policy names, or those that an operating system extends. */
function tpmRows({ tpm, policy }: Status, textOf: TextOf): Row[] {
  if (tpm === null) return [["device", "none: --measure has no effect"]];
  const { device, version, vendor, banks } = tpm;
  const named = policy?.broken === false ? policy.measure?.pcr : undefined;
  const shown = ({ pcrs }: BankValues) =>
    Object.entries(pcrs).filter(([pcr, value]) =>
      named === undefined ? Number(pcr) >= 8 && !/^(0*|f*)$/.test(value) : Number(pcr) === named,
    );
  return [
    ["device", device],
    ["version", textOf("tpm.version", version, (text) => text)],
    ["made by", textOf("tpm.vendor", vendor, (text) => text)],
    [
      "banks",
      textOf("tpm.banks", banks, (all) => all.map(({ bank }) => bank).join(", ") || "none"),
    ],
    ...(banks ?? []).flatMap((one) =>
      shown(one).map(([pcr, value]): Row => [`PCR ${pcr} ${one.bank}`, value]),
    ),
  ];
}

function loadsLeft(limit: number): string {
  if (limit < 0) return "unlimited until reboot";
  if (limit === 0) return "0: nothing more can be loaded until reboot";
  return `${limit} until reboot; failed loads count too`;
}

/** A section that follows those of the status. */
export function describeSufferers(found: readonly Sufferer[]): string[] {
  const rows = found.map(
    ({ address, driver, why, option, source }) =>
      [address, `${driver}: ${why}; if it does, try ${option} (${source})`] as const,
  );
  return [
    "",
    "Known to suffer from a handover",
    ...columns(rows.length === 0 ? [["none", "of the PCI devices of this machine"]] : rows),
  ];
}
