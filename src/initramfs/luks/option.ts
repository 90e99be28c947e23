/** What `--luks UUID=SRC[:FRAMEWORK]` says: the key of a LUKS volume, and who looks for it in the next initramfs. */
import { KexecError } from "../../errors.ts";
import { parseSource, type SecretSpec } from "../secret.ts";
import { frameworks, usualPlace } from "./volume.ts";

const form = `write it as UUID=SRC or UUID=SRC:FRAMEWORK, with FRAMEWORK one of ${frameworks.join(", ")}`;

/**
 * Parses one UUID=SRC[:FRAMEWORK]. SRC is what `--secret` takes; a file whose name ends as a framework is
 * called is written with the framework behind it.
 * @throws KexecError `usage`
 */
export function parseLuks(text: string): SecretSpec {
  // Nothing of the text is shown: it may be the key itself, or say where it lies.
  const refuse = (why: string, hint = form) =>
    new KexecError("usage", { message: `invalid --luks: ${why}`, hint });
  const equals = text.indexOf("=");
  if (equals < 0) throw refuse("there is no = between UUID and SRC");
  const uuid = text.slice(0, equals).toLowerCase();
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid)) {
    throw refuse(
      "what stands before = is no UUID",
      "blkid or cryptsetup luksUUID tells a volume's",
    );
  }
  const rest = text.slice(equals + 1);
  const framework = frameworks.find((name) => rest.endsWith(`:${name}`));
  const source = framework === undefined ? rest : rest.slice(0, -framework.length - 1);
  if (source === "") throw refuse("SRC is empty");
  if (source.includes("\0")) throw refuse("SRC contains a NUL");
  return {
    source: parseSource(source, refuse),
    destination: usualPlace(uuid),
    mode: 0o400,
    luks: { uuid, framework },
  };
}
