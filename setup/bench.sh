#!/bin/sh
# bench.sh: runs the benches of build/release one after the other; results also go to
# build/release/bench/<name>.json.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

count=0
mkdir -p build/release/bench
for program in build/release/bin/bench_*; do
  [ -x "$program" ] || continue
  count=$((count + 1))
  name=${program##*/bench_}
  say "bench $name"
  "$program" --benchmark_out="build/release/bench/$name.json" --benchmark_out_format=json
done
[ "$count" -gt 0 ] || fail "build/release has no benches"
