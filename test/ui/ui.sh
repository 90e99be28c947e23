#!/bin/sh
# A user interface for a machine that has a shell and no more: ui.sh SOURCE [options of load]
# It reads words of the contract only (phase, code, action, details), and speaks German.
value() { printf '%s\n' "$2" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }
result=/tmp/ui-result
show() {
	total=$(value total "$1") done=$(value done "$1")
	case $total in '' | null | 0) percent= ;; *) percent=" $((done * 100 / total)) %" ;; esac
	case $(value phase "$1") in
	open) echo "Öffnen ..." ;;
	call) echo "Übergabe an den Kern$percent" ;;
	*) echo "Vorbereiten$percent" ;;
	esac
}
aegis-kexec load "$@" --json --progress-fd 3 3>&1 >$result 2>/dev/null | while read -r line; do show "$line"; done
error=$(cat $result)
code=$(value code "$error") signer=$(printf '%s\n' "$error" | sed -n 's/.*"signer":"\([^"]*\)".*/\1/p')
[ "$code" != lockdown ] || code=$(value because "$error")
case $code in
'') echo "Geladen." && exit 0 ;;
kernel-unsigned) echo "Nicht unterschrieben." ;;
kernel-signer-unknown) echo "Unterschrieben von $signer, dem dieser Rechner nicht vertraut." ;;
kernel-signature-revoked) echo "Die Unterschrift von $signer ist widerrufen." ;;
kernel-changed-after-signing) echo "Nach der Unterschrift verändert." ;;
kernel-signature-*) echo "Die Unterschrift ist nicht zu gebrauchen." ;;
*) echo "Nicht geladen ($code)." ;;
esac
case $(value action "$error") in
choose-another) echo "Anderes System wählen." ;;
copy-again) echo "Neu kopieren." ;;
enrol-key) echo "Schlüssel eintragen oder anderes System wählen." ;;
free-memory) echo "Speicher freigeben." ;;
reboot-first) echo "Zuerst neu starten." ;;
*) echo "Betreuer fragen." ;;
esac
exit 1
