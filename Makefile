# Every target installs what it needs first; nothing is asked.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-test setup-corpus serve test check conformance test-gpu bench corpus fuzz fmt doc clean

# Mesa's layer that picks a display's GPU complains where there is no display.
export NODEVICE_SELECT := 1

LISTEN ?= 127.0.0.1:8182
IMAGES ?= fixtures/images

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:
	@tests/tools/setup.sh build

setup-test:
	@tests/tools/setup.sh build test

setup-corpus:
	@tests/tools/setup.sh build corpus

serve: setup ## build and serve fixtures/images; IMAGES=DIR LISTEN=HOST:PORT
	@cargo build --release --locked
	@tests/tools/make-demo.sh release
	@target/release/triforium serve $(IMAGES) --listen $(LISTEN)

test: setup-test ## every test
	@tests/tools/make-demo.sh dev
	@cargo test --locked

check: setup-test ## format, lints, documentation, licences, the other builds, benches in test mode
	@tests/tools/check.sh

conformance: setup-test ## the official IIIF validator, all versions, against a server of ours
	@cargo build --locked --config profile.dev.opt-level=1
	@tests/tools/conformance.sh

test-gpu: setup-test ## the GPU's tests, optimised and with thousands of requests; GPU_TESTS_ADAPTER=ADAPTER
	@GPU_TESTS_REQUESTS=$${GPU_TESTS_REQUESTS:-4000} \
		cargo test --release --locked --test gpu -- --nocapture --test-threads 1
	@tests/tools/slip.sh

bench: setup ## criterion benches; names what got slower than the saved baseline; ROOM=decode SHORT=1 BASELINE=new
	@tests/tools/bench.sh

corpus: setup-corpus ## compare every image below TRIFORIUM_CORPUS=DIR, and hundreds of made ones, with foreign decoders; FEWEST=FILES
	@cargo build --release --locked
	@TRIFORIUM_CORPUS="$(if $(TRIFORIUM_CORPUS),$(abspath $(TRIFORIUM_CORPUS)))" \
		cargo test --release --locked --test it corpus -- --nocapture
	@tests/tools/corpus.sh "$(if $(TRIFORIUM_CORPUS),$(abspath $(TRIFORIUM_CORPUS)))" $(FEWEST)

fuzz: setup ## every fuzz target for SECONDS=30; TARGETS="master_tiff request" for some
	@tests/tools/fuzz.sh $(or $(SECONDS),30) $(TARGETS)

fmt: ## format the code
	@cargo fmt

doc: setup ## the crate's documentation, architecture first
	@cargo doc --no-deps --locked

clean: ## remove what was built
	@cargo clean
	@rm -rf fixtures/images/demo
