#!/usr/bin/env bash
# The checks beside the tests: format, lints, documentation, licences, the other builds, benches.
set -euo pipefail
cd "$(dirname "$0")/../.."

step() { printf '\n== %s\n' "$1"; }

step "format"
cargo fmt --check

step "lints"
cargo clippy --locked --all-targets -- -D warnings

step "fuzz targets compile"
cargo clippy --locked -p triforium-fuzz -- -D warnings

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet

step "licences"
python3 tests/tools/licences.py

step "the other builds answer requests"
tests/tools/builds.sh

step "benches in test mode"
cargo bench --locked --profile dev -- --test
