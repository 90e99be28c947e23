import { describe, expect, test } from "bun:test";
import { crashkernelSize, nextMemory, sizeIn } from "../../../src/diagnosis/next-memory.ts";
import { fileShare, judgeRoom } from "../../../src/diagnosis/unpack-room.ts";
import { rangesIn } from "../../../src/machine/memory-ranges.ts";

const mib = 1 << 20;
const gib = 1 << 30;
/** 4 GiB with a hole below them, as on a PC. */
const pc = [
  { start: 0, end: 640 * 1024 },
  { start: mib, end: 3 * gib },
  { start: 4 * gib, end: 5 * gib },
];
const all = 4 * gib - mib + 640 * 1024;

describe("the memory that the next kernel will have", () => {
  test.each([
    ["", all, all],
    ["mem=512M", 511 * mib + 640 * 1024, 511 * mib + 640 * 1024],
    ["mem=nopentium", all, all],
    ["mem=2G mem=1G quiet", gib - mib + 640 * 1024, gib - mib + 640 * 1024],
    ["crashkernel=256M", all, all - 256 * mib],
    ["crashkernel=256M@64M", all, all - 256 * mib],
    ["crashkernel=1G-2G:64M,2G-:192M", all, all - 192 * mib],
    ["crashkernel=1G,high crashkernel=256M,low", all, all - 1280 * mib],
    ["crashkernel=1G,cma", all, all],
    ["hugepages=100", all, all - 200 * mib],
    ["hugepagesz=1G hugepages=1 hugepagesz=2M hugepages=0:5,1:5", all, all - gib - 20 * mib],
    ["kho=on kho_scratch=32M,64M,32M", all, all - 128 * mib],
    ["kho_scratch=32M,64M,32M", all, all],
    ["init=x -- mem=1M", all, all],
  ])("%p", (cmdline, most, likely) => {
    expect(nextMemory(pc, cmdline, "x86_64", undefined)).toMatchObject({ most, likely });
  });

  test("arm64 counts memory, not addresses", () => {
    const board = [{ start: gib, end: 5 * gib }];
    expect(nextMemory(board, "mem=2G", "aarch64", undefined).most).toBe(2 * gib);
  });

  test("a crash kernel has what is reserved for it", () => {
    const memory = nextMemory(pc, "crashkernel=1G", "x86_64", 256 * mib);
    expect(memory).toMatchObject({ most: 256 * mib, likely: 256 * mib });
  });

  test("numbers as the kernel reads them", () => {
    expect(["1", "2k", "3M", "4G", "0x10K", "", "x", "-1"].map(sizeIn)).toEqual([
      1,
      2048,
      3 * mib,
      4 * gib,
      16 * 1024,
      undefined,
      undefined,
      undefined,
    ]);
    expect(crashkernelSize("crashkernel=4G-:1G", gib)).toBe(0);
  });

  test("ranges of /proc/iomem", () => {
    const text = `00001000-0009ffff : System RAM
000f0000-000fffff : System ROM
00100000-7ffdffff : System RAM
  01000000-01ffffff : Kernel code
`;
    expect(rangesIn(text)).toEqual([
      { start: 0x1000, end: 0xa0000 },
      { start: 0x100000, end: 0x7ffe0000 },
    ]);
  });
});

test("where the files go, and how much of the memory they may take", () => {
  expect(fileShare("root=/dev/sda1")).toBe(1);
  expect(fileShare("quiet")).toBe(0.5);
  expect(fileShare("root=/dev/sda1 rootfstype=tmpfs")).toBe(0.5);
  expect(fileShare("rootfstype=ramfs")).toBe(1);
  expect(fileShare("initramfs_options=size=90%")).toBe(0.9);
});

describe("the verdict", () => {
  const memory = { most: 512 * mib, likely: 512 * mib, words: ["mem=512M"] };
  const need = { archive: 50 * mib, least: 60 * mib, likely: 150 * mib, kernel: 30 * mib };
  const judge = (more: Partial<typeof need>, share = 1, crash = false) =>
    judgeRoom({ ...need, ...more }, memory, { share, crash });

  test("it fits", () => {
    expect(judge({})).toEqual({ fits: true });
    expect(judge({ likely: 250 * mib })).toEqual({ fits: true });
  });

  test("it may not", () => {
    const tight = judge({ likely: 400 * mib });
    expect(tight).toMatchObject({ fits: false, certain: false });
    expect("text" in tight && tight.text).toContain("50.0 MiB with 400.0 MiB in it");
    expect("text" in tight && tight.text).toContain("memory is 512.0 MiB, by mem=512M");
    const share = judge({ likely: 270 * mib }, 0.5);
    expect("text" in share && share.text).toContain("a tmpfs takes 50 % of");
  });

  test("it cannot: only what is in it at least counts", () => {
    expect(judge({ least: 520 * mib, likely: 530 * mib })).toMatchObject({
      certain: true,
      cause: { code: "no-room" },
    });
    expect(judge({ least: 60 * mib, likely: 5000 * mib })).toMatchObject({ certain: false });
    expect(judge({ least: 520 * mib, likely: 530 * mib }, 1, true)).toMatchObject({
      cause: { hint: expect.stringContaining("crashkernel=") },
    });
  });

  test("what the kernel itself has no place for is left to it", () => {
    expect(judge({ archive: 500 * mib, least: 600 * mib })).toEqual({ fits: true });
  });
});
