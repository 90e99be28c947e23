/** Why something did not come over the network, and whether to try again. */
import type { Cause, ErrorCode } from "../../errors.ts";

/** Thrown within this folder alone; what leaves it is a `KexecError`. */
export class Failure extends Error {
  constructor(
    readonly failure: Cause & { readonly errno?: string },
    /** Whether it may be gone in a moment. */
    readonly passing: boolean,
    /** Milliseconds that the server asks to be left alone for. */
    readonly pause = 0,
  ) {
    super(failure.why);
  }
}

export function refused(code: ErrorCode, why: string, hint?: string): Failure {
  return new Failure({ code, why, hint }, false);
}

export function passing(code: ErrorCode, why: string, hint?: string): Failure {
  return new Failure({ code, why, hint }, true);
}

/** Why TLS was refused, by the runtime's name for it; undefined where it is another matter. */
export function tlsFailure(
  name: string,
  host: string,
  now: number,
  built: number,
): Failure | undefined {
  switch (name) {
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "CERT_UNTRUSTED":
    case "INVALID_CA":
    case "CERT_SIGNATURE_FAILURE":
    case "PATH_LENGTH_EXCEEDED":
    case "INVALID_PURPOSE":
      return refused(
        "tls-unknown-authority",
        "no certificate authority that is trusted here vouches for the server's certificate",
        "name the certificate of the server's authority with --ca",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
    case "HOSTNAME_MISMATCH":
      return refused(
        "tls-wrong-name",
        `the server's certificate is not for ${host}`,
        "use the name that the certificate is for, or have it made for this one, too",
      );
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return expired(name === "CERT_HAS_EXPIRED", now, built);
    case "UNKNOWN_CERTIFICATE_VERIFICATION_ERROR":
    case "ERR_SSL_PROTOCOL_ERROR":
    case "EPROTO":
      return refused(
        "tls-failed",
        "no TLS connection came about: the server ended it, speaks no TLS, or one that is older than 1.2",
        "try the address with: openssl s_client -connect HOST:PORT",
      );
    default:
      return /^(CERT_|UNABLE_TO_|ERR_SSL|ERR_TLS|CRL_)/.test(name)
        ? refused("tls-failed", `TLS failed: ${name.toLowerCase().replaceAll("_", " ")}`)
        : undefined;
  }
}

/** A clock that says a time before this program was made is wrong, whatever the certificate is. */
function expired(over: boolean, now: number, built: number): Failure {
  const time = new Date(now).toISOString().slice(0, 16).replace("T", " ");
  if (now < built) {
    return refused(
      "clock-wrong",
      `this machine's clock says ${time} UTC, which is before this program was built, so that no certificate's dates can be checked`,
      "set the clock: hwclock --hctosys, an NTP client (ntpd -q, chronyd -q), or date -u -s 'YYYY-MM-DD hh:mm'",
    );
  }
  return refused(
    "tls-expired",
    over ? "the server's certificate has expired" : "the server's certificate is not valid yet",
    `have it renewed, or, if ${time} UTC is not the time, set this machine's clock`,
  );
}
