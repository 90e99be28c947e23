/** The Debian package of a release, on Debian's own disk: installed, used, upgraded, removed and purged. */
import { systemdImage } from "./lib/systemd-image.ts";
import { debianPackageScenario } from "./scenarios/debian-package.ts";

debianPackageScenario("debian-6.12", systemdImage, "systemctl enable aegis-kexec-load.service");
