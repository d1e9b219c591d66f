#!/usr/bin/env bash
# Draws the demo master once: fixtures/images/demo/island.tif, 50 megapixels.
#
#   usage: make-demo.sh release|dev      the build that draws: the one that is there anyway
set -euo pipefail
cd "$(dirname "$0")/../.."
out=fixtures/images/demo/island.tif
[ -s "$out" ] && exit 0
echo "Drawing the demo master (once)"
cargo run --quiet --profile "${1:?release or dev}" --locked --example demo -- "$out"
