/** What the tests of a job came to: the JUnit report of `bun test`, read. */
export interface Results {
  passed: number;
  /** Names. */
  readonly failed: string[];
  readonly skipped: string[];
  /** Tests that wait for kernels which `bun run kernels` builds: their names, by kernel. */
  readonly notBuilt: { readonly name: string; readonly kernels: readonly string[] }[];
}

export function noResults(): Results {
  return { passed: 0, failed: [], skipped: [], notBuilt: [] };
}

/** How a test that wants kernels which are not built says so, at the end of its name. */
export function notBuiltMark(kernels: readonly string[]): string {
  return `(not built: ${kernels.join(", ")})`;
}

export function readReport(xml: string): Results {
  const results = noResults();
  for (const [, attributes = "", ending, body = ""] of xml.matchAll(
    /<testcase\s([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const attribute = (key: string) =>
      decodeEntities(new RegExp(`(?:^|\\s)${key}="([^"]*)"`).exec(attributes)?.[1] ?? "");
    const [group, title] = [attribute("classname"), attribute("name")];
    const name = group === "" || group.endsWith(".test.ts") ? title : `${group} > ${title}`;
    const inside = ending === "/>" ? "" : body;
    if (/<(failure|error)\b/.test(inside)) results.failed.push(name);
    else if (!/<skipped\b/.test(inside)) results.passed++;
    else {
      const kernels = /\(not built: ([^()]+)\)$/.exec(name)?.[1]?.split(", ");
      if (kernels !== undefined) results.notBuilt.push({ name, kernels });
      else if (/\(needs [^()]+\)/.test(name)) results.skipped.push(name);
      // Nobody could know what to do about it, or whether it should be so
      else results.failed.push(`${name}: skipped, and does not say what it needs`);
    }
  }
  return results;
}

export function addResults(total: Results, { passed, failed, skipped, notBuilt }: Results): void {
  total.passed += passed;
  total.failed.push(...failed);
  total.skipped.push(...skipped);
  total.notBuilt.push(...notBuilt);
}

/** The last line of a run, which CI reads: tests that were not built are not in it. */
export function describeCounts({ passed, failed, skipped }: Results): string {
  return `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;
}

function decodeEntities(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
