/** What a path in a manifest or a policy may look like. */
import { hasControlCharacter } from "./text.ts";

/** The rule that an absolute path breaks: one spelling a file, as far as its text can tell. */
export function absolutePathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (!path.startsWith("/")) return "must be an absolute path";
  return componentProblem(path.slice(1));
}

/** The rule that a path breaks which must stay below the folder it is relative to. */
export function relativePathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path.startsWith("/")) return "must not be an absolute path";
  return componentProblem(path);
}

function componentProblem(path: string): string | undefined {
  // include/uapi/linux/limits.h: PATH_MAX counts the NUL, NAME_MAX does not.
  if (isLonger(path, 4095)) return "longer than 4095 bytes";
  if (hasControlCharacter(path)) return "must not have control characters";
  for (const component of path.split("/")) {
    if (component === "") return "must not have empty components (// or a / at the end)";
    if (component === "." || component === "..") return `must not have ${component} components`;
    if (isLonger(component, 255)) return "has a component longer than 255 bytes";
  }
  return undefined;
}

/** A UTF-16 unit is three bytes of UTF-8 at most, so that hardly any text has to be encoded. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;
}
