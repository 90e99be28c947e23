/** Why the kernel's signature check refuses an image. */
import type { Cause } from "../errors.ts";
import type { Reading } from "../machine/reading.ts";
import { valueIn } from "../machine/reading.ts";
import { logged } from "./cause.ts";
import type { Judgement } from "./signature-check.ts";

/** What is known of the check that failed. */
export interface SignatureEvidence {
  /** The outcome of our own reading of the image and the keyrings. */
  readonly judgement: Judgement;
  /** Started by UEFI: only then are there firmware's keys and a machine owner's. */
  readonly uefi: Reading<boolean>;
}

type Refused = Extract<Judgement, { verdict: "refused" }>;

const again = "copy or download it again, from where it is signed";
const signAnew =
  "choose another: this one was not signed at a time when its signer may\n" +
  "sign it anew, with a certificate that is valid at the time";

/**
 * The cause by the errno that an enforced check gives; undefined for any other errno. EINVAL has
 * other causes too: the caller tells them apart.
 */
export function signatureCause(
  errno: string,
  evidence: SignatureEvidence | undefined,
  kernelLog: readonly string[],
): Cause | undefined {
  const uefi = evidence?.uefi;
  const judgement = evidence?.judgement;
  if (judgement?.verdict === "refused" && judgement.errno === errno) {
    return judgedCause(judgement, uefi);
  }
  switch (errno) {
    case "ENODATA":
      return {
        code: "kernel-unsigned",
        why: "the image carries no signature, and this machine demands one",
        hint: signHint(uefi),
      };
    case "ENOKEY":
      return {
        code: "kernel-signer-unknown",
        why: "the image is signed, but by nobody whom this machine trusts",
        hint: enrolHint(undefined, uefi),
      };
    case "EKEYREJECTED":
    case "EKEYREVOKED":
    case "EKEYEXPIRED":
      return rejectedCause(kernelLog);
    case "EBADMSG":
      return {
        code: "kernel-signature-malformed",
        why: "the image's signature cannot be read, or does not fit the image",
        hint: `the file was damaged or changed after it was signed: ${again}`,
      };
    case "ELIBBAD":
    case "EMSGSIZE":
    case "ENOTSUPP":
      return {
        code: "kernel-signature-malformed",
        why: "the image's EFI header or its signature table is malformed",
        hint: `${again}, or sign it anew`,
      };
    case "EINVAL":
      return {
        code: "kernel-signature-bad",
        why: "the image's signature is damaged: its value does not open with the signer's key",
        hint: `${again}, or sign it anew`,
      };
    case "ENOPKG":
      return {
        code: "kernel-signature-algorithm",
        why: "the running kernel lacks an algorithm that the signature uses",
        hint: "sign the image with RSA and SHA-256 (sbsign does)",
      };
    default:
      return undefined;
  }
}

/** A bad signature, a revoked one and a changed file share this errno: the log tells them apart. */
function rejectedCause(kernelLog: readonly string[]): Cause {
  if (logged(kernelLog, /PEFILE: Digest mismatch/i)) {
    return {
      code: "kernel-changed-after-signing",
      why: "the image was changed after it was signed",
      hint: again,
    };
  }
  if (logged(kernelLog, /outside of X\.509 validity/i)) {
    return {
      code: "kernel-signature-bad",
      why: "the image was signed at a time for which its signer's certificate is not valid",
      hint: signAnew,
    };
  }
  if (logged(kernelLog, /blacklist|revo(ked|cation)/i)) {
    return {
      code: "kernel-signature-revoked",
      why: "the image's signature or its signer is on this machine's revocation list",
      hint: "install a newer kernel from the same source: the list names versions with known holes",
    };
  }
  return {
    code: "kernel-signature-bad",
    why: "the image's signature was rejected",
    hint:
      "three causes look alike here: the file was changed (sbverify --cert CERT IMAGE fails), " +
      "the signature is damaged (sbverify --list IMAGE fails), or its signer is revoked " +
      "(aegis-kexec status, as root, lists .blacklist)",
  };
}

/** Makes a cause of the outcome of our own reading. */
export function judgedCause(judgement: Refused, uefi: Reading<boolean> | undefined): Cause {
  const { code, why, details } = judgement;
  return { code, why: ofTheImage(why), hint: cure(judgement, uefi), details };
}

function ofTheImage(why: string): string {
  return why.replace(/^it /, "the image ").replace(/^its /, "the image's ");
}

function cure(judgement: Refused, uefi: Reading<boolean> | undefined): string {
  switch (judgement.code) {
    case "kernel-unsigned":
      return judgement.case === "no-efi-header"
        ? "use a kernel built with CONFIG_EFI_STUB: only that can be signed"
        : signHint(uefi);
    case "kernel-signer-unknown":
      return enrolHint(judgement.signer, uefi);
    case "kernel-signature-revoked":
      return "install a newer kernel from the same source, signed by a certificate that is not revoked";
    case "kernel-signature-algorithm":
      return "sign the image with RSA and SHA-256 (sbsign does)";
    case "kernel-changed-after-signing":
      return `${again}; if you changed it yourself, sign it anew`;
    case "kernel-signature-refused":
      return "boot a kernel with CONFIG_KEXEC_BZIMAGE_VERIFY_SIG (on arm64 CONFIG_KEXEC_IMAGE_VERIFY_SIG)";
    case "kernel-signature-bad":
      return judgement.case === "outside-validity" ? signAnew : `${again}, or sign it anew`;
    default:
      return `${again}, or sign it anew`;
  }
}

function signHint(uefi: Reading<boolean> | undefined): string {
  const sign = "sign it: sbsign --key KEY --cert CERT --output IMAGE IMAGE";
  return `${sign}; then ${enrolment("CERT", uefi)}`;
}

function enrolHint(signer: string | undefined, uefi: Reading<boolean> | undefined): string {
  const whose = signer === undefined ? "the signer's certificate" : `the certificate of ${signer}`;
  return `if you trust the signer, ${enrolment(whose, uefi)}`;
}

/** Without UEFI there is nobody to enrol a certificate with. */
function enrolment(certificate: string, uefi: Reading<boolean> | undefined): string {
  if (uefi !== undefined && valueIn(uefi) === false) {
    return (
      `${certificate === "CERT" ? "its certificate" : certificate} must be built into the running ` +
      "kernel: this machine was not started by UEFI, so no other key can be enrolled"
    );
  }
  return `enrol ${certificate === "CERT" ? "its certificate, if it is new" : "it"}: mokutil --import ${
    certificate === "CERT" ? "CERT" : `(${certificate}, as DER)`
  }, and confirm at the next boot; where no shim starts the machine, enrol it in firmware's db instead`;
}
