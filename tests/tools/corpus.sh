#!/usr/bin/env bash
# Compares every picture below a folder with foreign decoders (tests/tools/corpus), then some hundred pictures
# of every kind that are made for it.
#
#   usage: corpus.sh [FOLDER [FEWEST]]
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/environment.sh
. tests/tools/server.sh
tools=tests/tools/corpus

environment corpus numpy==2.4.6 pillow==13.0.0 tifffile==2026.3.3 imagecodecs==2026.3.6 pyvips==3.2.0 av==18.1.0

# compare FOLDER FEWEST: a server of its own for the folder.
compare() {
  images=$1
  start env TRIFORIUM_CACHE__DIRECTORY="$work/cache" "${BINARY:-target/release/triforium}" || fail "the server does not start"
  printf '\n== %s\n' "$1"
  local failed=0
  "$python" "$tools/compare.py" "$base" "$1" --fewest "$2" 2>"$work/libraries" || failed=1
  [ "$failed" = 0 ] || tail -n 20 "$work/libraries" >&2
  stop
  return "$failed"
}

failed=0
[ -z "${1:-}" ] || compare "$1" "${2:-1}" || failed=1
"$python" "$tools/make.py" "$work/made"
compare "$work/made/images" 700 || failed=1
exit "$failed"
