#!/usr/bin/env bash
# Installs what a bare Debian 12 or 13 lacks. Idempotent: with everything there it does nothing and asks
# nothing. Without root, or off Debian, it says which packages are missing and stops.
#
#   usage: setup.sh build [test] [corpus]
set -euo pipefail

# Package, and a file or program that shows that it is there.
build=(
  "build-essential:cc" "cmake:cmake" "nasm:nasm"
  "ca-certificates:file:/etc/ssl/certs/ca-certificates.crt"
)
tests=(
  "chromium:chromium" "chromium-driver:chromedriver" "prometheus:prometheus" "python3-venv:python:venv"
  "libmagic1:lib:libmagic" "libvips-tools:vips" "libimage-exiftool-perl:exiftool" "libtiff-tools:tiffinfo" "curl:curl"
  "mesa-vulkan-drivers:lib:libvulkan_lvp" "libvulkan1:lib:libvulkan.so"
)
corpus=(
  "python3-venv:python:venv" "libvips-tools:vips" "libtiff-tools:tiffcp" "libopenjp2-tools:opj_compress"
  "libjpeg-turbo-progs:cjpeg" "libjxl-tools:djxl"
)

is_there() {
  case $1 in
    lib:*) ldconfig -p 2>/dev/null | grep -q "${1#lib:}" || ls /usr/lib/llvm-*/lib/"${1#lib:}"* >/dev/null 2>&1 ;;
    file:*) [ -e "${1#file:}" ] ;;
    python:*) /usr/bin/python3 -c "import ${1#python:}, ensurepip" 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

wanted=()
for set in "$@"; do
  case $set in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${tests[@]}") ;;
    corpus) wanted+=("${corpus[@]}") ;;
    *) echo "usage: setup.sh build [test] [corpus]" >&2; exit 2 ;;
  esac
done

missing=()
for entry in "${wanted[@]}"; do
  is_there "${entry#*:}" || missing+=("${entry%%:*}")
done

if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "These Debian packages are missing: ${missing[*]}" >&2
    echo "Install them (as root: apt-get install -y ${missing[*]}) and start again." >&2
    exit 1
  fi
  echo "Installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 \
    || { cat "$log" >&2; echo "The packages could not be installed." >&2; exit 1; }
  rm -f "$log"
fi

if ! command -v cargo >/dev/null 2>&1; then
  if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    echo "Rust is installed but not on the path: add ${CARGO_HOME:-\$HOME/.cargo}/bin to PATH." >&2
  else
    echo "Rust 1.95 or newer is missing; install it with rustup (rustup.rs)." >&2
  fi
  exit 1
fi
