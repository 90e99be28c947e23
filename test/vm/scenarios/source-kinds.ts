/** Every kind of source, as the next kernel sees it; and sources that load nothing. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { initrd, type Scene, scene, unique } from "../lib/aegis.ts";
import type { Guest } from "../lib/guest.ts";
import { bootAsPredicted, loadAsPredicted, memberOf } from "../lib/prediction.ts";
import { vmSuite } from "../lib/suite.ts";
import { sources } from "./sources.ts";

export function sourceKinds(name: "shared-x86_64" | "shared-aarch64"): void {
  const word = randomUUID();
  let made: Scene | undefined;
  const given = () => {
    made ??= scene({ first: name });
    return made;
  };
  const start = () => scene({ first: name, entries: sources(name, given(), word) }).start();

  vmSuite(`sources on ${name}`, { needs: [name, "tool:objcopy"], start, timeout: 300 }, (test) => {
    const refused = async (guest: Guest, words: string, exit: number, code: string) => {
      const start = performance.now();
      const { result } = await loadAsPredicted(guest, words);
      const error = memberOf(result, "error");
      expect({ words, ...error }).toMatchObject({ words, exit, code });
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
      return { error, seconds: (performance.now() - start) / 1000 };
    };

    test("bad ones load nothing, each with its own words", async (guest) => {
      const table = [
        ["/bad/half.gz --cmdline x", 8, "kernel-truncated"],
        ["/bad/junk.gz --cmdline x", 4, "malformed-input"],
        ["/bad/zeros.gz --cmdline x", 8, "not-a-kernel"],
        ["/bad/bomb.gz --cmdline x", 9, "out-of-memory"],
        ["/bad/bomb.zst --cmdline x", 9, "out-of-memory"],
        ["/bad/kernel.xz --cmdline x", 8, "kernel-unsuitable"],
        ["/bad/empty.efi", 8, "not-a-kernel"],
        ["/bad/overlap.efi", 4, "malformed-input"],
        ["/bad/outside.efi", 8, "kernel-truncated"],
        ["/bad/missing.conf", 4, "file-not-found"],
        ["/bad/initrd.conf", 4, "file-not-found"],
        ["/bad/up.conf", 5, "outside-folder"],
        ["/bad/other.conf", 8, "wrong-architecture"],
        ["/bad/tree.conf", 8, "kernel-unsuitable"],
        ["/bad", 4, "file-not-found"],
        ["/esp --entry none", 4, "file-not-found"],
        ["/esp --entry old", 4, "file-not-found"],
        ["/boot/vmlinuz --entry new", 2, "usage"],
        ["/boot/vmlinuz --profile 1", 2, "usage"],
        ["/esp/EFI/Linux/image.efi --profile 7", 2, "usage"],
        ["/bad/flipped.efi --trust /etc/org.pub", 5, "bad-signature"],
        ["/boot/kernel.gz --trust /etc/org.pub", 5, "untrusted"],
        ["/esp/EFI/Linux/image.efi --trust /etc/org.pub --cmdline x", 5, "policy-refused"],
        ["/esp --entry new --trust /etc/org.pub", 5, "untrusted"],
      ] as const;
      for (const [words, exit, code] of table) await refused(guest, words, exit, code);
      const { error } = await refused(guest, "/bad/kernel.xz", 8, "kernel-unsuitable");
      expect(error["hint"]).toBe("unpack it first: xz -dc /bad/kernel.xz > kernel");
    });

    test("10,000 entries are refused in time, and one of them is found by name", async (guest) => {
      await guest.check(
        "mkdir -p /many/loader/entries; cd /many/loader/entries; i=0; while [ $i -lt 10000 ]; do echo 'linux /none' >e$i.conf; i=$((i+1)); done",
        { timeout: 120 },
      );
      const { seconds } = await refused(guest, "/many", 4, "file-too-large");
      expect(seconds).toBeLessThan(30);
      const { error } = await refused(guest, "/many --entry e9999", 4, "file-not-found");
      expect(error["message"]).toBe("cannot open the kernel /many/none: no such file");
    });

    test("a load says what was in what", async (guest) => {
      const { result } = await loadAsPredicted(guest, "/boot/kernel.zst --cmdline x");
      const format = name === "shared-x86_64" ? "bzImage" : "arm64 Image";
      expect(result).toMatchObject({
        loaded: true,
        kernel: { path: "/boot/kernel.zst", format: `${format} (zstd)` },
      });
      await guest.check("aegis-kexec unload");
    });

    const packed = ["/boot/kernel.gz"];
    if (name === "shared-aarch64") packed.push("/boot/kernel.zboot");
    for (const path of packed) {
      test(path, async (guest) => {
        const cmdline = `${given().console} ${unique()}`;
        const up = await bootAsPredicted(
          guest,
          `${path} --initrd ${initrd} --initrd /boot/extra.img --cmdline '${cmdline}'`,
        );
        expect(up).toMatchObject({ token: given().token, cmdline });
        expect(await guest.check("cat /extra")).toBe("of the user\n");
        await guest.stop();
      });
    }

    test("a signed manifest, whose kernel is compressed", async (guest) => {
      const up = await bootAsPredicted(guest, "/boot/boot.json --trust /etc/org.pub");
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} manifest=${word}`,
      });
      expect(await guest.check("cat /extra")).toBe("of the user\n");
      await guest.stop();
    });

    test("a UKI: kernel, microcode, initramfs, command line, and one archive more", async (guest) => {
      const up = await bootAsPredicted(guest, "/esp/EFI/Linux/image.efi --initrd /boot/extra.img");
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} uki=${word}`,
      });
      expect(await guest.check("cat /microcode /extra")).toBe("of .ucode\nof the user\n");
      await guest.stop();
    });

    test("called as kexec, what is given takes the place of what a UKI brings", async (guest) => {
      const cmdline = `${given().console} ${unique()}`;
      await guest.check(
        `ln -sf aegis-kexec /sbin/kexec; cat ${initrd} >/tmp/own.img; cat /boot/extra.img >>/tmp/own.img
kexec -s -l /esp/EFI/Linux/image.efi --initrd=/tmp/own.img --command-line='${cmdline}'`,
      );
      const up = await guest.handoff("kexec -e");
      expect(up).toMatchObject({ token: given().token, cmdline });
      expect(await guest.check("cat /extra; ls /microcode 2>/dev/null || echo none")).toBe(
        "of the user\nnone\n",
      );
      await guest.stop();
    });

    test("another profile of a UKI that a directory has", async (guest) => {
      const up = await bootAsPredicted(guest, "/esp --entry profiles.efi --profile 1");
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} debug=${word}`,
      });
      expect(await guest.check("cat /microcode")).toBe("of .ucode\n");
      await guest.stop();
    });

    test("a directory's default entry", async (guest) => {
      const up = await bootAsPredicted(guest, "/esp");
      expect(up).toMatchObject({
        token: given().token,
        // It is counted, so that `bless` can find it
        cmdline: `${given().console} entry=${word} aegis_kexec.from=/esp/loader/entries/new.conf`,
      });
      expect(await guest.check("cat /extra")).toBe("of the user\n");
      await guest.stop();
    });

    test("an entry by name that leads to a signed UKI", async (guest) => {
      const up = await bootAsPredicted(guest, "/esp --entry uki --trust /etc/org.pub");
      expect(up).toMatchObject({
        token: given().token,
        cmdline: `${given().console} uki=${word}`,
      });
      expect(await guest.check("cat /microcode")).toBe("of .ucode\n");
      await guest.stop();
    });

    test("an entry's file that leads to a UKI, with another command line", async (guest) => {
      const cmdline = `${given().console} ${unique()}`;
      const up = await bootAsPredicted(
        guest,
        `/esp/loader/entries/efi.conf --cmdline '${cmdline}'`,
      );
      expect(up).toMatchObject({ token: given().token, cmdline });
      expect(await guest.check("cat /microcode")).toBe("of .ucode\n");
      await guest.stop();
    });
  });
}
