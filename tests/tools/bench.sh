#!/usr/bin/env bash
# Runs the criterion benches. The first run saves the baseline; later ones compare with it and name what
# got slower. BASELINE=new saves a new one.
set -euo pipefail
cd "$(dirname "$0")/../.."
saved=$(find target/criterion -type d -name saved 2>/dev/null | head -1)
if [ -z "$saved" ] || [ "${BASELINE:-}" = new ]; then
  cargo bench --locked -- --save-baseline saved
  echo "The baseline is saved; run again after a change."
  exit 0
fi
log=$(mktemp); trap 'rm -f "$log"' EXIT
cargo bench --locked -- --baseline saved | tee "$log"
slower=$(awk '/^[a-z].*time:/ { name = $1 } /^[a-z][a-z0-9_\/ ]*$/ { name = $0 } /Performance has regressed/ { print "  " name }' "$log")
if [ -n "$slower" ]; then
  printf 'Slower than the baseline:\n%s\n' "$slower"
  exit 1
fi
echo "Nothing is slower than the baseline."
