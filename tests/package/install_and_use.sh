#!/bin/sh
# install_and_use.sh CMAKE BUILD CONSUMER COMPILER GENERATOR VERSION: see CMakeLists.txt.
set -eu
cmake=$1 build=$2 consumer=$3 compiler=$4 generator=$5 version=$6

work=$(mktemp -d "${TMPDIR:-/tmp}/sosia package.XXXXXX")
trap 'rm -rf "$work"' EXIT
fail() {
  printf 'FAILED: %s\n' "$1" >&2
  exit 1
}
export CCACHE_DISABLE=1 # paths are different each time

# Moved after the installation: nothing may depend on the prefix it was made for.
"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log" ||
  { cat "$work/install.log"; fail "installation"; }
prefix=$work/second
mv "$work/first" "$prefix"
for pattern in "$build" "$work/first"; do
  if grep -rlI -F "$pattern" "$prefix" --include='*.cmake' --include='*.json' --include='*.hpp'; then
    fail "the installed files above name '$pattern'"
  fi
done

if [ -x "$build/bin/sosia" ]; then
  unset LD_LIBRARY_PATH
  printed=$("$prefix/bin/sosia" --version)
  case $printed in
    *"$version"*) echo "program: $printed" ;;
    *) fail "bin/sosia --version printed '$printed', not $version" ;;
  esac
  # The rooms' libraries must be the installed ones.
  for file in "$prefix"/bin/sosia "$prefix"/lib*/sosia/*.so "$prefix"/lib*/*/sosia/*.so; do
    [ -f "$file" ] || continue
    loaded=$(ldd "$file")
    if printf '%s\n' "$loaded" | grep -E 'libsosia_.*(not found|=> )' | grep -vF "$prefix/"; then
      fail "$file does not load its rooms from the installation"
    fi
  done
fi

# use FOLDER ROOMS: configures the consumer for these rooms.
use() {
  "$cmake" -S "$consumer" -B "$work/$1" -G "$generator" "-DCMAKE_CXX_COMPILER=$compiler" \
    "-DCMAKE_PREFIX_PATH=$prefix" "-DSOSIA_ROOMS=$2" \
    "-DSOSIA_VERSION=$version" >"$work/$1.log" 2>&1
}
use consumer core || { cat "$work/consumer.log"; fail "configuration of the consumer"; }
"$cmake" --build "$work/consumer" >"$work/build.log" || { cat "$work/build.log"; fail "consumer"; }
"$work/consumer/consumer" "$version" || fail "the consumer's run"

# A room that no build has: the message names it.
if use missing 'core;no_such_room'; then
  fail "find_package took a room that is not there"
fi
grep -q "without the room 'no_such_room'" "$work/missing.log" ||
  { cat "$work/missing.log"; fail "the message for a missing room"; }
