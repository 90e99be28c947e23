/** The Debian package: binary, manual page, completions, hooks, units and settings. */
import { join } from "node:path";
import { type Release, secondsOf } from "./changelog.ts";
import { type ArchiveFile, ar, tar } from "./tar.ts";

const root = join(import.meta.dir, "..", "..");
const own = join(import.meta.dir, "debian");
const encoder = new TextEncoder();

/** By which a package names who answers for it, where none is given. */
export const nobody = "aegis-kexec authors <aegis-kexec@packages.invalid>";

export interface DebianOptions {
  readonly architecture: "amd64" | "arm64";
  readonly binary: Uint8Array;
  /** What the binary contains, with its licences. */
  readonly notices: string;
  /** The newest first; its first one is the package's. */
  readonly releases: readonly Release[];
  /** `NAME <ADDRESS>`. */
  readonly maintainer: string;
}

/** Where files of contrib/ and of this folder's debian/ are installed. */
const placed: readonly (readonly [from: string, to: string, mode: 0o644 | 0o755])[] = [
  [
    "contrib/completions/aegis-kexec.bash",
    "usr/share/bash-completion/completions/aegis-kexec",
    0o644,
  ],
  ["contrib/completions/_aegis-kexec", "usr/share/zsh/vendor-completions/_aegis-kexec", 0o644],
  [
    "contrib/completions/aegis-kexec.fish",
    "usr/share/fish/vendor_completions.d/aegis-kexec.fish",
    0o644,
  ],
  ["contrib/initramfs-tools/hook", "usr/share/initramfs-tools/hooks/aegis-kexec", 0o755],
  [
    "contrib/dracut/90aegis-kexec/module-setup.sh",
    "usr/lib/dracut/modules.d/90aegis-kexec/module-setup.sh",
    0o755,
  ],
  [
    "contrib/systemd/aegis-kexec-load.service",
    "usr/lib/systemd/system/aegis-kexec-load.service",
    0o644,
  ],
  [
    "contrib/systemd/aegis-kexec-refused.service",
    "usr/lib/systemd/system/aegis-kexec-refused.service",
    0o644,
  ],
  ["contrib/status.schema.json", "usr/share/aegis-kexec/status.schema.json", 0o644],
  ["contrib/ansible/upgrade.yml", "usr/share/doc/aegis-kexec/examples/upgrade.yml", 0o644],
  [
    "contrib/ansible/fetch-upgrade.yml",
    "usr/share/doc/aegis-kexec/examples/fetch-upgrade.yml",
    0o644,
  ],
  ["README.md", "usr/share/doc/aegis-kexec/README.md", 0o644],
  ["SECURITY.md", "usr/share/doc/aegis-kexec/SECURITY.md", 0o644],
  ["build/release/debian/overrides", "usr/share/lintian/overrides/aegis-kexec", 0o644],
  ["build/release/debian/initramfs.conf", "etc/aegis-kexec/initramfs.conf", 0o644],
  ["build/release/debian/default", "etc/default/aegis-kexec", 0o644],
];

/** Scripts of the package: deb-postinst(5) and its like. */
const scripts = ["postinst", "prerm", "postrm"] as const;

export const debianVersion = ({ version }: Release) => `${version}-1`;

export function debianName(release: Release, architecture: string): string {
  return `aegis-kexec_${debianVersion(release)}_${architecture}.deb`;
}

/** The package's bytes: deb(5). Equal files give equal bytes. */
export async function debianPackage(options: DebianOptions): Promise<Uint8Array> {
  const [release] = options.releases;
  if (release === undefined) throw new Error("a package is of a release");
  const seconds = secondsOf(release);
  const files = await contents(options);
  const settings = files.filter(({ path }) => path.startsWith("etc/"));
  const control: ArchiveFile[] = [
    textFile("control", controlOf(options, release, files)),
    textFile("conffiles", settings.map(({ path }) => `/${path}\n`).join("")),
    textFile(
      "md5sums",
      files
        .filter((file) => !settings.includes(file))
        .map(({ path, data }) => `${md5(data)}  ${path}\n`)
        .sort()
        .join(""),
    ),
  ];
  for (const name of scripts) {
    const data = await Bun.file(join(own, name)).bytes();
    control.push({ path: name, mode: 0o755, data });
  }
  return ar(
    [
      ["debian-binary", encoder.encode("2.0\n")],
      ["control.tar.gz", compressed(tar(control, seconds, "./"))],
      ["data.tar.gz", compressed(tar(files, seconds, "./"))],
    ],
    seconds,
  );
}

async function contents(options: DebianOptions): Promise<ArchiveFile[]> {
  const { binary, notices, releases, maintainer } = options;
  const doc = "usr/share/doc/aegis-kexec";
  const read = (path: string) => Bun.file(join(root, path)).bytes();
  const files: ArchiveFile[] = [
    { path: "usr/sbin/aegis-kexec", mode: 0o755, data: binary },
    {
      path: "usr/share/man/man8/aegis-kexec.8.gz",
      mode: 0o644,
      data: compressed(await read("contrib/man/aegis-kexec.8")),
    },
    textFile(`${doc}/copyright`, await copyright(notices)),
    { path: `${doc}/changelog.gz`, mode: 0o644, data: compressed(await read("CHANGELOG.md")) },
    {
      path: `${doc}/changelog.Debian.gz`,
      mode: 0o644,
      data: compressed(encoder.encode(debianChangelog(releases, maintainer))),
    },
  ];
  for (const [from, to, mode] of placed) files.push({ path: to, mode, data: await read(from) });
  for (const page of [...new Bun.Glob("*").scanSync({ cwd: join(root, "docs") })].sort()) {
    files.push({ path: `${doc}/docs/${page}`, mode: 0o644, data: await read(`docs/${page}`) });
  }
  return files;
}

function controlOf(
  { architecture, maintainer }: DebianOptions,
  release: Release,
  files: readonly ArchiveFile[],
): string {
  // KiB, as dpkg-gencontrol(1) counts: each file rounded up
  const size = files.reduce((total, { data }) => total + Math.ceil(data.length / 1024), 0);
  return `Package: aegis-kexec
Version: ${debianVersion(release)}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: libc6 (>= 2.17)
Suggests: minisign, initramfs-tools | dracut-core
Section: admin
Priority: optional
Description: verified handover from one Linux kernel to the next
 Verifies a kernel, its initramfs and its command line, loads them by
 kexec_file_load and hands this machine over to them, without going through
 firmware. What was verified is what is loaded, and a failed load is never
 followed by a handover.
 .
 Sources are kernels, unified kernel images, signed manifests, boot entries,
 menus of boot loaders and ISO images. Called as kexec, by a link, it takes the
 options of kexec-tools.
`;
}

/** deb-changelog(5). What changed stands in the changelog of the release. */
function debianChangelog(releases: readonly Release[], maintainer: string): string {
  const entries = releases.map((release) => {
    const date = new Date(secondsOf(release) * 1000).toUTCString().replace("GMT", "+0000");
    const head = `aegis-kexec (${debianVersion(release)}) unstable; urgency=medium`;
    return `${head}\n\n  * Release ${release.version}: see changelog.gz.\n\n -- ${maintainer}  ${date}\n`;
  });
  return entries.join("\n");
}

async function copyright(notices: string): Promise<string> {
  const licence = await Bun.file(join(root, "LICENSE-MIT")).text();
  const lesser =
    "On Debian systems the GNU Lesser General Public License is in /usr/share/common-licenses/LGPL-2 and LGPL-2.1.";
  return `aegis-kexec\n\n${licence.trim()}\n\n\n${notices}\n\n${lesser}\n`;
}

function textFile(path: string, text: string): ArchiveFile {
  return { path, mode: 0o644, data: encoder.encode(text) };
}

function compressed(data: Uint8Array): Uint8Array {
  return Bun.gzipSync(new Uint8Array(data), { level: 9 });
}

function md5(data: Uint8Array): string {
  return new Bun.CryptoHasher("md5").update(data).digest("hex");
}
