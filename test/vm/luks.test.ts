/** Debian on a LUKS2 root comes up without a question, by the key that `--luks` passes on. */
import { opensLuksRoot } from "./scenarios/luks-root.ts";

opensLuksRoot("initramfs-tools");
