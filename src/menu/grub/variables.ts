/** The environment of a GRUB script: grub-core/kern/env.c and normal/context.c. Pure. */
import { costs, GrubLimit } from "./budget.ts";

const most = 4096;
const longest = 64 << 10;

export class Variables {
  private readonly own = new Map<string, string | undefined>();
  private readonly exported = new Set<string>();

  /** @param base Looked at where this one has nothing of its own; never changed from here. */
  constructor(private readonly base?: Variables) {}

  get(name: string): string | undefined {
    if (this.own.has(name)) return this.own.get(name);
    return this.base?.get(name);
  }

  set(name: string, value: string | undefined): void {
    if ((value ?? "").length > longest) {
      throw new GrubLimit(`a variable is longer than ${longest} characters`);
    }
    // kern/device.c: root takes its name with or without brackets.
    const bare = name === "root" ? value?.replace(/^\((.*)\)$/, "$1") : value;
    this.own.set(name, bare);
    if (this.own.size > most) throw new GrubLimit(`it has more than ${most} variables`);
  }

  export(name: string): void {
    this.exported.add(name);
    if (this.exported.size > most) throw new GrubLimit(`it has more than ${most} variables`);
  }

  /** As it is now; what is set in it does not come back. */
  fork(): Variables {
    return new Variables(this);
  }

  /**
   * A new context: `configfile` and submenus see what was exported, and nothing else.
   * @param spend Is told of the work: all of it is copied.
   */
  opened(spend: (work: number) => void): Variables {
    const context = new Variables();
    for (const name of this.exportedNames(spend)) {
      const value = this.get(name);
      if (value === undefined) continue;
      context.set(name, value);
      context.export(name);
    }
    return context;
  }

  private exportedNames(spend: (work: number) => void): Set<string> {
    spend(costs.copied * (1 + this.exported.size));
    const names = this.base?.exportedNames(spend) ?? new Set<string>();
    for (const name of this.exported) names.add(name);
    return names;
  }
}
