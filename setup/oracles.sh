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
run_pip oracles .venv/bin/python install --no-deps --target "$place" -r "$list" || {
  rm -rf "$place"
  fail_pip "install $list"
}
printf '%s\n' "$made_from" >"$stamp"
