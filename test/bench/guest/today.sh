# What one does today, as shell functions: sourced beside measure.sh.
entries=/run/boot-loader-entries
# Joined archives go to /run, a tmpfs, as they would in an initramfs.

kexec_tools() { # KERNEL INITRD
  kexec -s -l "$1" --initrd="$2" --command-line="$cmdline"
}

# systemd's own loader, of its default boot entry; with nobody to hand over to it fails once that is loaded.
systemctl_load() { # KERNEL INITRD
  printf 'linux %s\ninitrd %s\noptions %s\n' "$1" "$2" "$cmdline" >$entries/loader/entries/next.conf
  systemctl kexec --no-wall
  read -r loaded </sys/kernel/kexec_loaded
  [ "$loaded" = 1 ]
}

# The joined copy is taken away again, as a secret in it demands: both ways end with nothing left.
join_then_load() { # KERNEL INITRD...
  kernel=$1
  shift
  cat "$@" >/run/joined.img && kexec_tools "$kernel" /run/joined.img && rm /run/joined.img
}

minisign_both() { # KERNEL INITRD
  minisign -V -q -p /etc/org.pub -m "$1" && minisign -V -q -p /etc/org.pub -m "$2"
}

openssl_one() { # FILE
  openssl pkeyutl -verify -pubin -inkey /etc/org.pem -rawin -in "$1" -sigfile "$1.sig"
}

# The least that a digest of both files costs, and nothing that compares it.
digest_then_load() { # KERNEL INITRD
  openssl dgst -sha256 "$1" "$2" && /bench/floor "$1" "$cmdline" "$2"
}

minisign_then_load() { # KERNEL INITRD
  minisign_both "$1" "$2" && kexec_tools "$1" "$2"
}

minisign_join_load() { # KERNEL INITRD KEY
  minisign_both "$1" "$2" && join_then_load "$1" "$2" "$3"
}

openssl_join_load() { # KERNEL INITRD KEY
  openssl_one "$1" && openssl_one "$2" && join_then_load "$1" "$2" "$3"
}
