#!/bin/sh
# packages.sh LIST...: installs the Debian packages of the lists (setup/apt*.txt) that are missing.
#
# Nothing is called when all are there. Never asks: works as root or with sudo that needs no
# password; where neither is possible it prints the command for an administrator.
# SOSIA_APT=skip leaves system packages alone.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

log="$state/apt.log"

# missing PACKAGE...: those that are not installed.
missing() {
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p')
  for package in "$@"; do
    printf '%s\n' "$installed" | grep -qxF -e "$package" || printf '%s\n' "$package"
  done
}

# without_tools PACKAGE...: those that are no tool which is there in another form.
without_tools() {
  for package in "$@"; do
    case $package in
      python3 | python3-venv) find_python >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      lib*) ;;
      *) command -v "$package" >/dev/null && continue ;;
    esac
    printf '%s\n' "$package"
  done
}

# on_one_line: words from lines.
on_one_line() { tr '\n' ' ' | sed 's/ *$//'; }

# apt ARGUMENT...: apt-get without questions. Waits for other package managers: dpkg's lock by its
# own option, the locks of the lists and of the cache (which have none) by trying again.
apt() {
  tries=0
  while :; do
    printf '\n$ apt-get %s\n' "$*" >>"$log"
    if $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y \
      -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
      -o Dpkg::Options::=--force-confold "$@" >"$log.now" 2>&1 </dev/null; then
      cat "$log.now" >>"$log"
      return 0
    fi
    cat "$log.now" >>"$log"
    if grep -qE 'Could not get lock|Unable to (lock|acquire)' "$log.now" && [ "$tries" -lt 60 ]; then
      [ "$tries" -gt 0 ] || say "another package manager is at work; waiting up to 10 minutes"
      tries=$((tries + 1))
      sleep 10
    else
      return 1
    fi
  done
}

# has_candidate PACKAGE...: whether apt's lists offer every one.
has_candidate() {
  for package in "$@"; do
    LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}

# install PACKAGE...: updates the lists only when they do not know a package or turn out stale, and
# mends what an interrupted installation left behind.
install() {
  if ! has_candidate "$@"; then
    apt update || return 1
  fi
  apt install --no-install-recommends "$@" && return 0
  if grep -q 'dpkg --configure -a' "$log.now"; then
    say "finishing an interrupted installation of packages"
    $as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a >>"$log" 2>&1 </dev/null || :
  fi
  apt update && apt install --no-install-recommends --fix-broken "$@"
}

if [ "${SOSIA_APT:-}" = skip ]; then
  say "system packages: left alone (SOSIA_APT=skip)"
  exit 0
fi
required=$(list_packages "$@" | grep -v '?$')
optional=$(list_packages "$@" | sed -n 's/?$//p')
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  say "this is not a Debian system, so packages are not checked; needed, by their Debian names:"
  say "  $(printf '%s' "$required" | on_one_line)"
  exit 0
fi

# shellcheck disable=SC2086 # package names are single words
lacking=$(missing $required)
# shellcheck disable=SC2086
wished=$(missing $optional)
if [ -z "$lacking$wished" ]; then
  say "system packages: all there ($(basename -a "$@" | on_one_line))"
  exit 0
fi

names=$(printf '%s\n%s\n' "$lacking" "$wished" | sed '/^$/d' | on_one_line)
if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  {
    say "system packages are missing, and this account is neither root nor has sudo without a password"
    say "an administrator installs them with:"
    printf '\n  apt-get update && apt-get install -y --no-install-recommends %s\n\n' "$names"
  } >&2
  # shellcheck disable=SC2086
  lacking=$(without_tools $lacking)
  if [ -n "$lacking" ]; then
    fail "cannot go on without: $(printf '%s' "$lacking" | on_one_line)" \
      "run the command above as root; or, if they are there in another form, set SOSIA_APT=skip"
  fi
  say "going on without them: what is needed is there"
  exit 0
fi

: >"$log"
# shellcheck disable=SC2086
if [ -n "$lacking" ]; then
  say "installing $(printf '%s\n' "$lacking" | wc -l) system packages (log: $log): $(
    printf '%s' "$lacking" | on_one_line)"
  if ! install $lacking; then
    tail -n 25 "$log" >&2
    fail "apt-get could not install the system packages; its last lines are above, all are in $log" \
      "see that the machine reaches its package mirror, or as root: apt-get install -y --no-install-recommends $names"
  fi
fi
# shellcheck disable=SC2086
if [ -n "$wished" ]; then
  say "installing what is good to have: $(printf '%s' "$wished" | on_one_line)"
  if ! install $wished; then # one of them cannot be had: take the others
    for package in $wished; do
      install "$package" || say "going on without $package (see $log)"
    done
  fi
fi
rm -f "$log.now"
