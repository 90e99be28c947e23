/**
 * What a path in a boot entry may mean. UAPI.1 counts it from the root of the file system that has the
 * entries; people have entries that count from elsewhere, because the file system is mounted elsewhere
 * here, or is a subvolume. Pure.
 */

/**
 * What is the root or /boot itself: a subvolume of Ubuntu, openSUSE and Arch, and of Fedora; snapper's snapshot
 * that openSUSE boots; a dataset of ZFS, as GRUB names one (`BOOT/debian@/vmlinuz`).
 */
const subvolume =
  /^(?:(?:@\/)?\.snapshots\/\d+\/snapshot|@[\w.-]*|root|rootfs|(?:[\w.:-]+\/)*[\w.:-]+@[\w.:-]*)\//;
/** Where the file system is mounted on its own machine: the longest first. */
const mountPoints = ["boot/efi/", "boot/", "efi/"];

/**
 * The paths to look for, from the root of the tree and without a slash in front, the plain meaning first.
 * @param root Canonical path of that root here.
 */
export function readingsOf(path: string, root: string): readonly string[] {
  const plain = path.replace(/^\/+/, "");
  const slashed = normalised(path.replaceAll("\\", "/"));
  const withoutSubvolume = slashed.replace(subvolume, "");
  const forms = [slashed, withoutSubvolume];
  const own = withoutFolder(root, slashed);
  const mounted = forms.flatMap((form) =>
    mountPoints
      .filter((prefix) => form.startsWith(prefix))
      .map((prefix) => form.slice(prefix.length)),
  );
  const all = [plain, ...forms, ...(own === undefined ? [] : [own]), ...mounted];
  return [...new Set(all)].filter((form) => form !== "");
}

/** Without what means nothing in a path: `//`, `/./`, a slash at its ends. */
function normalised(path: string): string {
  return path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .join("/");
}

/** `boot/vmlinuz` in `/mnt/boot`: `vmlinuz`. */
export function withoutFolder(folder: string, path: string): string | undefined {
  const names = folder.split("/").slice(1);
  const own = names
    .map((_, index) => `${names.slice(index).join("/")}/`)
    .find((end) => end !== "/" && path.startsWith(end) && path.length > end.length);
  return own === undefined ? undefined : path.slice(own.length);
}
