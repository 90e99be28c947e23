# zsh -f offered.zsh FILE LINE RECORD: what zsh offers at the end of LINE with the completion in
# FILE, one `offer:WORD` a line into RECORD, then `end`. Completion needs a terminal: zshmodules(1), zpty.
file=$1 line=$2 record=$3
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "stty -echo; PS1=; record=$record; fpath=(${file:h} \$fpath)"
zpty -w shell 'autoload -Uz compinit; compinit -u -D
compadd() {
  local -a matching
  builtin compadd -O matching "$@"
  (( $#matching )) && print -l -- "offer:"$^matching >>$record
  builtin compadd "$@"
}
finish() { print end >>$record }
zle -N finish
bindkey "^X" finish
print ready >>$record'

# At most 15 s for each
await() {
  local attempt
  for ((attempt = 0; attempt < 300; attempt++)); do
    [[ -r $record && $(<$record) == *$1* ]] && return
    sleep 0.05
  done
  exit 1
}
await ready
zpty -wn shell "$line"$'\t\x18'
await end
zpty -d shell
