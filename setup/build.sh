#!/bin/sh
# build.sh PRESET [TARGET...]: configures build/PRESET when that is needed and builds it.
#
# JOBS sets how many compilers run at once (default: setup/jobs.sh); SOSIA_CMAKE_ARGS adds arguments
# to the configuration.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

preset=$1
shift
folder=build/$preset
stamp=$folder/.sosia-configured # holds what it was configured from; written last

for tool in cmake ninja; do
  command -v "$tool" >/dev/null || fail "$tool is not installed" "run: make setup"
done

# ccache needs a folder that it can write.
if [ -z "${CCACHE_DIR:-}" ] && ! { [ -n "${HOME:-}" ] && [ -w "$HOME" ]; }; then
  export CCACHE_DIR="$PWD/$state/ccache"
fi

# What one checkout compiled serves another of the same sources elsewhere.
export CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1
# Without this it gives way to every precompiled header.
export CCACHE_SLOPPINESS=pch_defines,time_macros

# A build folder that moved with its checkout names files of the old place.
home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt" 2>/dev/null || :)
if [ -n "$home" ] && [ "$(cd "$home" 2>/dev/null && pwd -P)" != "$(pwd -P)" ]; then
  say "$folder was made for '$home'; making it anew"
  rm -rf "$folder"
fi

# What set-up installs decides what the configuration finds, hence the lists.
made_from="$(digest CMakePresets.json requirements.txt setup/apt*.txt .venv/.sosia-complete .venv/hnswlib/.sosia-complete .venv/share/sosia/models/.sosia-complete .venv/llama/.sosia-complete .venv/.sosia-torch) ${SOSIA_CMAKE_ARGS:-}"
if ! [ -f "$folder/build.ninja" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$made_from" ]; then
  say "configuring $folder"
  mkdir -p "$folder"
  rm -f "$stamp"
  # shellcheck disable=SC2086 # the arguments are words
  if ! cmake --preset "$preset" ${SOSIA_CMAKE_ARGS:-} >"$folder/configure.log" 2>&1 </dev/null; then
    cat "$folder/configure.log" >&2
    fail "the configuration of preset '$preset' failed; see above"
  fi
  sed -n '/^-- sosia /,$ { s/^-- //; /^$/d; p }' "$folder/configure.log"
  printf '%s\n' "$made_from" >"$stamp"
fi

jobs=${JOBS:-$(setup/jobs.sh)}
say "building $folder ($jobs at once)"
if [ $# -gt 0 ]; then
  set -- --target "$@"
fi
exec cmake --build "$folder" --parallel "$jobs" "$@" </dev/null
