#!/usr/bin/env bash
# Builds the release binary with one number of a shader changed, and shows over HTTP that its self-test
# refuses the device, that its cross-check finds it out, and that without either its bodies are others.
# Takes a device, software or not. The tree is copied, so nothing of this build stays in target/release.
set -euo pipefail
cd "$(dirname "$0")/../.."
shader=shaders/shared/tone.wgsl
right='19595 \* colour\.x'
wrong='19395 * colour.x'
target=${CARGO_TARGET_DIR:-$PWD/target}
. tests/tools/server.sh

# started BINARY MODE SETTING=VALUE...: serves with the device in that mode, once the device is known; false
# where the server ends before.
started() {
  local binary=$1 mode=$2
  shift 2
  start env TRIFORIUM_CACHE__LEVELS__DISK_BYTES=0 TRIFORIUM_GPU__MODE="$mode" "$@" "$binary" || return 1
  for _ in $(seq 600); do
    [ "$(device state)" = starting ] || return 0
    sleep 0.1
  done
  fail "the device is not settled"
}

# device KEY: what the server tells of its device.
device() {
  curl -s "$admin/gpu" | python3 -c 'import json, sys; print(json.load(sys.stdin).get(sys.argv[1]))' "$1"
}

# body NAME: asks for gray answers and keeps them under that name.
paths=(cat-progressive.jpg/0,0,400,300/200,/0/gray.jpg cat-progressive.jpg/full/150,/90/gray.png
  iiif-test-image.png/full/200,/12.5/gray.png)
bodies() {
  local number=0 path
  for path in "${paths[@]}"; do
    curl -sf -o "$work/$1.$number" "$base/iiif/3/$path" || fail "$path is not answered"
    number=$((number + 1))
  done
}

# same NAME NAME: how many of their bodies are the same.
same() {
  local number count=0
  for number in "${!paths[@]}"; do
    ! cmp -s "$work/$1.$number" "$work/$2.$number" || count=$((count + 1))
  done
  echo "$count"
}

cargo build --release --locked --bin triforium

slip=$target/slip
mkdir -p "$slip/tree"
if [ ! -e "$slip/release" ]; then
  # What it depends on is the same; only this crate is built again.
  cp -a "$target/release" "$slip/release"
  rm -rf "$slip/release/triforium" "$slip/release/incremental"
fi
git ls-files -z | xargs -0 cp -p --parents -t "$slip/tree"
sed -i "s/$right/$wrong/" "$slip/tree/$shader"
! cmp -s "$shader" "$slip/tree/$shader" || fail "$shader has no $right"
CARGO_TARGET_DIR=$slip cargo build --release --locked --bin triforium --manifest-path "$slip/tree/Cargo.toml"

slipped=$slip/release/triforium
started "$slipped" off || fail "the server does not start"
bodies cpu
stop

started "$target/release/triforium" on || fail "the server does not start"
bodies device
stop
[ "$(same cpu device)" = 3 ] || fail "the shaders as they are give other bodies"

! started "$slipped" on || fail "the self-test takes the device"
grep -q 'fails its self-test' "$work/log" || fail "another reason was expected"
started "$slipped" auto TRIFORIUM_GPU__REHEARSAL=1e-9 || fail "auto needs no device"
[ "$(device state)" = off ] || fail "the self-test takes the device"
bodies refused
stop
[ "$(same cpu refused)" = 3 ] || fail "a device that was refused changes bodies"

started "$slipped" on TRIFORIUM_GPU__SELF_TEST=false TRIFORIUM_GPU__CHECK_ONE_IN=1 || fail "the server does not start"
bodies checked
[ "$(device state)" = off ] || fail "the cross-check finds nothing"
curl -s "$admin/metrics" | grep -q 'gpu_checks_total{result="mismatch"} [1-9]' || fail "no mismatch is counted"
stop
[ "$(same cpu checked)" = 3 ] || fail "a wrong body was answered beside the cross-check"

started "$slipped" on TRIFORIUM_GPU__SELF_TEST=false TRIFORIUM_GPU__CHECK_ONE_IN=0 || fail "the server does not start"
bodies slipped
stop
[ "$(same cpu slipped)" = 0 ] || fail "the slip changes no body"
echo "one number of a shader changed: refused by the self-test, found by the cross-check, other bodies without them"
