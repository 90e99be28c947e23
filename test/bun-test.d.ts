/** Tables that nothing may write to are tables as well: the types of the pinned Bun know of arrays only. */
import "bun:test";

declare module "bun:test" {
  interface Describe<T extends Readonly<unknown[]>> {
    each<Row extends Readonly<[unknown, ...unknown[]]>>(table: readonly Row[]): Describe<[...Row]>;
    each<Row extends readonly unknown[]>(table: readonly Row[]): Describe<[...Row]>;
    each<const Row>(table: readonly Row[]): Describe<[Row]>;
  }
  interface Test<T extends ReadonlyArray<unknown>> {
    each<Row extends Readonly<[unknown, ...unknown[]]>>(table: readonly Row[]): Test<Row>;
    each<Row extends readonly unknown[]>(table: readonly Row[]): Test<Row>;
    each<const Row>(table: readonly Row[]): Test<[Row]>;
  }
}
