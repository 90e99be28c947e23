/** The parsers of what the kernel says of itself. */
import { describe, expect, test } from "bun:test";
import { factsOfConfig, factsOfSymbols, findSymbols } from "../../../src/machine/build-facts.ts";
import { bootParamsSecureBoot, flagOf } from "../../../src/machine/firmware.ts";
import { appraisesByParameter, appraisesKernels } from "../../../src/machine/ima.ts";
import { fiveLevelPagingIn, meminfoField, parseLockdown } from "../../../src/machine/kernel.ts";
import { khoParameter } from "../../../src/machine/kho.ts";
import { judgeHandover, scratchList, scratchParameter } from "../../../src/machine/live-update.ts";
import { known, unknown, valueIn } from "../../../src/machine/reading.ts";

test("lockdown", () => {
  expect(parseLockdown("none [integrity] confidentiality")).toBe("integrity");
  expect(parseLockdown("[none] integrity confidentiality")).toBe("none");
  expect(parseLockdown("none integrity [confidentiality]")).toBe("confidentiality");
  for (const text of ["", "[other]", "none integrity", "[]"]) {
    expect(parseLockdown(text)).toBeUndefined();
  }
});

test("meminfo", () => {
  const text = "MemTotal:        2048 kB\nMemAvailable:    1024 kB\nHuge: 3\n";
  expect(valueIn(meminfoField(text, "MemTotal"))).toBe(2 << 20);
  expect(valueIn(meminfoField(text, "MemAvailable"))).toBe(1 << 20);
  expect(meminfoField(text, "Huge").known).toBe(false);
  expect(meminfoField(text, "MemFree").known).toBe(false);
});

test("5-level paging is the flag la57, of its own", () => {
  expect(fiveLevelPagingIn("processor\t: 0\nflags\t\t: fpu la57 ss\nbugs\t:\n")).toBe(true);
  expect(fiveLevelPagingIn("flags\t\t: fpu la57x xla57 ss\n")).toBe(false);
  expect(fiveLevelPagingIn("Features\t: fp asimd\n")).toBeUndefined();
});

test("an efivar's flag is the byte behind four of attributes", () => {
  expect(flagOf(Uint8Array.of(6, 0, 0, 0, 1))).toBe(true);
  expect(flagOf(Uint8Array.of(6, 0, 0, 0, 0))).toBe(false);
  for (const bytes of [[], [1], [6, 0, 0, 0], [6, 0, 0, 0, 2], [6, 0, 0, 0, 1, 0]]) {
    expect(flagOf(Uint8Array.from(bytes))).toBeUndefined();
  }
});

test("boot_params says whether Secure Boot is on, where the EFI stub could tell", () => {
  const page = (mode: number) => {
    const bytes = new Uint8Array(4096);
    bytes[0x1ec] = mode;
    return bytes;
  };
  expect([0, 1, 2, 3, 4].map((mode) => bootParamsSecureBoot(page(mode)))).toEqual([
    undefined,
    undefined,
    false,
    true,
    undefined,
  ]);
  expect(bootParamsSecureBoot(new Uint8Array(0))).toBeUndefined();
});

describe("how the kernel was built", () => {
  test("by its configuration", () => {
    const facts = factsOfConfig(
      "CONFIG_KEXEC_FILE=y\nCONFIG_KEXEC_SIG=y\n# CONFIG_KEXEC_SIG_FORCE is not set\n" +
        "CONFIG_KEXEC_BZIMAGE_VERIFY_SIG=y\nCONFIG_IMA_ARCH_POLICY=y\n",
    );
    expect(facts).toMatchObject({
      kexecFile: known(true),
      kexecSig: known(true),
      kexecVerifier: known(true),
      kexecSigForce: known(false),
      imaArchPolicy: known(true),
      kexecHandover: known(false),
    });
  });

  test("by its symbols, wherever the pieces are cut; what has none stays unknown", () => {
    const text =
      "0000000000000000 T kimage_file_post_load_cleanup\n0000000000000000 t arch_get_ima_policy_x\n" +
      "0000000000000000 T verify_pefile_signature\n0000000000000000 T set_kexec_sig_enforced\n" +
      "0000000000000000 t kho_fill_kimage\t[module]\n";
    const bytes = new TextEncoder().encode(text);
    for (const size of [1, 7, 40, 1000]) {
      let at = 0;
      const found = findSymbols((buffer) => {
        const piece = bytes.subarray(at, at + Math.min(size, buffer.length));
        buffer.set(piece);
        at += piece.length;
        return piece.length;
      });
      const facts = factsOfSymbols(found);
      expect(facts).toMatchObject({
        kexecFile: known(true),
        kexecSig: known(true),
        kexecVerifier: known(true),
        imaArchPolicy: known(false),
        kexecHandover: known(false),
        kexecHandoverDefault: known(false),
      });
      expect(facts.kexecSigForce.known).toBe(false);
    }
  });

  test("symbols are read up to the end of the kernel's text, or until all are found", () => {
    const read = (lines: readonly string[]) => {
      const rest = [...lines];
      const found = findSymbols((buffer) => {
        // A whole buffer at a time, so that each is looked through before the next.
        const line = rest.shift();
        if (line === undefined) return 0;
        buffer.fill(0x20).set(new TextEncoder().encode(`0 ${line}\n`));
        return buffer.length;
      });
      return [[...(found ?? [])], rest.length];
    };
    const later = ["T set_kexec_sig_enforced", "T kho_fill_kimage"];
    expect(read(["T verify_pefile_signature", "T _etext", ...later])).toEqual([
      ["kexecVerifier"],
      2,
    ]);
    expect(read(["T verify_pefile_signature", "T x_etext", "t _etexts", ...later])).toEqual([
      ["kexecVerifier", "kexecSig", "kexecHandover"],
      0,
    ]);
    const all = [
      "T kimage_file_post_load_cleanup",
      "T verify_pefile_signature",
      "T arch_get_ima_policy",
      "T ima_appraise_measurement",
      ...later,
    ];
    expect(read([...all, "T unread"])).toEqual([expect.any(Array), 1]);
  });

  test("without either nothing is known", () => {
    expect(findSymbols(() => 0)).toBeUndefined();
    const [more, failure] = [[40], -5];
    expect(findSymbols(() => more.pop() ?? failure)).toBeUndefined();
    for (const fact of Object.values(factsOfSymbols(undefined))) expect(fact.known).toBe(false);
  });
});

describe("IMA", () => {
  test("the first rule that fits kernels counts", () => {
    expect(appraisesKernels("appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig\n")).toBe(true);
    expect(appraisesKernels("measure func=KEXEC_KERNEL_CHECK\n")).toBe(false);
    expect(appraisesKernels("dont_appraise fsmagic=0x9fa0\nappraise fowner=0\n")).toBe(false);
    expect(
      appraisesKernels("dont_appraise func=KEXEC_KERNEL_CHECK\nappraise func=KEXEC_KERNEL_CHECK"),
    ).toBe(false);
    expect(appraisesKernels("appraise func=MODULE_CHECK\n")).toBe(false);
  });

  test("by the command line", () => {
    expect(appraisesByParameter("quiet ima_policy=tcb|secure_boot")).toBe(true);
    expect(appraisesByParameter("ima_policy=appraise_tcb")).toBe(true);
    expect(appraisesByParameter("ima_policy=secure_boot ima_appraise=log")).toBe(false);
    expect(appraisesByParameter("ima_policy=tcb")).toBe(false);
  });
});

describe("kexec handover", () => {
  const why = unknown("not read");
  const asked = {
    debugEntry: false,
    orchestrator: false,
    built: known(true),
    byDefault: known(false),
    cmdline: known("kho=on"),
    log: "silent",
  } as const;

  test("kho= is a truth value of the kernel's, and the last one counts", () => {
    expect(khoParameter("kho=on")).toBe(true);
    expect(khoParameter("kho=1 kho=off")).toBe(false);
    expect(khoParameter("xkho=on kho=maybe")).toBeUndefined();
    expect(khoParameter("quiet")).toBeUndefined();
  });

  test("the largest part of the scratch area", () => {
    expect(scratchParameter("a kho_scratch=16M,160m,1G b")).toBe(1 << 30);
    expect(scratchParameter("kho_scratch=1,2K,3")).toBe(2048);
    for (const text of ["", "kho_scratch=200%", "kho_scratch=1,2", "kho_scratch=0x1,2,3"]) {
      expect(scratchParameter(text)).toBeUndefined();
    }
  });

  test("the largest of the areas that the kernel lists", () => {
    expect(scratchList("0x4000000\n0xa000000\n0xe000000")).toBe(0xe000000);
    for (const text of ["", "0x", "12", "0x4000000\n-1", "0x40000000000000"]) {
      expect(scratchList(text)).toBeUndefined();
    }
  });

  test("what shows it decides", () => {
    const nothing = { ...asked, built: why, byDefault: why, cmdline: why, log: undefined };
    expect(judgeHandover({ ...nothing, debugEntry: true })).toEqual(known(true));
    expect(judgeHandover({ ...nothing, orchestrator: true })).toEqual(known(true));
    expect(judgeHandover(nothing).known).toBe(false);
  });

  test("not built in, not asked for, or switched off again: off", () => {
    expect(judgeHandover({ ...asked, built: known(false) })).toEqual(known(false));
    expect(judgeHandover({ ...asked, cmdline: known("kho=off") })).toEqual(known(false));
    expect(judgeHandover({ ...asked, cmdline: known("quiet") })).toEqual(known(false));
    expect(judgeHandover({ ...asked, log: "failed" })).toEqual(known(false));
  });

  test("asked for, or on by default, and no failure in the whole log: on", () => {
    expect(judgeHandover(asked)).toEqual(known(true));
    const byDefault = { ...asked, byDefault: known(true), cmdline: known("quiet") };
    expect(judgeHandover(byDefault)).toEqual(known(true));
  });

  test("without the log or the build it stays open", () => {
    expect(judgeHandover({ ...asked, log: undefined }).known).toBe(false);
    expect(judgeHandover({ ...asked, built: why }).known).toBe(false);
    expect(judgeHandover({ ...asked, byDefault: why, cmdline: known("") }).known).toBe(false);
  });
});
