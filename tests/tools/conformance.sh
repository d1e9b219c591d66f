#!/usr/bin/env bash
# Runs the official IIIF validator, all versions, against a server of ours on fixtures/images. The
# validator lives in a virtual environment below target/; the first run fetches it from PyPI.
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=${BINARY:-target/debug/triforium}
packages=(iiif-validator==1.0.5 python-magic==0.4.27 lxml pillow)
environment=target/conformance

if [ "$(cat "$environment/packages" 2>/dev/null)" != "${packages[*]}" ]; then
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"
  echo "${packages[*]}" >"$environment/packages"
fi

work=$(mktemp -d)
TRIFORIUM_IIIF__STRICT_VALIDATOR=true "$binary" serve fixtures/images \
  --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

for _ in $(seq 100); do
  address=$(sed -n '1s|/$||p' "$work/out")
  [ -n "$address" ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.1
done

"$environment/bin/python" tests/tools/validate.py "$address" \
  67352ccc-d1b0-11e1-89ae-279075081939 iiif-test-image.png
