#!/bin/sh
# venv.sh [FOLDER LIST]: makes a virtual environment from a list of packages (default: .venv from
# requirements.txt). Done already: nothing happens. The list changed: the packages are brought to it.
# Half-made, moved with the checkout, or its Python gone: made anew.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

venv=${1:-.venv}
list=${2:-requirements.txt}
stamp=$venv/.sosia-complete # holds what it was made from; written last

here=$(pwd -P)
made_from="$here $(digest "$list")"
if [ -f "$stamp" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
  found=$(cat "$stamp")
  if [ "$found" = "$made_from" ]; then
    say "Python packages: all there ($venv)"
    exit 0
  fi
  usable=$([ "${found% *}" = "$here" ] && echo yes || echo no)
else
  usable=no
fi

if [ "$usable" = no ]; then
  if [ -e "$venv" ]; then
    say "$venv is half-made or was moved here; making it anew"
    rm -rf "$venv"
  fi
  python=$(find_python) || fail "no python3 of version 3.11 or later that can make a virtual environment" \
    "on Debian, as root: apt-get install -y --no-install-recommends python3 python3-venv"
  say "making $venv with $python ($("$python" --version 2>&1))"
  "$python" -m venv "$venv" >"$state/venv.log" 2>&1 </dev/null || {
    cat "$state/venv.log" >&2
    fail "'$python -m venv $venv' failed; its words are above"
  }
fi

say "installing the $(list_packages "$list" | wc -l) Python packages of $list"
rm -f "$stamp"
run_pip pip "$venv/bin/python" install -r "$list" || fail_pip "install $list"
"$venv/bin/python" -m pip check --disable-pip-version-check >"$state/pip.log" 2>&1 </dev/null || {
  cat "$state/pip.log" >&2
  fail "the packages of $list do not fit together; pip's words are above"
}
printf '%s\n' "$made_from" >"$stamp"
