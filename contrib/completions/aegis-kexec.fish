# fish completion for aegis-kexec
# Made by "bun run docs" from the definitions of the command line: do not edit.

complete -c aegis-kexec -f

complete -c aegis-kexec -n __fish_use_subcommand -a boot -d 'verify, assemble and load a kernel, and hand over to it'
complete -c aegis-kexec -n __fish_use_subcommand -a load -d 'verify, assemble and load a kernel, and stop before the handover'
complete -c aegis-kexec -n __fish_use_subcommand -a exec -d 'hand over to the loaded kernel'
complete -c aegis-kexec -n __fish_use_subcommand -a unload -d 'drop the loaded kernel (--crash: the crash kernel)'
complete -c aegis-kexec -n __fish_use_subcommand -a status -d 'what is loaded, and what this machine allows'
complete -c aegis-kexec -n __fish_use_subcommand -a inspect -d 'what SOURCE is, whether it verifies, whether this machine would take it; loads nothing'
complete -c aegis-kexec -n __fish_use_subcommand -a manifest -d 'write the manifest of exactly what load would load, ready to sign'
complete -c aegis-kexec -n __fish_use_subcommand -a fetch -d 'verify a generation and store it in STORE, whole or not at all'
complete -c aegis-kexec -n __fish_use_subcommand -a bless -d 'what this system was started from works: take its boot counter off'
complete -c aegis-kexec -n __fish_use_subcommand -a help -d 'print the help of a command'
complete -c aegis-kexec -n '__fish_seen_subcommand_from help' -a 'boot load exec unload status inspect manifest fetch bless'
complete -c aegis-kexec -n __fish_use_subcommand -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n __fish_use_subcommand -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n __fish_use_subcommand -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n __fish_use_subcommand -l help -s h -d 'print this help'
complete -c aegis-kexec -n __fish_use_subcommand -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -F
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l entry -x -d 'where SOURCE has several entries: the one of this id, or of this title, or of this number from 0, not its default one'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l wait -x -d 'where SOURCE is on a disk or a server: how long to wait for that; default 30'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l no-modules -d 'as the first process of a machine: load no kernel modules'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l ca -r -F -d 'where SOURCE is a URL: trust this certificate authority alone, not those built in'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l client-cert -r -F -d 'where SOURCE is a URL: this machine\'s certificate, for servers that ask'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l client-key -r -F -d 'its key, where that is not in the certificate\'s file'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l profile -x -d 'where SOURCE is a UKI: the number of its profile; default 0'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l initrd -r -F -d 'an initramfs archive; repeat it, they are joined in the order given'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l cmdline -l command-line -x -d 'the whole command line of the new kernel'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l reuse-cmdline -d 'start from the running kernel\'s command line, without its BOOT_IMAGE= and initrd='
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l append -x -d 'add to the end of the command line that the source or the options above gave'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l secret -r -F -d 'put the file SRC (-: standard input, fd:N: a descriptor) at DEST in the new initramfs, in memory only, with mode 0400, or :MODE behind it; repeatable'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l trust -r -F -d 'accept only what this public key signed; repeat it to accept any of several'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l signature -r -F -d 'a detached signature; repeatable; default SOURCE.minisig, then SOURCE.sig, and with a threshold SOURCE.*.minisig, SOURCE.*.sig'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l threshold -x -d 'so many of the trusted keys must have signed; it can only raise the policy\'s number'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l min-generation -x -d 'refuse a manifest with a lower generation'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l policy -r -F -d 'a policy to obey; /etc/aegis-kexec/policy.json is always obeyed where it exists'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l acpi-rsdp -x -a 'auto' -d 'add acpi_rsdp= with the address of the ACPI tables; auto: only where the new kernel could not find them itself; x86_64 only'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l progress -x -a 'json' -d 'tell the phases of the work and their bytes, as JSON lines on standard error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l progress-fd -x -d 'tell them on descriptor N, which must be open'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l luks -x -d 'pass SRC on as the key of this LUKS volume, where the next initramfs looks for it; with :systemd, :initramfs-tools or :encrypt behind it where the archive does not tell which it is; repeatable'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l menu -d 'a list of SOURCE\'s entries to choose from, on a terminal'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l timeout -x -d 'with --menu: the default is taken after so many seconds without a key'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l lock -d 'once loaded, set kernel.kexec_load_disabled=1: nothing replaces the kernel until reboot'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l measure -x -d 'extend this PCR of the TPM (0 to 15) by kernel, initramfs and command line, before the jump'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l measure-log -x -d 'put the measurements\' log at DEST in the new initramfs'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l dry-run -d 'do everything but the system calls: nothing is loaded, nothing is replaced'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l log -r -F -d 'append a line of JSON on this attempt, flushed to disk before the handover'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l force -d 'do not go through systemd or another init: nothing is stopped, nothing is unmounted'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l no-sync -d 'do not flush file systems first: writes of the last seconds may be lost'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l quiesce -x -a '(__fish_append , net gpu usb storage)' -d 'detach drivers first: gpu, usb, net, storage or PCI addresses, with commas between'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l watchdog -x -d 'arm the hardware watchdog: a new kernel that hangs ends in a firmware reboot'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l on-failure -x -a 'return reboot poweroff shell' -d 'what to do when it fails: return (default), reboot (through firmware), poweroff or shell'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from boot' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -F
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l entry -x -d 'where SOURCE has several entries: the one of this id, or of this title, or of this number from 0, not its default one'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l wait -x -d 'where SOURCE is on a disk or a server: how long to wait for that; default 30'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l no-modules -d 'as the first process of a machine: load no kernel modules'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l ca -r -F -d 'where SOURCE is a URL: trust this certificate authority alone, not those built in'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l client-cert -r -F -d 'where SOURCE is a URL: this machine\'s certificate, for servers that ask'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l client-key -r -F -d 'its key, where that is not in the certificate\'s file'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l profile -x -d 'where SOURCE is a UKI: the number of its profile; default 0'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l initrd -r -F -d 'an initramfs archive; repeat it, they are joined in the order given'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l cmdline -l command-line -x -d 'the whole command line of the new kernel'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l reuse-cmdline -d 'start from the running kernel\'s command line, without its BOOT_IMAGE= and initrd='
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l append -x -d 'add to the end of the command line that the source or the options above gave'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l secret -r -F -d 'put the file SRC (-: standard input, fd:N: a descriptor) at DEST in the new initramfs, in memory only, with mode 0400, or :MODE behind it; repeatable'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l trust -r -F -d 'accept only what this public key signed; repeat it to accept any of several'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l signature -r -F -d 'a detached signature; repeatable; default SOURCE.minisig, then SOURCE.sig, and with a threshold SOURCE.*.minisig, SOURCE.*.sig'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l threshold -x -d 'so many of the trusted keys must have signed; it can only raise the policy\'s number'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l min-generation -x -d 'refuse a manifest with a lower generation'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l policy -r -F -d 'a policy to obey; /etc/aegis-kexec/policy.json is always obeyed where it exists'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l acpi-rsdp -x -a 'auto' -d 'add acpi_rsdp= with the address of the ACPI tables; auto: only where the new kernel could not find them itself; x86_64 only'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l progress -x -a 'json' -d 'tell the phases of the work and their bytes, as JSON lines on standard error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l progress-fd -x -d 'tell them on descriptor N, which must be open'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l luks -x -d 'pass SRC on as the key of this LUKS volume, where the next initramfs looks for it; with :systemd, :initramfs-tools or :encrypt behind it where the archive does not tell which it is; repeatable'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l menu -d 'a list of SOURCE\'s entries to choose from, on a terminal'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l timeout -x -d 'with --menu: the default is taken after so many seconds without a key'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l lock -d 'once loaded, set kernel.kexec_load_disabled=1: nothing replaces the kernel until reboot'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l measure -x -d 'extend this PCR of the TPM (0 to 15) by kernel, initramfs and command line, before the jump'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l measure-log -x -d 'put the measurements\' log at DEST in the new initramfs'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l dry-run -d 'do everything but the system calls: nothing is loaded, nothing is replaced'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l log -r -F -d 'append a line of JSON on this attempt, flushed to disk before the handover'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l crash -d 'load the crash kernel, which a panic starts, into the memory that crashkernel= reserved'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l check-image -d 'warn where a signed image is not what was signed; boot always does'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from load' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l force -d 'do not go through systemd or another init: nothing is stopped, nothing is unmounted'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l no-sync -d 'do not flush file systems first: writes of the last seconds may be lost'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l quiesce -x -a '(__fish_append , net gpu usb storage)' -d 'detach drivers first: gpu, usb, net, storage or PCI addresses, with commas between'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l watchdog -x -d 'arm the hardware watchdog: a new kernel that hangs ends in a firmware reboot'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l on-failure -x -a 'return reboot poweroff shell' -d 'what to do when it fails: return (default), reboot (through firmware), poweroff or shell'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l log -r -F -d 'append a line of JSON on this attempt, flushed to disk before the handover'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from exec' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from unload' -l crash -d 'drop the crash kernel, and leave the other one loaded'
complete -c aegis-kexec -n '__fish_seen_subcommand_from unload' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from unload' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from unload' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from unload' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from unload' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from status' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from status' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from status' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from status' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from status' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -F
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l entry -x -d 'where SOURCE has several entries: the one of this id, or of this title, or of this number from 0, not its default one'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l wait -x -d 'where SOURCE is on a disk or a server: how long to wait for that; default 30'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l no-modules -d 'as the first process of a machine: load no kernel modules'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l ca -r -F -d 'where SOURCE is a URL: trust this certificate authority alone, not those built in'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l client-cert -r -F -d 'where SOURCE is a URL: this machine\'s certificate, for servers that ask'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l client-key -r -F -d 'its key, where that is not in the certificate\'s file'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l profile -x -d 'where SOURCE is a UKI: the number of its profile; default 0'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l initrd -r -F -d 'an initramfs archive; repeat it, they are joined in the order given'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l cmdline -l command-line -x -d 'the whole command line of the new kernel'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l reuse-cmdline -d 'start from the running kernel\'s command line, without its BOOT_IMAGE= and initrd='
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l append -x -d 'add to the end of the command line that the source or the options above gave'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l secret -r -F -d 'put the file SRC (-: standard input, fd:N: a descriptor) at DEST in the new initramfs, in memory only, with mode 0400, or :MODE behind it; repeatable'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l trust -r -F -d 'accept only what this public key signed; repeat it to accept any of several'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l signature -r -F -d 'a detached signature; repeatable; default SOURCE.minisig, then SOURCE.sig, and with a threshold SOURCE.*.minisig, SOURCE.*.sig'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l threshold -x -d 'so many of the trusted keys must have signed; it can only raise the policy\'s number'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l min-generation -x -d 'refuse a manifest with a lower generation'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l policy -r -F -d 'a policy to obey; /etc/aegis-kexec/policy.json is always obeyed where it exists'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l acpi-rsdp -x -a 'auto' -d 'add acpi_rsdp= with the address of the ACPI tables; auto: only where the new kernel could not find them itself; x86_64 only'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l progress -x -a 'json' -d 'tell the phases of the work and their bytes, as JSON lines on standard error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l progress-fd -x -d 'tell them on descriptor N, which must be open'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l policy-root -x -a '(__fish_complete_directories)' -d 'rehearse with the policy and the keys of another system, whose root folder DIR is: those of this machine do not count'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l crash -d 'load the crash kernel, which a panic starts, into the memory that crashkernel= reserved'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from inspect' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -F
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l entry -x -d 'where SOURCE has several entries: the one of this id, or of this title, or of this number from 0, not its default one'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l wait -x -d 'where SOURCE is on a disk or a server: how long to wait for that; default 30'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l initrd -r -F -d 'an initramfs archive; repeat it, they are joined in the order given'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l cmdline -l command-line -x -d 'the whole command line of the new kernel'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l reuse-cmdline -d 'start from the running kernel\'s command line, without its BOOT_IMAGE= and initrd='
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l append -x -d 'add to the end of the command line that the source or the options above gave'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l verity -d 'also name each file\'s fs-verity digest: where the file system has it, a load needs no copy'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l content-names -d 'give each file a second name, sha256- and its digest, and list it by that: no cache can have another under the same name'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l generation -x -d 'the number to write, higher for each set that is signed; default 0'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from manifest' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -F
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l entry -x -d 'where SOURCE has several entries: the one of this id, or of this title, or of this number from 0, not its default one'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l wait -x -d 'where SOURCE is on a disk or a server: how long to wait for that; default 30'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l no-modules -d 'as the first process of a machine: load no kernel modules'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l ca -r -F -d 'where SOURCE is a URL: trust this certificate authority alone, not those built in'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l client-cert -r -F -d 'where SOURCE is a URL: this machine\'s certificate, for servers that ask'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l client-key -r -F -d 'its key, where that is not in the certificate\'s file'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l trust -r -F -d 'accept only what this public key signed; repeat it to accept any of several'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l signature -r -F -d 'a detached signature; repeatable; default SOURCE.minisig, then SOURCE.sig, and with a threshold SOURCE.*.minisig, SOURCE.*.sig'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l threshold -x -d 'so many of the trusted keys must have signed; it can only raise the policy\'s number'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l min-generation -x -d 'refuse a manifest with a lower generation'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l policy -r -F -d 'a policy to obey; /etc/aegis-kexec/policy.json is always obeyed where it exists'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l keep -x -d 'how many generations stay in the store; default 3'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l progress -x -a 'json' -d 'tell the phases of the work and their bytes, as JSON lines on standard error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l progress-fd -x -d 'tell them on descriptor N, which must be open'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from fetch' -l version -d 'print the version'

complete -c aegis-kexec -n '__fish_seen_subcommand_from bless' -F
complete -c aegis-kexec -n '__fish_seen_subcommand_from bless' -l json -d 'print one JSON object on standard output: the result, or the error'
complete -c aegis-kexec -n '__fish_seen_subcommand_from bless' -l quiet -d 'print errors only: no result text, no warnings'
complete -c aegis-kexec -n '__fish_seen_subcommand_from bless' -l verbose -d 'say on standard error what is being done'
complete -c aegis-kexec -n '__fish_seen_subcommand_from bless' -l help -s h -d 'print this help'
complete -c aegis-kexec -n '__fish_seen_subcommand_from bless' -l version -d 'print the version'

# Under the name kexec it has the options of kexec-tools
complete -c kexec -s h
complete -c kexec -l help
complete -c kexec -s v
complete -c kexec -l version
complete -c kexec -s f
complete -c kexec -l force
complete -c kexec -s i
complete -c kexec -l no-checks
complete -c kexec -s x
complete -c kexec -l no-ifdown
complete -c kexec -s y
complete -c kexec -l no-sync
complete -c kexec -s l
complete -c kexec -l load
complete -c kexec -s u
complete -c kexec -l unload
complete -c kexec -s e
complete -c kexec -l exec
complete -c kexec -s t -x
complete -c kexec -l type -x
complete -c kexec -s p
complete -c kexec -l load-panic
complete -c kexec -s s
complete -c kexec -l kexec-file-syscall
complete -c kexec -s a
complete -c kexec -l kexec-syscall-auto
complete -c kexec -s d
complete -c kexec -l debug
complete -c kexec -s S
complete -c kexec -l status
complete -c kexec -l print-ckr-size
complete -c kexec -l reset-vga
complete -c kexec -l console-vga
complete -c kexec -l elf64-core-headers
complete -c kexec -l command-line -x
complete -c kexec -l append -x
complete -c kexec -l reuse-cmdline
complete -c kexec -l initrd -r -F
complete -c kexec -l ramdisk -r -F
complete -c kexec -l args-linux
complete -c kexec -l hotplug
complete -c kexec -l no-cma
complete -c kexec -l force-dtb
