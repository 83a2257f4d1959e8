#!/bin/sh
# llama.sh: builds libllama with ggml from the source distribution of llama-cpp-python (setup/llama.txt)
# into .venv/llama: include, lib, and in bin one library of CPU kernels for every family of processors.
# Done already: nothing happens. Needs .venv; takes some minutes of all processors.
set -eu
cd "$(dirname "$0")/.."
. setup/lib.sh

list=setup/llama.txt
place=.venv/llama
stamp=$place/.sosia-complete # holds what it was made from; written last

# One set of kernels for each family, chosen when the program starts; and without the two passes with
# which g++ 12 drops the stores of the tile configuration, so that AMX kernels crash.
# shellcheck disable=SC2089,SC2090 # CMAKE_ARGS is split as a shell would
flags='-DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON -DCMAKE_CXX_FLAGS=-fno-tree-dse\ -fno-dse'
made_from="$(digest "$list") $(printf '%s' "$flags" | sha256sum | cut -c 1-16)"

if [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  say "libllama: all there ($place)"
  exit 0
fi
say "building libllama (7 minutes on two processors; log: $state/llama.log)"
rm -rf "$place"
CMAKE_ARGS=$flags CMAKE_BUILD_PARALLEL_LEVEL=${JOBS:-$(setup/jobs.sh)}
# shellcheck disable=SC2090
export CMAKE_ARGS CMAKE_BUILD_PARALLEL_LEVEL
run_pip llama .venv/bin/python install --no-deps --no-binary llama-cpp-python --require-hashes \
  --target "$place" -r "$list" || {
  rm -rf "$place"
  fail_pip "build libllama"
}
for file in include/llama.h lib/libllama.so bin/libggml-cpu-x64.so; do
  [ -f "$place/$file" ] || fail "the package of llama-cpp-python has no $file"
done
printf '%s\n' "$made_from" >"$stamp"
