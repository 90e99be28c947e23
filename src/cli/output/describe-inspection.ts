/** An inspection in words: what it is, who signed it, what goes with it, whether it would load. */
import type {
  ArchiveReport,
  EntryReport,
  ImageReport,
  Inspection,
  IsoReport,
  Verdict,
} from "../../handoff/inspection/inspection.ts";
import { secretText } from "./describe.ts";
import { columns } from "./layout.ts";
import { formatBytes } from "./progress.ts";

type Row = readonly [label: string, text: string];
type Section = readonly [title: string, rows: readonly Row[]];

export function describeInspection(inspection: Inspection): string[] {
  const { source, entries, iso, image, kernel, initrds, secrets, cmdline, manifest, unknown } =
    inspection;
  const sections: Section[] = [
    ["Source", [["path", source.path], ["kind", source.kind], ...sizeRow(source.size)]],
  ];
  if (iso !== null) sections.push(["ISO image", isoRows(iso)]);
  if (entries !== null) sections.push(["Boot entries", entries.flatMap(entryRows)]);
  if (manifest !== null) sections.push(["Manifest", manifestRows(manifest)]);
  const trust = trustRows(inspection);
  if (trust.length > 0) sections.push(["Trust", trust]);
  if (image !== null) sections.push(["Image", imageRows(image, "image", source.path, unknown)]);
  if (kernel !== null) sections.push(["Kernel in it", imageRows(kernel, "kernel", "", unknown)]);
  const rest: Row[] = initrds.map((archive) => ["initrd", archiveText(archive)]);
  rest.push(...secrets.map((secret) => ["secret", secretText(secret)] as const));
  if (cmdline !== null) {
    rest.push(["cmdline", cmdline.text === "" ? "(empty)" : cmdline.text]);
    const bytes = cmdline.length === 1 ? "1 byte" : `${cmdline.length} bytes`;
    rest.push(["", `${bytes} of at most ${cmdline.longest}`]);
  }
  if (rest.length > 0) sections.push(["With it", rest]);
  sections.push(["Verdict", verdictRows(inspection.verdict)]);
  const after = afterwardsRows(inspection.next);
  if (after.length > 0) sections.push(["After the jump", after]);
  const width = Math.max(...sections.flatMap(([, rows]) => rows.map(([label]) => label.length)));
  return sections.flatMap(([title, rows], index) => [
    ...(index === 0 ? [] : [""]),
    title,
    ...columns(rows, width),
  ]);
}

function sizeRow(size: number): Row[] {
  return size === 0 ? [] : [["size", formatBytes(size)]];
}

function isoRows(iso: IsoReport): Row[] {
  const { type, uuid } = iso.heldBy;
  const known = uuid === null ? "" : `, UUID ${uuid}`;
  const facts: Row[] = [
    ["label", iso.label === "" ? "(none)" : iso.label],
    ...(iso.uuid === null ? [] : [["uuid", iso.uuid] as const]),
    ...(iso.application === null ? [] : [["made by", iso.application] as const]),
    ...(iso.created === null ? [] : [["made", iso.created] as const]),
    ["lies at", `${iso.heldAt} on ${type ?? "an unknown file system"}${known}`],
  ];
  if (iso.liveSystem === null) return [...facts, ["found by", `nothing: ${iso.why ?? "no entry"}`]];
  const words = iso.added.length === 0 ? "what its menu brings" : iso.added.join(" ");
  return [...facts, ["live system", `${iso.liveSystem}: ${iso.why}`], ["found by", words]];
}

function entryRows(entry: EntryReport): Row[] {
  const { id, chosen, title, version, triesLeft, problem } = entry;
  const name = [title, version].filter((text) => text !== null).join(" ");
  const tries =
    triesLeft === 0
      ? "bad: no tries left"
      : triesLeft && `${triesLeft} ${triesLeft === 1 ? "try" : "tries"} left`;
  const remarks = [tries, problem].filter((text) => text !== null).join("; ");
  const text = `${id}${name === "" ? "" : ` (${name})`}${remarks === "" ? "" : `: ${remarks}`}`;
  const { kernel, initrds, cmdline, from, why } = entry;
  const details = [
    `from ${from}`,
    kernel === null ? "" : `kernel ${kernel}`,
    initrds.length === 0 ? "" : `initrd ${initrds.join(" ")}`,
    cmdline === null || cmdline === "" ? "" : `cmdline ${cmdline}`,
    why === null ? "" : `the default: ${why}`,
  ];
  const rows = details.filter((detail) => detail !== "").map((detail): Row => ["", `  ${detail}`]);
  return [[chosen ? "this one" : "entry", text], ...rows];
}

function manifestRows(manifest: NonNullable<Inspection["manifest"]>): Row[] {
  return [
    ["generation", String(manifest.generation)],
    ["architecture", manifest.architecture],
    ...manifest.files.map(
      ({ path, size, problem }) =>
        [
          "covers",
          problem === null
            ? `${path} (${formatBytes(size)}): as it says`
            : `${path} (${formatBytes(size)}): ${problem}`,
        ] as const,
    ),
    ["cmdline", manifest.cmdline === "" ? "(empty)" : manifest.cmdline],
  ];
}

function trustRows({ trust, manifest }: Inspection): Row[] {
  const { required, policies, minGeneration, signed, keys } = trust;
  if (!required && manifest === null && signed === null) return [];
  const rows: Row[] = [
    ["signature", required ? "demanded" : "not demanded: anyone may have written this"],
  ];
  if (policies.length > 0) rows.push(["policy", policies.join(", ")]);
  if (minGeneration !== null) rows.push(["lowest generation", String(minGeneration)]);
  for (const { key, fingerprint, trustedComment } of signed?.signers ?? []) {
    const comment = trustedComment === null ? "" : `: ${trustedComment}`;
    rows.push(["signed by", `${key} (${fingerprint})${comment}`]);
  }
  for (const { key, fingerprint, rejected } of keys) {
    rows.push(["key", `${key} (${fingerprint}): ${rejected ?? "vouches for it"}`]);
  }
  return rows;
}

function imageRows(
  image: ImageReport,
  name: "image" | "kernel",
  shown: string,
  unknown: Inspection["unknown"],
): Row[] {
  const rows: Row[] = [["format", image.format]];
  if (image.path !== shown) rows.unshift(["path", image.path]);
  if (name === "kernel" || image.path !== shown) rows.push(...sizeRow(image.size));
  if (image.broken !== null) rows.push(["broken", image.broken]);
  for (const [fact, value] of Object.entries(image.facts)) {
    if (value !== null) rows.push([factNames.get(fact) ?? fact, factText(fact, value)]);
  }
  if (image.sections !== null) {
    const sizes = Object.entries(image.sections).map(
      ([section, size]) => `${section} ${formatBytes(size)}`,
    );
    rows.push(["sections", sizes.join(", ")]);
  }
  for (const [number, { id, title }] of (image.profiles ?? []).entries()) {
    const called = title === null || title === id ? "" : `: ${title}`;
    rows.push([`profile ${number}`, `${id ?? "(unnamed)"}${called}`]);
  }
  return [...rows, ...signatureRows(image, name, unknown)];
}

const factNames = new Map([
  ["protocol", "boot protocol"],
  ["entry64", "64-bit entry"],
  ["above4G", "above 4 GiB"],
  ["fiveLevel", "5-level paging"],
  ["cmdlineSize", "cmdline limit"],
  ["initSize", "memory to start"],
  ["cutShort", "cut short"],
  ["imageSize", "memory"],
  ["textOffset", "text offset"],
  ["bigEndian", "big-endian"],
  ["pageSize", "page size"],
  ["anyPlacement", "placed anywhere"],
  ["payloadOffset", "payload at"],
  ["payloadLength", "payload"],
]);

const byteFacts = new Set(["initSize", "imageSize", "payloadLength"]);

function factText(fact: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" && byteFacts.has(fact) ? formatBytes(value) : String(value);
}

function signatureRows(
  image: ImageReport,
  name: "image" | "kernel",
  unknown: Inspection["unknown"],
): Row[] {
  if (image.signatureProblem !== null) {
    return [["signature", `cannot be used: ${image.signatureProblem}`]];
  }
  if (image.signatures.length === 0) return [["signature", "none"]];
  const rows: Row[] = image.signatures.flatMap(({ signers, digestAlgorithm }) =>
    signers.map(
      ({ subject, issuer, serial }) =>
        [
          "signed by",
          `${subject ?? `certificate ${serial ?? "?"}`}, issued by ${issuer ?? "?"} (${digestAlgorithm})`,
        ] as const,
    ),
  );
  const why = unknown[`${name}.changedAfterSigning`];
  rows.push([
    "since then",
    image.changedAfterSigning === null
      ? `unknown (${why ?? "not read"})`
      : image.changedAfterSigning
        ? "changed: the signature is of another file"
        : "unchanged",
  ]);
  const known = unknown[`${name}.trustedBy`];
  rows.push(["trusted by", image.trustedBy ?? (known === undefined ? "no keyring" : known)]);
  return rows;
}

function archiveText(archive: ArchiveReport): string {
  const { path, size, kind, needs, bootconfig, unchecked } = archive;
  const option = needs === null ? "" : `, needs ${needs}`;
  const trailer = bootconfig ? ", with bootconfig" : "";
  const doubt = unchecked === null ? "" : ", not unpacked to see its end";
  return `${path} (${kind}, ${formatBytes(size)}${option}${trailer}${doubt})`;
}

const screenWords: Readonly<Record<NonNullable<Inspection["next"]["screen"]>["verdict"], string>> =
  {
    continues: "goes on",
    "blank-until-driver": "blank until a driver loads",
    blank: "blank",
    unknown: "unknown",
  };

function afterwardsRows({ screen, platforms }: Inspection["next"]): Row[] {
  const rows: Row[] = platforms.map(({ name, why, hint, source }) => [
    "known trouble",
    `${name}: ${why}${hint === null ? "" : `; ${hint}`} (${source})`,
  ]);
  if (screen === null) return rows;
  const hint = screen.hint === null ? "" : `; ${screen.hint}`;
  return [["screen", `${screenWords[screen.verdict]}: ${screen.why}${hint}`], ...rows];
}

function verdictRows({ takes, wouldExit, reasons, doubts, notes }: Verdict): Row[] {
  const certain = doubts.length === 0;
  const rows: Row[] = [
    [
      "load",
      takes
        ? `would take it${certain ? "" : ", as far as could be seen"} (exit 0)`
        : `would refuse it (exit ${wouldExit})`,
    ],
  ];
  for (const { message } of reasons) rows.push(["because", message]);
  for (const { message, exit } of doubts) rows.push(["unless", `${message} (exit ${exit})`]);
  for (const note of notes) rows.push(["note", note]);
  return rows;
}
