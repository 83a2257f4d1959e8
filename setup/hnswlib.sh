#!/bin/sh
# hnswlib.sh: takes the headers of hnswlib out of its source distribution (setup/hnswlib.txt) into
# .venv/hnswlib/include. Done already: nothing happens. Needs .venv; nothing is compiled.
#
# pip checks the pinned hash. It also asks the distribution for its metadata, for which it takes what
# the distribution names for building into a folder that it removes again.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

list=setup/hnswlib.txt
place=.venv/hnswlib
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from=$(digest "$list")

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  say "hnswlib headers: all there ($place)"
  exit 0
fi
say "taking the headers of hnswlib"
rm -rf "$place"
mkdir -p "$place/include"
run_pip hnswlib .venv/bin/python download --no-deps --no-binary hnswlib --require-hashes -r "$list" \
  -d "$place" || {
  rm -rf "$place"
  fail_pip "get hnswlib"
}
tar -xzf "$place"/hnswlib-*.tar.gz -C "$place/include" --strip-components=1 --wildcards \
  '*/hnswlib/*.h' '*/LICENSE' || {
  rm -rf "$place"
  fail "the source distribution of hnswlib is not laid out as expected"
}
rm -f "$place"/hnswlib-*.tar.gz
[ -f "$place/include/hnswlib/hnswlib.h" ] || fail "the source distribution of hnswlib has no headers"
printf '%s\n' "$made_from" >"$stamp"
