#!/usr/bin/env bash
# Compares every picture below a folder with foreign decoders (tests/tools/corpus), then some hundred pictures
# of every kind that are made for it. The decoders live in a virtual environment below target/; the first run
# fetches them.
#
#   usage: corpus.sh [FOLDER [FEWEST]]
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${BINARY:-target/release/triforium}
packages=(numpy==2.4.6 pillow==13.0.0 tifffile==2026.3.3 imagecodecs==2026.3.6 pyvips==3.2.0 av==18.1.0)
environment=target/corpus
tools=tests/tools/corpus

if [ "$(cat "$environment/packages" 2>/dev/null)" != "${packages[*]}" ]; then
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  echo "${packages[*]}" >"$environment/packages"
fi

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

# compare FOLDER FEWEST: a server of its own for the folder.
compare() {
  : >"$work/out"
  TRIFORIUM_CACHE__DIRECTORY="$work/cache" "$binary" serve "$1" \
    --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
  server=$!
  local address
  for _ in $(seq 100); do
    address=$(sed -n '1s|/$||p' "$work/out")
    [ -n "$address" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
    sleep 0.1
  done
  printf '\n== %s\n' "$1"
  local failed=0
  "$environment/bin/python" "$tools/compare.py" "$address" "$1" --fewest "$2" 2>"$work/libraries" || failed=1
  [ "$failed" = 0 ] || tail -n 20 "$work/libraries" >&2
  kill "$server" && wait "$server" 2>/dev/null || true
  server=
  return "$failed"
}

failed=0
[ -z "${1:-}" ] || compare "$1" "${2:-1}" || failed=1
"$environment/bin/python" "$tools/make.py" "$work/made"
compare "$work/made/images" 700 || failed=1
exit "$failed"
