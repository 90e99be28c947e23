/** A disk with Debian for arm64, made on a machine that need not run its programs. */
import { join } from "node:path";
import { cacheFolder } from "./host.ts";
import { makeImage, type Way, writeImage } from "./systemd-image.ts";

/** What is essential, without systemd. ext4, without a partition table; copy it before a guest writes to it. */
export const arm64Image = join(cacheFolder, "debian-arm64.ext4");

/** Merges /usr in front of the packages: usrmerge merges that of the machine that it is installed from. */
const mergedUsr = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr";

/**
 * Scripts of packages are run by this machine's programs, and told by DPKG_ROOT where to work: dpkg(1),
 * --force-script-chrootless. One that does not listen must not have the right to change this machine, so
 * all of it is run by a user without rights, whom fakeroot lets see root's files.
 */
export const withoutChroot: Way = {
  tools: ["fakeroot", "setpriv"],
  command: (mmdebstrap, suite, image) => {
    const script = `image=$1
shift
place=$(mktemp -d /var/tmp/aegis-kexec-XXXXXX)
trap 'rm -rf "$place"' EXIT
trap 'exit 1' HUP INT TERM
cd "$place"
without_rights=
if [ "$(id -u)" = 0 ]; then
  chown nobody .
  without_rights='setpriv --reuid=nobody --regid=nogroup --clear-groups'
fi
HOME=$place TMPDIR=$place $without_rights fakeroot "$@"
cp --sparse=always image "$image"`;
    return [
      ...["sh", "-euc", script, "sh", image, ...mmdebstrap],
      ...["--mode=chrootless", "--architectures=arm64", mergedUsr],
      `--customize-hook=${writeImage("$1", '"$1/../image"')}`,
      ...[suite, "/dev/null"],
    ];
  },
};

/** As `makeImage` does. */
export function makeArm64Image(report: (line: string) => void): Promise<string | undefined> {
  return makeImage(arm64Image, ["usr-is-merged"], report, "bookworm", withoutChroot);
}
