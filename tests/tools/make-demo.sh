#!/usr/bin/env bash
# Draws the demo master once: fixtures/images/demo/island.tif, 50 megapixels.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=fixtures/images/demo/island.tif
[ -s "$out" ] && exit 0
echo "Drawing the demo master (once)"
cargo run --quiet --release --locked --example demo -- "$out"
