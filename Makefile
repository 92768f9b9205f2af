# One target for each task of a developer. `make` alone lists the targets. The work is done by
# scripts/ and by Swift's own commands.

.DEFAULT_GOAL := help
.PHONY: help run run-images serve test interop interop-auth broker-test pages-test faults fuzz bench build release deb deb-test lint format bootstrap tests-repo clean

# The port of `make serve`.
PORT ?= 5005

# Each end-to-end test runs a whole service. If more tests than this run at once, they only wait for
# each other.
TESTS_AT_ONCE ?= 4

# A backtrace shows only the thread that crashed. All threads and registers would hide it.
backtrace = enable=yes,color=no,interactive=no,threads=crashed,registers=none,images=none

swift_code = Package.swift $(wildcard Sources Tests Benchmarks)

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Compose `ed` from tests-repo with a server started for it, and show the result.
	@echo "Looking for missing packages, then building the service and making a compose of tests-repo with it."
	@scripts/bootstrap build run
	@scripts/build odcs-server odcs
	@scripts/run-example

run-images: ## Rebuild two images after an advisory, with a registry and a server started for it.
	@echo "Looking for missing packages, then building the service and rebuilding images with it."
	@scripts/bootstrap build run images
	@scripts/build odcs-server odcs-rpmdb odcs
	@scripts/run-images

serve: ## Serve composes on port 5005 (PORT=N for another) until Ctrl-C.
	@scripts/bootstrap build run
	@scripts/build odcs-server odcs
	@PORT=$(PORT) scripts/serve

test: ## Run all tests, against the real PostgreSQL, dnf and createrepo_c.
	@scripts/bootstrap build run test
	@scripts/build tests
	SWIFT_BACKTRACE=$(backtrace) swift test --skip-build --disable-xctest --experimental-maximum-parallelization-width $(TESTS_AT_ONCE)

interop: ## Run the published Python client against a server, and check the server's OpenAPI description.
	@scripts/bootstrap build run interop
	@scripts/build odcs-server
	@scripts/interop

pages-test: ## Look at the pages of a server with Chromium, in both schemes and with axe.
	@scripts/bootstrap build run images pages
	@scripts/build odcs-server odcs-rpmdb
	@scripts/pages-test

interop-auth: ## Let the published Python client and others log in, with each mechanism. Needs root.
	@scripts/bootstrap build run interop interop-auth
	@scripts/build odcs-server odcs
	@scripts/interop-auth

broker-test: ## Publish events to a real RabbitMQ, read by the real fedora-messaging program.
	@scripts/bootstrap build run broker-test
	@scripts/build odcs-server odcs-publisher
	@scripts/broker-test

faults: ## Kill, stop and starve processes of the server, and look for losses. QUICK=1: about 5 minutes.
	@scripts/bootstrap $(if $(PROGRAMS),,build) run images faults $(if $(QUICK),,nodes)
	@[ -n "$(PROGRAMS)" ] || for program in odcs-server odcs-rpmdb odcs; do scripts/build $$program || exit 1; done
	@$(if $(PROGRAMS),ODCS_SERVER_PROGRAM="$(PROGRAMS)/odcs-server") scripts/faults $(if $(QUICK),--quick) $(ARGUMENTS)

fuzz: ## Give 10,000 mutated inputs to each parser of inputs of strangers. QUICK=1: about 2 minutes.
	@scripts/bootstrap build run
	@scripts/build fuzz-parsers
	@scripts/fuzz $(if $(QUICK),--count 1000 --seconds 3) $(ARGUMENTS)

bench: release ## Measure the server against dnf and others: 30 minutes. QUICK=1: 2, the first time 4.
	@scripts/bootstrap run images bench
	@scripts/bench $(if $(QUICK),--quick) $(ARGUMENTS)

build: ## Build everything for debugging, into .build.
	@scripts/bootstrap build
	swift build

release: ## Build the programs to be shipped, into .build-release.
	@scripts/bootstrap build
	swift build --configuration release --scratch-path .build-release --product odcs-server
	swift build --configuration release --scratch-path .build-release --product odcs-publisher
	swift build --configuration release --scratch-path .build-release --product odcs-rpmdb
	swift build --configuration release --scratch-path .build-release --product odcs

deb: ## Make the Debian packages, into .build-deb. PROGRAMS=DIR takes programs that are built already.
	@[ -n "$(PROGRAMS)" ] || $(MAKE) release
	@scripts/bootstrap deb
	@PROGRAMS="$(PROGRAMS)" scripts/deb
	lintian --fail-on error,warning .build-deb/*.changes

deb-test: ## Install, run, upgrade and remove the packages on a bare Debian with systemd. Needs root.
	@[ -n "$(PROGRAMS)" ] || $(MAKE) release
	@scripts/bootstrap deb
	@PROGRAMS="$(PROGRAMS)" scripts/deb-test

lint: ## Check the format of the Swift code, the directions between its folders, the English, and links.
	@scripts/bootstrap lint
	swift format lint --strict --recursive --parallel $(swift_code)
	@scripts/check-house
	@scripts/check-prose
	@scripts/check-links

format: ## Format the Swift code.
	swift format --in-place --recursive --parallel $(swift_code)

bootstrap: ## Install the missing Debian packages for all targets above.
	@scripts/bootstrap build run images test interop broker-test bench

tests-repo: ## Rebuild the RPMs of tests-repo from their spec files.
	@scripts/bootstrap tests-repo
	tests-repo/build.sh

clean: ## Remove all build results and the files of the example.
	@! [ -d .odcs ] || flock --nonblock .odcs/lock sh -c 'rm -rf "$$(readlink .odcs/postgresql || echo .odcs/postgresql)" .odcs' || { echo "A server still uses .odcs; stop it first." >&2; exit 1; }
	rm -rf .build .build-*
