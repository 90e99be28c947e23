/** The functions of a script: grub-core/script/function.c. Pure. */
import type { Block } from "./parse.ts";

export class Functions {
  private readonly own = new Map<string, Block>();

  /** @param base Looked at where this one has nothing of its own; never changed from here. */
  constructor(private readonly base?: Functions) {}

  get(name: string): Block | undefined {
    return this.own.get(name) ?? this.base?.get(name);
  }

  set(name: string, body: Block): void {
    this.own.set(name, body);
  }

  /** As they are now; what is defined in it does not come back. Nothing is copied. */
  fork(): Functions {
    return new Functions(this);
  }
}
