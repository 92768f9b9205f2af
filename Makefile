# What a person does here, one target each; `make` alone lists them. The work is done by scripts/ and by Swift's own commands.

.DEFAULT_GOAL := help
.PHONY: help run serve test interop bench build release lint format bootstrap tests-repo clean

# The port of `make serve`.
PORT ?= 5005

# Each end-to-end test runs a whole service; more of them at once than this only wait for each other.
TESTS_AT_ONCE ?= 4

# Of a crash, the thread that crashed: all threads and registers would hide it.
backtrace = enable=yes,color=no,interactive=no,threads=crashed,registers=none,images=none

swift_code = Package.swift $(wildcard Sources Tests Benchmarks)

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Compose `ed` from tests-repo with a server started for it, and show what comes out.
	@echo "Looking for missing packages, then building the service and making a compose of tests-repo with it."
	@scripts/bootstrap build run
	@scripts/build odcs-server odcs
	@scripts/run-example

serve: ## Serve composes on port 5005 (PORT=N for another) until Ctrl-C.
	@scripts/bootstrap build run
	@scripts/build odcs-server odcs
	@PORT=$(PORT) scripts/serve

test: ## Run all tests, against the real PostgreSQL, dnf and createrepo_c.
	@scripts/bootstrap build run test
	@scripts/build tests
	SWIFT_BACKTRACE=$(backtrace) swift test --skip-build --disable-xctest --experimental-maximum-parallelization-width $(TESTS_AT_ONCE)

interop: ## Run the published Python client against a server, and compare that with its OpenAPI description.
	@scripts/bootstrap build run interop
	@scripts/build odcs-server
	@scripts/interop

bench: release ## Measure it against dnf, createrepo_c and others, which takes half an hour; QUICK=1 takes two minutes, the first time four.
	@scripts/bootstrap run bench
	@scripts/bench $(if $(QUICK),--quick) $(ARGUMENTS)

build: ## Build everything for debugging, into .build.
	@scripts/bootstrap build
	swift build

release: ## Build the programs to be shipped, into .build-release.
	@scripts/bootstrap build
	swift build --configuration release --scratch-path .build-release --product odcs-server
	swift build --configuration release --scratch-path .build-release --product odcs

lint: ## Check the format of the Swift code, the directions between its folders, and the English.
	@scripts/bootstrap lint
	swift format lint --strict --recursive --parallel $(swift_code)
	@scripts/check-house
	@scripts/check-prose

format: ## Put the Swift code into its format.
	swift format --in-place --recursive --parallel $(swift_code)

bootstrap: ## Install the Debian packages that are missing for all of the above.
	@scripts/bootstrap build run test interop bench

tests-repo: ## Build the RPMs of tests-repo anew from their spec files.
	@scripts/bootstrap tests-repo
	tests-repo/build.sh

clean: ## Remove what was built and what the example left behind.
	@! [ -d .odcs ] || flock --nonblock .odcs/lock sh -c 'rm -rf "$$(readlink .odcs/postgresql || echo .odcs/postgresql)" .odcs' || { echo "A server still uses .odcs; stop it first." >&2; exit 1; }
	rm -rf .build .build-*
