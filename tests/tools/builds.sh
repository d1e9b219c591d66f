#!/usr/bin/env bash
# Builds the other sets of codecs and lets each answer requests: mozjpeg in place of libjpeg-turbo, and
# Rust alone. Both JPEG libraries at once must not compile.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
server=
trap 'stop; rm -rf "$work"' EXIT

stop() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  server=
}

fail() { echo "$1" >&2; [ ! -s "$work/log" ] || cat "$work/log" >&2; exit 1; }

# start: serves fixtures/images and sets $base.
start() {
  : >"$work/out"
  "${CARGO_TARGET_DIR:-target}/debug/triforium" serve fixtures/images \
    --listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 >"$work/out" 2>"$work/log" &
  server=$!
  for _ in $(seq 100); do
    base=$(sed -n '1s|/$||p' "$work/out")
    [ -z "$base" ] || return 0
    kill -0 "$server" 2>/dev/null || fail "the server does not start"
    sleep 0.1
  done
  fail "the server says no address"
}

# answers STATUS MAGIC PATH: the answer's status, and the bytes that it begins with, as a pattern.
answers() {
  local status
  status=$(curl -s -o "$work/body" -w '%{http_code}' "$base/iiif/3/$3")
  [ "$status" = "$1" ] || fail "$3: $status, not $1"
  LC_ALL=C grep -qaP "\A$2" <(head -c 16 "$work/body") || fail "$3: begins with $(head -c 16 "$work/body" | od -An -tx1)"
}

# common: what every build answers.
common() {
  local id
  for id in cat-progressive.jpg iiif-test-image.png solids-jpeg.tif college-palette.jp2 orange-lossless.webp orientation%2Fwaterfall-6-turned.jpg; do
    answers 200 '{' "$id/info.json"
    answers 200 '\xff\xd8\xff' "$id/full/,100/0/default.jpg"
    answers 200 '\x89PNG' "$id/square/64,/90/gray.png"
    answers 200 'RIFF....WEBP' "$id/full/50,/0/default.webp"
    answers 200 '....ftypavif' "$id/full/50,/0/default.avif"
    answers 200 '\xff$' "$id/full/50,/0/default.jxl"
    answers 200 '%PDF-1' "$id/full/50,/0/default.pdf"
  done
}

build() { echo "-- $1"; shift; cargo build --locked --quiet --bin triforium --no-default-features "$@"; }

build "mozjpeg" --features mozjpeg,webp,libdeflate
start
common
stop

build "Rust alone"
start
common
answers 400 '{' cat-progressive.jpg/full/,100/0/default.jp2
stop

echo "-- both JPEG libraries"
if cargo check --locked --quiet --lib --features turbojpeg,mozjpeg >"$work/log" 2>&1; then
  fail "turbojpeg and mozjpeg compile together"
fi
grep -q 'define the same C symbols: build with one of them' "$work/log" || fail "another error was expected"
