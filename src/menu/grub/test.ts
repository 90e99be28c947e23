/** GRUB's `test` and `[`: grub-core/commands/test.c. Pure. */
import type { MenuStatus } from "../host.ts";

export interface FileFacts {
  status(path: string): MenuStatus | undefined;
}

const deepest = 64;

const comparisons: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  "=": (a, b) => a === b,
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "-eq": (a, b) => numberOf(a) === numberOf(b),
  "-ne": (a, b) => numberOf(a) !== numberOf(b),
  "-lt": (a, b) => numberOf(a) < numberOf(b),
  "-le": (a, b) => numberOf(a) <= numberOf(b),
  "-gt": (a, b) => numberOf(a) > numberOf(b),
  "-ge": (a, b) => numberOf(a) >= numberOf(b),
  "-pgt": (a, b) => pastPrefix(a, b) > pastPrefix(b, a),
  "-plt": (a, b) => pastPrefix(a, b) < pastPrefix(b, a),
};

/** Whether the expression is true; undefined where it is nested too deep. */
export function testExpression(args: readonly string[], files: FileFacts): boolean | undefined {
  const words = args.at(-1) === "]" ? args.slice(0, -1) : args;
  let at = 0;
  let tooDeep = false;

  const unary = (operator: string, operand: string): boolean | undefined => {
    switch (operator) {
      case "-d":
        return files.status(operand)?.kind === "directory";
      case "-e":
        return files.status(operand) !== undefined;
      case "-f":
        return files.status(operand)?.kind === "file";
      case "-s": {
        const status = files.status(operand);
        return status?.kind === "file" && status.size > 0;
      }
      case "-n":
        return operand !== "";
      case "-z":
        return operand === "";
      default:
        return undefined;
    }
  };

  const expression = (depth: number): boolean => {
    let [any, all, inverted] = [false, true, false];
    const add = (value: boolean) => {
      all = all && value !== inverted;
      inverted = false;
    };
    if (depth > deepest) tooDeep = true;
    while (at < words.length && !tooDeep) {
      const [word = "", second, third] = words.slice(at, at + 3);
      const compare = second === undefined ? undefined : comparisonOf(second);
      if (compare !== undefined && third !== undefined) {
        add(compare(word, third));
        at += 3;
        continue;
      }
      const value = second === undefined ? undefined : unary(word, second);
      if (value !== undefined) {
        add(value);
        at += 2;
        continue;
      }
      at += 1;
      if (word === ")") break;
      if (word === "(") add(expression(depth + 1));
      else if (word === "!") inverted = !inverted;
      else if (word === "-o") {
        any = any || all;
        all = true;
      } else if (word !== "-a") add(word !== "");
    }
    return any || all;
  };

  const result = expression(0);
  return tooDeep ? undefined : result;
}

function comparisonOf(operator: string): ((a: string, b: string) => boolean) | undefined {
  // Ages of files are not known to a reader: -nt and -ot are false.
  if (/^-(nt|ot)/.test(operator)) return () => false;
  return Object.hasOwn(comparisons, operator) ? comparisons[operator] : undefined;
}

/** As grub_strtoul with base 0: leading digits, hexadecimal with 0x, octal with 0; else 0. */
export function numberOf(text: string): number {
  const [, sign = "", hex, octal, decimal] =
    /^[ \t\n\v\f\r]*(-?)(?:0x([0-9a-f]+)|0([0-7]+)|([0-9]+))/i.exec(text) ?? [];
  const digits = hex ?? octal ?? decimal;
  if (digits === undefined) return 0;
  const value = Number.parseInt(digits, hex !== undefined ? 16 : octal !== undefined ? 8 : 10);
  return sign === "-" ? -value : value;
}

/** The number that begins where the texts differ, or the digits before it. */
function pastPrefix(text: string, other: string): number {
  let at = 0;
  while (at < text.length && text[at] === other[at]) at += 1;
  while (at > 0 && /[0-9]/.test(text[at - 1] ?? "")) at -= 1;
  return numberOf(text.slice(at));
}
