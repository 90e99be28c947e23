/** The newest kexec-tools and this program called as `kexec`, side by side. */
import { expect } from "bun:test";
import { clients } from "../scenarios/kexec-clients.ts";
import { besideKexecTools, compareAll, prepare } from "../scenarios/kexec-compare.ts";
import { rows } from "../scenarios/kexec-table.ts";

besideKexecTools("the newest kexec-tools and kexec side by side", (test) => {
  test("the table beside the newest kexec-tools", async (guest) => {
    expect(await guest.check("/newest/kexec -v")).toStartWith("kexec-tools 2.0.32");
    await prepare(guest);
    await compareAll(guest, rows, "newest");
  }, 600);

  test("the clients", async (guest) => {
    await compareAll(
      guest,
      clients.filter(({ jumps }) => jumps !== true),
      "newest",
    );
  }, 600);
});
