#!/bin/sh
# fuzz.sh SECONDS: runs every fuzz target of build/asan on its kept inputs and then lets it search
# for SECONDS. The kept inputs of fuzz_<name> are the folders fuzz/<room>/corpus/<name>, or
# fuzz/<room>/corpus/<rest> where <name> is <room>_<rest>. A crash leaves its input in
# build/asan/found/<name>/.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

seconds=$1
bad=
count=0
for program in build/asan/bin/fuzz_*; do
  [ -x "$program" ] || continue
  count=$((count + 1))
  name=${program##*/fuzz_}
  found=build/asan/found/$name
  grown=build/asan/grown/$name
  mkdir -p "$found" "$grown"
  set -- "$grown"
  for folder in fuzz/*/corpus/*/; do
    room=${folder#fuzz/}
    room=${room%%/*}
    kept=$(basename "$folder")
    if [ "$kept" = "$name" ] || [ "${room}_$kept" = "$name" ]; then
      set -- "$@" "$folder"
    fi
  done
  say "fuzz $name: $(find "$@" -type f | wc -l) inputs, then $seconds s"
  # New inputs go to the first folder. The kept ones are all read before the search begins.
  if ! "$program" "$@" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="$found/" -print_final_stats=1 >"$found/log" 2>&1 </dev/null; then
    tail -n 40 "$found/log" >&2
    bad="$bad $name"
  fi
done
[ "$count" -gt 0 ] || fail "build/asan has no fuzz targets"
[ -z "$bad" ] || fail "crashes in:$bad; the inputs are in build/asan/found/" \
  "mend it, then keep the input: copy it to fuzz/<room>/corpus/<name>/"
say "fuzz: $count targets, no crash"
