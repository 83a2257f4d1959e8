#!/bin/sh
# bench-search.sh [ARGUMENT...]: bench/gallery/compare_search.py on build/release, beside its peers in
# build/bench-venv, which is made when bench/gallery/requirements.txt differs from what it holds.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

place=build/bench-venv
list=bench/gallery/requirements.txt
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from="$(pwd -P) $(digest "$list")"

if [ "$(cat "$stamp" 2>/dev/null)" != "$made_from" ]; then
  say "making $place"
  rm -rf "$place"
  python=$(find_python) || fail "no python3 of version 3.11 or later that can make a virtual environment"
  "$python" -m venv "$place" </dev/null
  run_pip bench-pip "$place/bin/python" install -r "$list" || fail_pip "install $list"
  printf '%s\n' "$made_from" >"$stamp"
fi
[ -x build/release/bin/gallery_peer ] || fail "build/release has no bench peer" "run: make bench-search"
# The peers choose their kernels by themselves.
exec env -u OPENBLAS_CORETYPE "$place/bin/python" bench/gallery/compare_search.py \
  --build build/release "$@"
