#!/bin/bash
# Puts aegis-kexec into every initramfs that dracut makes.
# Install this folder as /usr/lib/dracut/modules.d/90aegis-kexec. The Debian package has it; while
# /etc/aegis-kexec/initramfs.conf says INITRAMFS=no, it is put only where dracut is told to add it.
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

depends() {
    return 0
}

install() {
    local file

    # With its loader and libraries
    inst_binary "$(command -v aegis-kexec)" /sbin/aegis-kexec

    # The policy and the public keys beside it
    for file in /etc/aegis-kexec/*; do
        [[ ! -f $file || $file == */initramfs.conf ]] || inst_simple "$file"
    done
}
