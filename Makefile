# make run    builds and starts a working node (HTTP 127.0.0.1:8080, SIP 0.0.0.0:5060, data in ./data)
# make demo-cluster   three nodes of one cluster on this machine
# make test   installs what the tests need and runs all of them
# make check  format, lints, tidy, dependencies; changes nothing
# make bench  micro benches and the load harness (loopback only)

CARGO ?= cargo
TOOLS := .tools
PANEL := http/panel
# Wire tests at once. Mostly they wait: six leave half of two cores idle. Those of the panel have
# browsers, those of clusters three nodes each, and measure gaps in what is heard; four of these leave
# a quarter idle.
WIRE_THREADS ?= 8
PANEL_THREADS ?= 4
CLUSTER_THREADS ?= 4
# Programs of unit tests at once: some wait for the disk.
UNIT_JOBS ?= 3
# Tests in virtual time that compute for minutes: a file of its own, and modules of crates.
LONG := simulation
LONG_MODULES := simulation::
# Gives way to all that is not of its kind, at once. Browsers leave no time for it.
IDLE := chrt --idle 0 env
WIRE := $(filter-out cluster panel tidy,$(notdir $(patsubst %/main.rs,%,$(wildcard tests/*/main.rs))))
# The crates' own, beside those in their sources.
UNIT := $(basename $(notdir $(patsubst %/main.rs,%, \
	$(foreach at,* */*,$(wildcard $(at)/tests/*.rs $(at)/tests/*/main.rs)))))
# Always of the whole workspace: what is chosen decides on the features of all crates, and with two
# choices most of them would be compiled twice.
#
# What the lints look at is compiled all the same: their driver stands in for the compiler, as in
# `cargo clippy`, but makes code, so that one build is both.
TESTS := RUSTC_WORKSPACE_WRAPPER=clippy-driver \
	CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__ $(CARGO) test --locked --workspace
# Where $(PANEL)/install-node puts a Node.js of our own, if this machine's is none or too old.
export PATH := $(CURDIR)/target/node/bin:$(PATH)
# What is built once needs no notes for the next build.
ifdef CI
export CARGO_INCREMENTAL := 0
endif

.PHONY: run demo-cluster build test tests-build check fmt lint deny tidy unit long wire wire-all wire-http wire-phones peers bench fuzz clean
.PHONY: panel panel-build panel-unit

# The panel goes into the binary where Node.js can be had; without it the node says how.
run: panel
	$(CARGO) run --release --locked --bin tandem -- run --demo

demo-cluster: panel
	$(CARGO) build --release --locked --bin tandem
	tests/demo-cluster target/release/tandem

build: panel
	$(CARGO) build --release --locked

# The panel goes first: the binary that the unit tests build holds it.
# What computes for minutes does so while phones wait, in time that they leave.
test: fmt peers panel-build tests-build tidy deny unit panel-unit
	$(MAKE) --no-print-directory wire-all BESIDE=long

# All code of ours with its tests, benches and examples, which lints it too.
tests-build:
	$(TESTS) --all-targets --no-run

panel:
	@if $(PANEL)/install-node; then $(MAKE) --no-print-directory panel-build; \
	else echo "the binary gets no panel"; fi

panel-build: $(PANEL)/node_modules
	cd $(PANEL) && npm run --silent build

panel-unit: $(PANEL)/node_modules
	cd $(PANEL) && npm test --silent

$(PANEL)/node_modules: $(PANEL)/package-lock.json
	$(PANEL)/install-node
	cd $(PANEL) && npm ci --no-audit --no-fund --silent
	@touch $@

check: fmt lint tidy deny

fmt:
	$(CARGO) fmt --all --check

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

tidy:
	$(TESTS) --test tidy

# Looks only at what is local: no advisory database is fetched.
deny:
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked --debug cargo-deny
	$(CARGO) deny --locked check bans licenses sources

# Without the examples, and comments' code, of which there is none; what takes long: make long.
unit:
	$(TESTS) --lib --bins $(UNIT:%=--test %) --no-run
	$(MAKE) --no-print-directory --jobs=$(UNIT_JOBS) --output-sync=target \
		unit-of-crates $(patsubst %,unit-%,$(filter-out $(LONG),$(UNIT)))

unit-of-crates:
	$(TESTS) --lib --bins -- --skip $(LONG_MODULES)

unit-%:
	$(TESTS) --test $*

long:
	$(IDLE) $(TESTS) --test $(LONG)
	$(IDLE) $(TESTS) --lib --bins -- $(LONG_MODULES)

# Real phones against a real node, which is built with the tests of its command line.
wire: peers panel-build
	$(MAKE) --no-print-directory wire-all

wire-all:
	$(TESTS) --test cli $(WIRE:%=--test %) --test panel --test cluster --no-run
	$(MAKE) --no-print-directory --jobs=3 --output-sync=target wire-http wire-phones $(BESIDE)
	$(TESTS) --test panel -- --test-threads=$(PANEL_THREADS)
	$(TESTS) --test cluster -- --test-threads=$(CLUSTER_THREADS)

# Most of it waits for half a minute, with nothing to do.
wire-http:
	$(TESTS) --test http -- --test-threads=$(WIRE_THREADS)

wire-phones:
	$(TESTS) $(patsubst %,--test %,$(filter-out http,$(WIRE))) -- --test-threads=$(WIRE_THREADS)

peers:
	tests/install-peers

bench:
	$(CARGO) build --release --locked --bin tandem
	$(CARGO) bench --locked -p tandem-benches
	benches/load/run

fuzz:
	tests/fuzz/run

clean:
	$(CARGO) clean
