/** The reasons why a load would be refused, collected while each check goes on by itself. */
import { KexecError } from "../../errors.ts";

export class Reasons {
  private readonly collected: KexecError[] = [];

  /** In the order in which they were found; `load` would name the first. */
  get all(): readonly KexecError[] {
    return this.collected;
  }

  add(...reasons: readonly KexecError[]): void {
    this.collected.push(...reasons);
  }

  /** Runs a check, and keeps its error; undefined where it had one. */
  attempt<T>(check: () => T): T | undefined {
    try {
      return check();
    } catch (error) {
      this.keep(error);
      return undefined;
    }
  }

  /** As `attempt`, of a check that takes its time. */
  async attemptAsync<T>(check: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await check();
    } catch (error) {
      this.keep(error);
      return undefined;
    }
  }

  /** Anything but a refusal is a mistake of this program, and goes on. */
  private keep(error: unknown): void {
    if (!(error instanceof KexecError)) throw error;
    this.collected.push(error);
  }
}
