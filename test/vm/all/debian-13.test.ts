/** The page about the install, on the newer stable release of Debian. */
import { trixieImage } from "../lib/systemd-image.ts";
import { installPageScenario } from "../scenarios/install-page.ts";

installPageScenario("Debian 13", trixieImage, "/usr/sbin/kexec");
