/** The same with an initramfs of dracut. */
import { opensLuksRoot } from "../scenarios/luks-root.ts";

opensLuksRoot("dracut");
