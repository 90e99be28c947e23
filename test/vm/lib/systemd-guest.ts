/** A disk with systemd in a guest, and what is put into its /run. */

/** Mounts the disk, puts the test's files and units into its /run, gives it a /boot to mount, and goes over to it. */
export const diskInit = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for round in 1 2; do for module in /lib/modules/*.ko; do insmod $module 2>/dev/null; done; done
mkdir /new
mount -t ext4 /dev/vda /new
mount -t tmpfs tmpfs /new/run
cp -a /payload/. /new/run/
ln -s /run/aegis-kexec /new/usr/sbin/aegis-kexec
echo '/run/boot /boot none bind 0 0' >/new/etc/fstab
exec switch_root /new /sbin/init
`;

/** A unit that speaks on the console, behind others. */
export const handover = (command: string, behind: string) => `[Unit]
After=${behind} multi-user.target
Wants=${behind}
[Service]
ExecStart=${command}
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
`;
