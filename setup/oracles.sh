#!/bin/sh
# oracles.sh: puts the packages of setup/oracles.txt, without what they would need beside, into
# .venv/share/sosia/oracles, where the tests of tests/python look. Done already: nothing happens. Needs
# .venv.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

list=setup/oracles.txt
place=.venv/share/sosia/oracles
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from=$(digest "$list")

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  say "packages to compare with: all there ($place)"
  exit 0
fi
say "installing $list"
rm -rf "$place"
mkdir -p "$place"
.venv/bin/python -m pip install --quiet --no-input --disable-pip-version-check --progress-bar off \
  --no-deps --target "$place" -r "$list" >"$state/oracles.log" 2>&1 </dev/null || {
  tail -n 25 "$state/oracles.log" >&2
  rm -rf "$place"
  fail "pip could not install $list; its last lines are above, all are in $state/oracles.log" \
    "see that the machine reaches its Python package index (pip config list), then run make again"
}
printf '%s\n' "$made_from" >"$stamp"
