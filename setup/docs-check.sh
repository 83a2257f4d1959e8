#!/bin/sh
# docs-check.sh: fails when `make docs` changes a file, tracked or new.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

git_here() { git -c safe.directory='*' "$@"; }

# state: one word for the content of the work tree.
state() {
  {
    git_here diff --no-ext-diff
    git_here ls-files -z --others --exclude-standard | xargs -0 -r sha256sum
  } | sha256sum
}

before=$(state)
make docs
if [ "$(state)" != "$before" ]; then
  git_here status --short
  fail "the reference pages are not those that this code generates" \
    "run 'make docs' and commit what it changes"
fi
