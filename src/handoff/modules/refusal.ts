/** What the kernel's answer to a module means. Pure. */
import { EACCES, EINVAL, ENOENT, EPERM, errnoText } from "../../errno.ts";
import { isCompressed } from "./table.ts";

/** include/uapi/asm-generic/errno.h */
const ENOEXEC = 8;
const EBADMSG = 74;
const EOPNOTSUPP = 95;
const ENOKEY = 126;
const EKEYREJECTED = 129;

const byNobody =
  "it is signed by no key that this kernel has: it takes the modules that were built with it";
const changed = "its signature is not good: it was changed after it was signed";

/** Where signatures are enforced one errno says all of these: kernel/module/signing.c, module_sig_check. */
function rejected(log: readonly string[]): string {
  const words = log.join("\n");
  if (/Loading of unsigned module/i.test(words)) {
    return "it is not signed, and this kernel takes only signed ones (Secure Boot, or module.sig_enforce)";
  }
  if (/with unavailable key/i.test(words)) return byNobody;
  return /with unsupported crypto/i.test(words)
    ? "its signature is of a kind that this kernel does not know"
    : changed;
}

/**
 * Why a module was not loaded, in words that follow a colon.
 * @param errno of finit_module(2). @param log What the kernel logged meanwhile.
 */
export function refusal(
  errno: number,
  path: string,
  log: readonly string[],
  whyDenied: () => string,
): string {
  const last = log.at(-1);
  const logged = last === undefined ? "" : ` (the kernel says: ${last})`;
  switch (errno) {
    case EPERM:
    case EACCES:
      return `${whyDenied()}${logged}`;
    case ENOKEY:
      return `${byNobody}${logged}`;
    case EKEYREJECTED:
      return `${rejected(log)}${logged}`;
    case EBADMSG:
      return `${changed}${logged}`;
    case EOPNOTSUPP:
    case EINVAL:
    case ENOEXEC:
      return isCompressed(path)
        ? `this kernel cannot unpack it (CONFIG_MODULE_DECOMPRESS), or it was built for another: put it into the initramfs unpacked${logged}`
        : `it is no module of this kernel${logged}`;
    case ENOENT:
      return `it is not in the initramfs, or a symbol that it needs is missing${logged}`;
    default:
      return `${errnoText(errno).toLowerCase()}${logged}`;
  }
}
