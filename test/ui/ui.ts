/** A user interface against the library: ui SOURCE CMDLINE. It reads no sentence of an error. */
import { hasCode, KexecError, load } from "../../src/index.ts";

const phases: Readonly<Record<string, string>> = { open: "Öffnen", call: "Übergabe an den Kern" };
const causes: Readonly<Record<string, string>> = {
  "kernel-unsigned": "Nicht unterschrieben",
  "kernel-signer-unknown": "Unterschrieben von jemandem, dem dieser Rechner nicht vertraut",
  "kernel-signature-revoked": "Die Unterschrift ist widerrufen",
  "kernel-changed-after-signing": "Nach der Unterschrift verändert",
  "kernel-signature-bad": "Die Unterschrift ist ungültig",
  "kernel-signature-malformed": "Die Unterschrift ist beschädigt",
  "kernel-signature-algorithm": "Die Unterschrift ist von einer unbekannten Art",
};
const actions: Readonly<Record<string, string>> = {
  "choose-another": "Anderes System wählen",
  "copy-again": "Neu kopieren",
  "enrol-key": "Schlüssel eintragen oder anderes System wählen",
  "free-memory": "Speicher freigeben",
  "reboot-first": "Zuerst neu starten",
};
const [kernel = "", cmdline = ""] = Bun.argv.slice(2);
try {
  await load(
    { kernel, cmdline },
    {
      progress: (_step, done, total, phase) => {
        const percent = total > 0 ? ` ${Math.floor((done * 100) / total)} %` : " ...";
        console.log(`${phases[phase] ?? "Vorbereiten"}${percent}`);
      },
    },
  );
  console.log("Geladen.");
} catch (error) {
  if (!(error instanceof KexecError)) throw error;
  const code = hasCode(error, "lockdown") ? (error.details.because ?? error.code) : error.code;
  const { signer = "" } = hasCode(error, "kernel-signer-unknown") ? error.details : {};
  console.log(`${causes[code] ?? `Nicht geladen (${code})`} ${signer}`);
  console.log(`${actions[error.action] ?? "Betreuer fragen"}.`);
  process.exitCode = 1;
}
