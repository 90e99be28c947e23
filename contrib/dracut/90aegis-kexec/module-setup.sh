#!/bin/bash
# Puts aegis-kexec into every initramfs that dracut makes.
# Install this folder as /usr/lib/dracut/modules.d/90aegis-kexec.
#
# dracut strips what it installs. It cannot spare one file, and need not: the
# binary has no section table, so strip leaves it as it is.

check() {
    require_binaries aegis-kexec || return 1
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
        [[ ! -f $file ]] || inst_simple "$file"
    done
}
