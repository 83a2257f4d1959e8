#!/bin/sh
# tidy.sh: clang-tidy on the sources that differ from the commit TIDY_BASE (default: HEAD) and on
# new ones. Needs build/tidy to be configured; nothing is compiled there.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

git_here() { git -c safe.directory='*' "$@"; }

changed() {
  git_here diff --name-only --diff-filter=d "${TIDY_BASE:-HEAD}" -- '*.cpp'
  git_here ls-files --others --exclude-standard -- '*.cpp'
}

# Sources outside the compilation database (a room that is switched off) cannot be checked.
files=$(changed | sort -u | while read -r file; do
  if grep -qF "/$file\"" build/tidy/compile_commands.json; then
    printf '%s\n' "$file"
  fi
done)
if [ -z "$files" ]; then
  say "tidy: no changed source"
  exit 0
fi
printf '%s\n' "$files" |
  xargs -d '\n' -n 1 -P "$(setup/jobs.sh)" clang-tidy-19 -p build/tidy --quiet --warnings-as-errors='*' ||
  fail "clang-tidy has remarks; see above"
say "tidy: $(printf '%s\n' "$files" | wc -l) sources are clean"
