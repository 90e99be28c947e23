/** The Debian package for arm64, on a disk with Debian for arm64. */
import { arm64Image } from "../lib/arm64-image.ts";
import { debianPackageScenario } from "../scenarios/debian-package.ts";

/** As systemctl does, which is not on that disk. */
const enable =
  "sh -ec 'cd /etc/systemd; mkdir -p system/multi-user.target.wants; ln -s /usr/lib/systemd/system/aegis-kexec-load.service system/multi-user.target.wants'";

// Debian builds none of arm64 with kexec_file_load
debianPackageScenario("aarch64-full", arm64Image, enable);
