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
archives=$place.archives
rm -rf "$place" "$archives"
mkdir -p "$place" "$archives"
# One wheel for every Python and machine: only a picture is wanted of it.
run_pip portraits .venv/bin/python download --no-deps --require-hashes -r "$list" -d "$archives" \
  --no-binary face_recognition --only-binary scikit-image \
  --python-version 3.11 --implementation cp --abi cp311 --platform manylinux_2_28_x86_64 || {
  rm -rf "$place" "$archives"
  fail_pip "get the packages of $list"
}
.venv/bin/python setup/extract_portraits.py "$archives" "$place" || {
  rm -rf "$place" "$archives"
  fail "the portraits could not be taken out; the reason is above"
}
rm -rf "$archives"
printf '%s\n' "$made_from" >"$stamp"
