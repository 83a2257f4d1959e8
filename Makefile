# Everything that people and CI do with a checkout. `make` alone prints the targets.
#
#   PRESET=dev    which preset of CMakePresets.json; it is built in build/<preset>
#   JOBS=         how many compilers and tests run at once (default: what the machine can take)

PRESET ?= dev
FUZZ_SECONDS ?= 10
JOBS := $(or $(JOBS),$(shell setup/jobs.sh))
export JOBS

# One run at a time in each build folder.
in_build = setup/locked.sh build-$(1)
build = $(call in_build,$(1)) setup/build.sh $(1)

.DEFAULT_GOAL := help
.PHONY: help setup setup-demo setup-dev build demo test test-slow test-server asan tsan fuzz format \
        format-check check-scripts tidy docs docs-check bench bench-search bench-face bench-llm clean \
        distclean

help: ## this list
	@echo "make <target> [PRESET=dev]"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

setup: setup-demo ## system packages, .venv, LibTorch, libllama (7 minutes); the others call it
# The core-only preset is for machines without Python.
ifneq ($(PRESET),core-only)
	@setup/locked.sh setup setup/torch.sh
	@setup/locked.sh setup setup/llama.sh
endif

setup-demo: ## the part of it that the demo needs
	@setup/locked.sh setup setup/packages.sh setup/apt.txt
ifneq ($(PRESET),core-only)
	@setup/locked.sh setup setup/venv.sh
	@setup/locked.sh setup setup/hnswlib.sh
	@setup/locked.sh setup setup/models.sh
	@setup/locked.sh setup setup/portraits.sh
endif

setup-dev: setup ## also Clang, the linters and the fuzzer
	@setup/locked.sh setup setup/packages.sh setup/apt-dev.txt
	@setup/locked.sh setup setup/oracles.sh

build: setup ## build/<preset>/bin/sosia and everything else
	@$(call build,$(PRESET))

demo: setup-demo ## build the program and let it show what it does: demo/report.html
	@$(call build,$(PRESET)) program
	@$(call in_build,$(PRESET)) build/$(PRESET)/bin/sosia demo --force

test: build ## all tests but the slow ones and those beside servers
	@$(call in_build,$(PRESET)) ctest --preset $(PRESET) --parallel $(JOBS)

test-slow: build ## the tests that take minutes
	@$(call in_build,$(PRESET)) ctest --test-dir build/$(PRESET) -L slow --output-on-failure --parallel $(JOBS)

test-server: setup ## tests beside real servers on loopback; installs a Milvus in .venv-milvus
	@setup/locked.sh setup setup/venv.sh .venv-milvus setup/milvus-requirements.txt
	@$(call build,$(PRESET)) test_gallery_server
	@$(call in_build,$(PRESET)) ctest --test-dir build/$(PRESET) -L server --output-on-failure

asan: setup-dev ## tests of the light rooms under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory test PRESET=asan

tsan: ## tests of the light rooms under the thread sanitizer
	@$(MAKE) --no-print-directory test PRESET=tsan

fuzz: setup-dev ## every fuzz target: its corpus, then FUZZ_SECONDS=10 of search
	@$(call build,asan) fuzz_targets
	@$(call in_build,asan) setup/fuzz.sh $(FUZZ_SECONDS)

format: setup-dev ## format the C++ sources
	@setup/format.sh

format-check: setup-dev ## say which C++ sources are not formatted
	@setup/format.sh --check

check-scripts: setup-dev ## shellcheck on the shell scripts
	@shellcheck -x sosia .ci/run setup/*.sh tests/package/*.sh

tidy: setup-dev ## clang-tidy on what differs from TIDY_BASE=HEAD
	@$(call in_build,tidy) cmake --preset tidy
	@setup/tidy.sh

docs: setup ## generate the reference pages anew
	@$(call build,$(PRESET)) docs

docs-check: ## fail when `make docs` changes a page
	@setup/docs-check.sh

bench: ## run the benches (preset release)
	@$(MAKE) --no-print-directory build PRESET=release
	@$(call in_build,release) setup/bench.sh

bench-search: ## search beside faiss, usearch and hnswlib (preset release)
	@$(MAKE) --no-print-directory build PRESET=release
	@$(call in_build,release) setup/bench-search.sh

bench-face: ## faces beside face_recognition, onnxruntime and deepface (preset release)
	@$(MAKE) --no-print-directory build PRESET=release
	@$(call in_build,release) setup/bench-face.sh

bench-llm: setup ## lookahead beside llama.cpp's drafters; SOSIA_BENCH_LLM_ARGS="--quick" is shorter
	@$(call in_build,release) setup/bench-llm.sh

clean: ## remove the build folders
	rm -rf build

distclean: clean ## also remove .venv, logs and the demo's output
	rm -rf .venv .venv-milvus .setup demo
