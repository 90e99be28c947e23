# Sourced by the scripts that the bench runs in a guest.
#
# The kernel's own tracer marks, on the guest's monotonic clock, when a command
# begins and ends, when the processor is idle in between, and when the load's
# system call begins and ends. The same marks for every command: a shell
# function runs here, a program is forked and executed from here.
tracing=/sys/kernel/tracing

prepare() {
  [ -e $tracing/trace ] || mount -t tracefs tracefs $tracing
  echo 0 >$tracing/tracing_on
  echo mono >$tracing/trace_clock
  # Only the switches to and from the idle task, which is process 0.
  echo 'prev_pid == 0 || next_pid == 0' >$tracing/events/sched/sched_switch/filter
  echo 1 >$tracing/events/sched/sched_switch/enable
  for event in sys_enter_kexec_file_load sys_exit_kexec_file_load; do
    echo 1 >$tracing/events/syscalls/$event/enable
  done
}

# measure COMMAND [ARGUMENT...]: prints the trace, or fails with what the command said.
measure() {
  echo >$tracing/trace
  echo 1 >$tracing/tracing_on
  echo bench-begin >$tracing/trace_marker
  "$@" >/tmp/bench-out 2>&1 </dev/null
  status=$?
  echo bench-end >$tracing/trace_marker
  echo 0 >$tracing/tracing_on
  if [ $status -ne 0 ]; then
    echo "exit $status of: $*" >&2
    cat /tmp/bench-out >&2
    return 1
  fi
  grep -v '^#' $tracing/trace
}
