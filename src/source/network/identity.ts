/** Whom this machine trusts, and who it is: the files of --ca, --client-cert and --client-key. */
import type { KeyObject } from "node:crypto";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { cannot } from "../../errors.ts";
import { head } from "../../image/bytes.ts";
import { InputFile } from "../../linux/file.ts";

/** Paths, as they were given. */
export interface IdentityFiles {
  readonly ca?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
}

/** What TLS is given, as PEM. */
export interface Identity {
  /** Undefined: those that are built in. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** Bytes: bundles of all authorities have some 200 KiB. */
const largest = 1 << 20;

/** @throws KexecError `usage`, `malformed-input` and those of InputFile.open */
export function readIdentity({ ca, clientCert, clientKey }: IdentityFiles): Identity {
  const authorities = ca === undefined ? undefined : readPem(ca, "certificate authority");
  if (ca !== undefined && authorities !== undefined) certificatesIn(authorities, ca);
  if (clientCert === undefined) {
    if (clientKey === undefined) return { ca: authorities, certificate: undefined, key: undefined };
    throw cannot("use --client-key", {
      code: "usage",
      details: { option: "--client-cert" },
      why: "the certificate that goes with the key is missing",
      hint: "name it with --client-cert",
    });
  }
  const certificate = readPem(clientCert, "client certificate");
  const [own] = certificatesIn(certificate, clientCert);
  const keyPath = clientKey ?? clientCert;
  const key = clientKey === undefined ? certificate : readPem(clientKey, "client key");
  if (own?.checkPrivateKey(keyIn(key, keyPath, clientKey === undefined)) !== true) {
    throw cannot(`use ${keyPath} as the client key`, {
      code: "malformed-input",
      details: { path: keyPath },
      why: `it is not the key of ${clientCert}`,
      hint: "the certificate of this machine must stand first in its file, and the key must be its own",
    });
  }
  return { ca: authorities, certificate, key };
}

function readPem(path: string, what: string): string {
  using file = InputFile.open(path, what);
  if (file.size > largest) {
    throw cannot(`use ${path} as the ${what}`, {
      code: "malformed-input",
      details: { path },
      why: `it has more than ${largest >> 20} MiB`,
    });
  }
  return new TextDecoder().decode(head(file, largest));
}

function certificatesIn(text: string, path: string): readonly X509Certificate[] {
  const blocks = text.match(
    /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g,
  );
  if (blocks === null) throw notPem(path, "no certificate in PEM form is in it");
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw notPem(path, "a certificate in it is malformed");
    }
  });
}

function notPem(path: string, why: string) {
  return cannot(`use ${path}`, {
    code: "malformed-input",
    details: { path },
    why,
    hint: "openssl x509 -inform DER -in FILE -out FILE.pem writes PEM",
  });
}

/** Nothing of the key is in what is said. */
function keyIn(text: string, path: string, inside: boolean): KeyObject {
  if (inside && !text.includes("PRIVATE KEY-----")) {
    throw cannot("use --client-cert", {
      code: "usage",
      details: { option: "--client-key", path },
      why: `its key is missing, and is not in ${path} either`,
      hint: "name it with --client-key",
    });
  }
  try {
    return createPrivateKey(text);
  } catch {
    throw cannot(`use ${path} as the client key`, {
      code: "malformed-input",
      details: { path },
      why: text.includes("ENCRYPTED") ? "it is encrypted" : "no private key in PEM form is in it",
      hint: "nobody is asked for a passphrase here: openssl pkey -in FILE -out FILE.pem writes it without one",
    });
  }
}
