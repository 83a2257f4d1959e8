#!/bin/sh
# torch.sh: installs LibTorch (setup/torch.txt) into .venv. Done already: nothing happens. Needs .venv.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

list=setup/torch.txt
stamp=.venv/.sosia-torch # holds what it was made from; written last
made_from=$(digest "$list" .venv/.sosia-complete)

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  say "LibTorch: all there (.venv)"
  exit 0
fi
say "installing LibTorch ($list)"
rm -f "$stamp"
run_pip torch .venv/bin/python install -r "$list" || fail_pip "install $list"
printf '%s\n' "$made_from" >"$stamp"
