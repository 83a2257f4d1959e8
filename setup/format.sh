#!/bin/sh
# format.sh [--check]: brings every C++ source of the checkout to .clang-format, or only says which
# ones are not.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

# Another version formats differently, so it is always this one.
formatter=clang-format-19
command -v "$formatter" >/dev/null || fail "$formatter is not installed" "run: make setup-dev"

# sources: tracked files and new ones that git does not ignore, NUL after each.
sources() {
  git -c safe.directory='*' ls-files -z --cached --others --exclude-standard --deduplicate -- \
    '*.cpp' '*.hpp'
}

run() { sources | xargs -0 -r -n 50 -P "$(setup/jobs.sh)" "$formatter" --style=file "$@"; }

if [ "${1:-}" = --check ]; then
  run --dry-run --Werror || fail "some sources are not formatted; see above" "run: make format"
  say "format: $(sources | tr -cd '\0' | wc -c) sources are formatted"
else
  run -i
fi
