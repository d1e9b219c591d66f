#!/usr/bin/env bash
# Builds the other sets of features and lets each answer requests: the CPU alone, mozjpeg in place of
# libjpeg-turbo, and Rust alone. Both JPEG libraries at once must not compile.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/server.sh

# serve: starts what was built last.
serve() { start "${CARGO_TARGET_DIR:-target}/debug/triforium" || fail "the server does not start"; }

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

# no_gpu: the build has none, says so when it is asked, and looks for none.
no_gpu() {
  curl -s "$admin/gpu" | grep -q 'this build has no GPU engine' || fail "the build has a GPU engine"
  ! grep -qi 'gpu\|vulkan' "$work/log" || fail "the log speaks of a GPU"
  ! grep -qi vulkan "/proc/$server/maps" || fail "Vulkan is loaded"
}

build "the CPU alone" --features turbojpeg,jp2-encode,avif-asm,heic,pdf-pages,webp,libdeflate,zstd
serve
common
answers 200 '....jP  ' cat-progressive.jpg/full/,100/0/default.jp2
no_gpu
stop

build "mozjpeg" --features mozjpeg,webp,libdeflate
serve
common
stop

build "Rust alone"
serve
common
no_gpu
answers 400 '{' cat-progressive.jpg/full/,100/0/default.jp2
stop

echo "-- both JPEG libraries"
if cargo check --locked --quiet --lib --features turbojpeg,mozjpeg >"$work/log" 2>&1; then
  fail "turbojpeg and mozjpeg compile together"
fi
grep -q 'define the same C symbols: build with one of them' "$work/log" || fail "another error was expected"
