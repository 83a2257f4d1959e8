#!/bin/sh
# jobs.sh: how many compilers this machine can run at once: its processors, but no more than one for
# each 1.5 GB of free memory.
set -eu
processors=$(nproc 2>/dev/null || echo 2)
by_memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo 2>/dev/null || :)
if [ -n "$by_memory" ] && [ "$by_memory" -lt "$processors" ]; then
  processors=$by_memory
fi
[ "$processors" -ge 1 ] || processors=1
echo "$processors"
