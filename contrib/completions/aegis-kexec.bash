# bash completion for aegis-kexec
# Made by "bun run docs" from the definitions of the command line: do not edit.

_aegis_kexec() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' word options='' source=''
  # --option=value is three words here
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* ]]; then
      command=$word
      break
    fi
  done
  COMPREPLY=()

  case $prev in
    --entry | --wait | --profile | --cmdline | --command-line | --append | --threshold | --min-generation | --progress-fd | --luks | --timeout | --measure | --measure-log | --watchdog | --generation | --keep)
      :
      return
      ;;
    --ca | --client-cert | --client-key | --initrd | --secret | --trust | --signature | --policy | --log)
      _aegis_kexec_files "$cur"
      return
      ;;
    --acpi-rsdp)
      mapfile -t COMPREPLY < <(compgen -W 'auto' -- "$cur")
      return
      ;;
    --progress)
      mapfile -t COMPREPLY < <(compgen -W 'json' -- "$cur")
      return
      ;;
    --quiesce)
      local done=${cur%"${cur##*,}"}
      mapfile -t COMPREPLY < <(compgen -W 'net gpu usb storage' -- "${cur##*,}")
      COMPREPLY=("${COMPREPLY[@]/#/$done}")
      return
      ;;
    --on-failure)
      mapfile -t COMPREPLY < <(compgen -W 'return reboot poweroff shell' -- "$cur")
      return
      ;;
    --policy-root)
      _aegis_kexec_files "$cur" -d
      return
      ;;
  esac
  case $command in
    '')
      options='boot load exec unload status inspect manifest fetch bless help --json --quiet --verbose --help -h --version'
      ;;
    help)
      options='boot load exec unload status inspect manifest fetch bless'
      ;;
    boot)
      options='--entry --wait --no-modules --ca --client-cert --client-key --profile --initrd --cmdline --command-line --reuse-cmdline --append --secret --trust --signature --threshold --min-generation --policy --acpi-rsdp --progress --progress-fd --luks --menu --timeout --lock --measure --measure-log --dry-run --log --force --no-sync --quiesce --watchdog --on-failure --json --quiet --verbose --help -h --version'
      source=yes
      ;;
    load)
      options='--entry --wait --no-modules --ca --client-cert --client-key --profile --initrd --cmdline --command-line --reuse-cmdline --append --secret --trust --signature --threshold --min-generation --policy --acpi-rsdp --progress --progress-fd --luks --menu --timeout --lock --measure --measure-log --dry-run --log --crash --check-image --json --quiet --verbose --help -h --version'
      source=yes
      ;;
    exec)
      options='--force --no-sync --quiesce --watchdog --on-failure --log --json --quiet --verbose --help -h --version'
      ;;
    unload)
      options='--crash --json --quiet --verbose --help -h --version'
      ;;
    status)
      options='--json --quiet --verbose --help -h --version'
      ;;
    inspect)
      options='--entry --wait --no-modules --ca --client-cert --client-key --profile --initrd --cmdline --command-line --reuse-cmdline --append --secret --trust --signature --threshold --min-generation --policy --acpi-rsdp --progress --progress-fd --policy-root --crash --json --quiet --verbose --help -h --version'
      source=yes
      ;;
    manifest)
      options='--entry --wait --initrd --cmdline --command-line --reuse-cmdline --append --verity --content-names --generation --json --quiet --verbose --help -h --version'
      source=yes
      ;;
    fetch)
      options='--entry --wait --no-modules --ca --client-cert --client-key --trust --signature --threshold --min-generation --policy --keep --progress --progress-fd --json --quiet --verbose --help -h --version'
      source=yes
      ;;
    bless)
      options='--json --quiet --verbose --help -h --version'
      source=yes
      ;;
  esac
  if [[ -n $source && $cur != -* ]]; then
    _aegis_kexec_files "$cur"
  else
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  fi
}

_aegis_kexec_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "${2:--f}" -- "$1")
}

complete -F _aegis_kexec aegis-kexec

# Under the name kexec it has the options of kexec-tools
_aegis_kexec_as_kexec() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  case $prev in
    -t | --type | --command-line | --append)
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '-h --help -v --version -f --force -i --no-checks -x --no-ifdown -y --no-sync -l --load -u --unload -e --exec -t --type -p --load-panic -s --kexec-file-syscall -a --kexec-syscall-auto -d --debug -S --status --print-ckr-size --reset-vga --console-vga --elf64-core-headers --command-line --append --reuse-cmdline --initrd --ramdisk --args-linux --hotplug --no-cma --force-dtb' -- "$cur")
  else
    _aegis_kexec_files "$cur"
  fi
}

complete -F _aegis_kexec_as_kexec kexec
