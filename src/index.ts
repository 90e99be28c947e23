/**
 * aegis-kexec as a library: hand a Linux machine over from one kernel to the next.
 *
 * Every function that asks something of the machine returns a promise and throws `KexecError` and
 * nothing else on purpose. On anything but Linux the package imports, and each of them throws
 * `unsupported-platform`.
 */
export {
  type Action,
  type Details,
  type DetailsOf,
  type ErrorCode,
  ExitCode,
  errorCodes,
  hasCode,
  KexecError,
  type KexecErrorDetail,
  type KexecErrorOf,
} from "./errors.ts";
export { exec, loadAndExec } from "./handoff/exec.ts";
export { fetch } from "./handoff/fetch.ts";
export { type InspectRequest, inspect } from "./handoff/inspect.ts";
export type {
  ArchiveReport,
  CmdlineReport,
  EntryReport,
  ImageReport,
  Inspection,
  ManifestReport,
  Reason,
  SignatureReport,
  SourceReport,
  TrustInspection,
  Verdict,
} from "./handoff/inspection/inspection.ts";
export { load } from "./handoff/load.ts";
export { manifest } from "./handoff/manifest.ts";
export type {
  FetchReport,
  FileReport,
  KernelReport,
  LoadReport,
  Observer,
  TrustReport,
  UnloadReport,
} from "./handoff/report.ts";
export type {
  ExecRequest,
  LoadRequest,
  ManifestRequest,
  UnloadRequest,
} from "./handoff/request.ts";
export { type PolicyStatus, type Status, status } from "./handoff/status.ts";
export type { FetchRequest } from "./handoff/storing/request.ts";
export { unload } from "./handoff/unload.ts";
export type { Phase } from "./listener.ts";
