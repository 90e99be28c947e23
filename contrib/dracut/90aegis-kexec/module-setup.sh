#!/bin/bash
# Puts aegis-kexec into every initramfs that dracut makes.
# Install this folder as /usr/lib/dracut/modules.d/90aegis-kexec. The Debian package has it; while
# /etc/aegis-kexec/initramfs.conf says INITRAMFS=no, it is put only where dracut is told to add it.
#
# With NETWORK=yes there dracut sets the network up, whatever the root is.
#
# dracut strips what it installs. It cannot spare one file, and need not: the
# binary has no section table, so strip leaves it as it is.

check() {
    require_binaries aegis-kexec || return 1
    # The runtime needs x86-64-v2.
    if [ "$(uname -m)" = x86_64 ] && ! grep -qw sse4_2 /proc/cpuinfo 2>/dev/null; then
        dwarn "aegis-kexec will not run on this processor, which has no SSE4.2"
    fi
    # dracut.modules(7): only where it is asked for by name
    ! grep -qsx INITRAMFS=no "${dracutsysrootdir-}/etc/aegis-kexec/initramfs.conf" || return 255
    return 0
}

# NETWORK=yes: dracut's own network, with what ip= says or DHCP (dracut.cmdline(7))
wants_network() {
    grep -qsx NETWORK=yes "${dracutsysrootdir-}/etc/aegis-kexec/initramfs.conf"
}

depends() {
    if wants_network; then
        if [ -d "${dracutbasedir:-/usr/lib/dracut}/modules.d/40network" ] || [ -d "${dracutbasedir:-/usr/lib/dracut}/modules.d/45net-lib" ]; then
            echo network
        else
            dwarn "aegis-kexec: NETWORK=yes, and dracut has no module for the network (package dracut-network)"
        fi
    fi
    return 0
}

install() {
    local file

    # With its loader and libraries
    inst_binary "$(command -v aegis-kexec)" /sbin/aegis-kexec

    if wants_network; then
        mkdir -p "$initdir/etc/cmdline.d"
        echo rd.neednet=1 >"$initdir/etc/cmdline.d/90-aegis-kexec-network.conf"
    fi

    # The policy and the public keys beside it
    for file in /etc/aegis-kexec/*; do
        [[ ! -f $file || $file == */initramfs.conf ]] || inst_simple "$file"
    done
}
