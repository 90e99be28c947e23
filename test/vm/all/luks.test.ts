/** A LUKS2 root that an initramfs of dracut opens by the key that `--luks` passes on. */
import { opensLuksRoot } from "../scenarios/luks-root.ts";

opensLuksRoot("dracut");
