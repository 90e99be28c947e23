/** As much of JSON Schema as contrib/status.schema.json uses; any other keyword is an error. */

type Json = Readonly<Record<string, unknown>>;

/** Where the value breaks the schema; empty where it does not. */
export function schemaProblems(value: unknown, schema: unknown, root = schema, at = "$"): string[] {
  return Object.entries(asObject(schema)).flatMap(([keyword, rule]): string[] => {
    switch (keyword) {
      case "$schema":
      case "$defs":
      case "title":
      case "description":
      case "properties":
        return [];
      case "$ref": {
        const name = String(rule).replace("#/$defs/", "");
        return schemaProblems(value, asObject(asObject(root)["$defs"])[name], root, at);
      }
      case "type":
        return [rule].flat().some((type) => isOfType(value, type)) ? [] : [`${at}: not ${rule}`];
      case "enum":
        return asList(rule).includes(value) ? [] : [`${at}: none of ${rule}`];
      case "const":
        return value === rule ? [] : [`${at}: not ${rule}`];
      case "minimum":
        return typeof value !== "number" || value >= Number(rule) ? [] : [`${at}: below ${rule}`];
      case "anyOf": {
        const found = asList(rule).map((one) => schemaProblems(value, one, root, at));
        return found.some((problems) => problems.length === 0) ? [] : found.flat();
      }
      case "items":
        return Array.isArray(value)
          ? value.flatMap((item, index) => schemaProblems(item, rule, root, `${at}[${index}]`))
          : [];
      case "required":
        return value === null
          ? []
          : asList(rule).flatMap((name) =>
              String(name) in asObject(value) ? [] : [`${at}.${name}: missing`],
            );
      case "additionalProperties": {
        const known = asObject(asObject(schema)["properties"] ?? {});
        return Object.entries(asObject(value ?? {})).flatMap(([name, member]) => {
          if (rule === false && !(name in known)) return [`${at}.${name}: not in the schema`];
          return schemaProblems(member, known[name] ?? rule, root, `${at}.${name}`);
        });
      }
      default:
        throw new Error(`${at}: ${keyword} is not looked at`);
    }
  });
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isSafeInteger(value);
  if (type === "object")
    return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function asObject(value: unknown): Json {
  if (!isOfType(value, "object")) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return { ...Object(value) };
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
