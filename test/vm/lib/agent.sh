#!/bin/sh
# The first process of a guest: announces itself to the host, then runs what
# the host sends. Each answer is a record: \002, a gzip stream whose last line
# says what it is, \003end\004. Kernel messages on the same line end up around
# the records, or inside one, where gzip's checksum gives them away; the host
# then asks again. It needs busybox and writes only below /.bench/run.
# Under emulation a process costs 10 ms: hence the shell's own read and echo.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
. /.bench/config # PORT, MOUNTS

work=/.bench/run
mount -t tmpfs -o mode=0700 agent $work

for kind in $MOUNTS; do
  case $kind in
    proc) mount -t proc proc /proc ;;
    sysfs) mount -t sysfs sysfs /sys ;;
    devtmpfs) mount -t devtmpfs devtmpfs /dev ;;
    securityfs) mount -t securityfs securityfs /sys/kernel/security ;;
  esac
done 2>$work/mounts

mkdir $work/proc
mount -t proc proc $work/proc
# Where console and records share a line, only what ends the kernel interrupts.
[ "$PORT" = /dev/ttyAMA0 ] && echo 1 >$work/proc/sys/kernel/printk
IFS= read -r cmdline <$work/proc/cmdline
read -r boot <$work/proc/sys/kernel/random/boot_id
release=$(uname -r)
umount $work/proc
token=
[ -f /token ] && read -r token </token

exec 3<>"$PORT"
stty -F "$PORT" raw -echo
mkfifo $work/done
exec 4<>$work/done

record() { # file
  {
    printf '\002'
    gzip -1
    printf '\003end\004'
  } <"$1" >&3
}

# The host tells by the boot's own number whether it has had this one already.
printf '%s\n%s\n%s\nup %s' "$token" "$release" "$cmdline" "$boot" >$work/up

# $length bytes from the line, in chunks: a terminal's input buffers hold
# 64 KiB (drivers/tty/tty_buffer.c), so the host waits for each ACK.
receive() {
  : >$work/script
  while [ "$length" -gt 16384 ]; do
    head -c 16384 <&3 >>$work/script
    length=$((length - 16384))
    printf '\006' >&3
  done
  head -c "$length" <&3 >>$work/script
}

# A short script, of $length lines.
receive_lines() {
  while [ "$length" -gt 0 ]; do
    IFS= read -r line <&3
    printf '%s\n' "$line"
    length=$((length - 1))
  done >$work/script
}

# The script's first words write its process group to $work/leader.
execute() {
  (
    exec 3>&-
    setsid sh $work/script </dev/null >$work/out 2>$work/err 4>&-
    echo $? >&4
  ) &
  if ! read -r -t "$limit" status <&4; then
    read -r leader <$work/leader
    kill -9 -"$leader"
    read -r status <&4
    status=timeout
  fi
  wait $!
}

# The number of the order goes with everything, so that no answer is taken for another's.
execute_and_answer() {
  execute
  said=silent
  [ -s $work/err ] && said=stderr
  printf '\nresult %s %s %s' "$number" "$status" $said >>$work/out
  printf '\nstderr %s' "$number" >>$work/err
  answer
}

answer() {
  [ $said = stderr ] && record $work/err
  record $work/out
}

[ -f /.bench/start ] && . /.bench/start 3>&- 4>&- >$work/start 2>&1

record $work/up
until read -r -t 2 order number length limit <&3; do record $work/up; done
while :; do
  case $order in
    script)
      receive
      execute_and_answer
      ;;
    lines)
      receive_lines
      execute_and_answer
      ;;
    again) answer ;;
  esac
  read -r order number length limit <&3 || exit 1
done
