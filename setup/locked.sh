#!/bin/sh
# locked.sh NAME COMMAND...: runs COMMAND while no other run in this checkout holds the lock NAME,
# so that two `make` at once do their work one after the other.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

name=$1
shift
if ! command -v flock >/dev/null; then # util-linux; present on every Debian
  exec "$@"
fi
exec 9>"$state/$name.lock"
if ! flock -n 9; then
  say "another run holds $state/$name.lock; waiting for it"
  flock 9
fi
status=0
"$@" 9>&- || status=$?
exit "$status"
