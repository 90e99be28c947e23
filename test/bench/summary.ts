/** What the README says of the results: five lines, each of what was recorded, and the picture. */
import { costOf, type Results } from "./results.ts";
import { mebibytes, picture, seconds } from "./table.ts";
import type { ProgramName, WorkName } from "./works.ts";

/** The section between the README's marks, in Markdown. */
export function summary(results: Results): string {
  const { carry, handoff, host, leastMemory } = results;
  const ratio = (work: WorkName, program: ProgramName) => {
    const own = costOf(results.instructions, work, "aegis-kexec");
    const other = costOf(results.instructions, work, program);
    return own === undefined || other === undefined
      ? "?"
      : `${(own.warm.median / other.warm.median).toFixed(2)} ×`;
  };
  const [own, , tools] = carry?.parts ?? [];
  const lines = [
    ...(own === undefined || tools === undefined
      ? []
      : [
          `Size: ${mebibytes(own.raw)}, by \`zstd -19\` ${mebibytes(own.zstd)}; kexec-tools ${mebibytes(tools.raw)} and ${mebibytes(tools.zstd)}.`,
        ]),
    ...(leastMemory === undefined
      ? []
      : [
          `Memory for a handover with an initramfs of 60 MiB: ${leastMemory
            .map(({ program, megabytes }) => `${program} ${megabytes} MiB`)
            .join(", ")}.`,
        ]),
    `Loading, outside of the system call: ${ratio("plain-60", "kexec-tools")} of kexec-tools' instructions with an initramfs of 60 MiB, ${ratio("plain-1", "kexec-tools")} with a small one.`,
    ...(host === undefined
      ? []
      : [
          `Verifying ${host.megabytes} MB on a processor with SHA instructions: ${host.pairs
            .map(
              ({ reference, own: ours, other }) =>
                `${(ours.median / other.median).toFixed(2)} × the processor time of ${reference}`,
            )
            .join(", with a secret ")}.`,
        ]),
    ...(handoff === undefined
      ? []
      : [
          `From the command to the next kernel's init, emulated: ${seconds(handoff.aegis)}; kexec-tools ${seconds(handoff.kexecTools)}; a reboot through ${handoff.firmwareName} ${seconds(handoff.firmware)}.`,
        ]),
  ];
  return [...lines.map((line) => `- ${line}`), "", picture("")].join("\n");
}
