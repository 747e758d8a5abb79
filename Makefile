# The front door of the project. `make demo` and `make test` do everything on a fresh Debian 12
# machine as root, including the installation of what they need.

SHELL := /bin/bash
JOBS ?= $(shell nproc)
PRESET ?= dev
BUILD := build/$(PRESET)
ONLY ?=

DEPS := build-essential cmake ninja-build pkg-config ccache git ca-certificates \
  libssh2-1-dev librsync-dev libpoco-dev nlohmann-json3-dev libgtest-dev libsqlite3-dev \
  libzstd-dev libxxhash-dev libssl-dev libtomlplusplus-dev libcli11-dev \
  openssh-client openssh-server rsync python3 iproute2 util-linux mount e2fsprogs procps psmisc kmod
LINT_DEPS := clang-format-14 clang-tidy-14 shellcheck
FUZZ_DEPS := clang-14 libclang-rt-14-dev

.PHONY: help deps build test unit sanitize fuzz demo bench lint format install clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

deps: ## Install the Debian packages that building and testing need (as root)
	@tools/install-packages $(DEPS)

build: deps ## Build into build/dev (PRESET=dev|asan|tsan|fuzz|release)
	@mkdir -p build
	@cmake --preset $(PRESET) > $(BUILD).configure.log 2>&1 || { cat $(BUILD).configure.log; exit 1; }
	@cmake --build $(BUILD) -j $(JOBS) $(if $(TARGET),--target $(TARGET))

test: build ## Everything: lint programs, unit, contract and lab tests
	@tests/run --build $(BUILD) $(ONLY)

unit: build ## The fast part of the tests
	@tests/run --build $(BUILD) unit

sanitize: deps ## Unit and contract tests under ASan, UBSan and TSan
	@tests/run-sanitized

fuzz: deps ## One minute of fuzzing per decoder (FUZZ_SECONDS=60)
	@tools/install-packages $(FUZZ_DEPS)
	@tests/run-fuzz

demo: ## A cluster of 1,000 nodes, its primary's power cut, a failover, seen from a node
	@$(MAKE) --no-print-directory build PRESET=release TARGET=hamn
	@tests/demo/run --program build/release/hamn

bench: ## Measure against rsync and scp in the same run (ONLY=name, BENCH_SCALE=small)
	@$(MAKE) --no-print-directory build PRESET=release
	@tests/bench/run --program build/release/hamn $(if $(ONLY),--only $(ONLY))

lint: build ## Formatting, clang-tidy and the project's own rules
	@tools/install-packages $(LINT_DEPS)
	@tests/lint/run-all --build $(BUILD)

format: ## Format all sources
	@tools/install-packages clang-format-14
	@git ls-files '*.cpp' '*.h' | xargs clang-format-14 -i

install: ## Install the program, the manual and the documents (PREFIX=/usr)
	@$(MAKE) --no-print-directory build PRESET=release TARGET=hamn
	@cmake --install build/release --prefix $(or $(PREFIX),/usr) --strip

clean: ## Remove everything that was built
	@rm -rf build
