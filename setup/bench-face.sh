#!/bin/sh
# bench-face.sh [ARGUMENT...]: bench/face/compare_faces.py on build/release, beside its peers in
# build/bench-face-venv, which is made when bench/face/requirements.txt differs from what it holds.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

place=build/bench-face-venv
list=bench/face/requirements.txt
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from="$(pwd -P) $(digest "$list")"

if [ "$(cat "$stamp" 2>/dev/null)" != "$made_from" ]; then
  say "making $place (dlib is compiled: 10 minutes or more)"
  rm -rf "$place"
  python=$(find_python) || fail "no python3 of version 3.11 or later that can make a virtual environment"
  "$python" -m venv "$place" </dev/null
  # dlib and face_recognition_models are built with the setuptools that the list pins.
  run_pip bench-face-pip "$place/bin/python" install 'setuptools<81' wheel ||
    fail_pip "install setuptools"
  run_pip bench-face-pip "$place/bin/python" install --no-build-isolation -r "$list" ||
    fail_pip "install $list"
  printf '%s\n' "$made_from" >"$stamp"
fi
[ -x build/release/bin/face_peer ] || fail "build/release has no bench peer" "run: make bench-face"
# The peers choose their kernels by themselves.
exec env -u OPENBLAS_CORETYPE "$place/bin/python" bench/face/compare_faces.py \
  --build build/release "$@"
