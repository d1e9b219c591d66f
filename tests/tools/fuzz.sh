#!/usr/bin/env bash
# Runs every fuzz target for a while, beginning with the fixtures, one after the other; a crash, a hang or
# too much memory fails the run and leaves its input in fuzz/artifacts.
#
#   usage: fuzz.sh [SECONDS] [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-30}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | tail -n +2)

command -v cargo-fuzz >/dev/null || cargo install --locked --quiet cargo-fuzz
# The compiler's sanitizers have no stable switch.
export RUSTC_BOOTSTRAP=1
# As for tests, with their assertions, but optimised: what is changed is built in pieces. In a folder of its own,
# for the switch above would have what tests are built of built anew.
CARGO_PROFILE_DEV_OPT_LEVEL=2 CARGO_PROFILE_DEV_DEBUG=line-tables-only cargo fuzz build --dev --target-dir target/fuzz

build=target/fuzz/$(rustc -vV | sed -n 's/^host: //p')/debug
failed=()
for target in "${targets[@]}"; do
  corpus=fuzz/corpus/$target
  mkdir -p "$corpus" "fuzz/artifacts/$target"
  seeds=("$corpus")
  for folder in fuzz/seeds/"$target" fixtures/"${target#master_}" fixtures/images; do
    [ -d "$folder" ] && [[ $target == master_* || $folder == fuzz/* ]] && seeds+=("$folder")
  done
  case $target in
    profile) seeds+=(fixtures/icc) ;;
    font) seeds+=(fixtures/overlay) ;;
    master_avif) seeds+=(fixtures/heic) ;;
  esac
  log=$(mktemp)
  # Leaks are not looked for: what threads hold at the end is no leak, and the tool cannot tell.
  if ASAN_OPTIONS=detect_leaks=0 "$build/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3072 \
      -max_len=65536 -print_final_stats=1 -artifact_prefix="fuzz/artifacts/$target/" "${seeds[@]}" >"$log" 2>&1; then
    printf '%-16s clean, %s runs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
  else
    failed+=("$target")
    printf '%-16s FAILED\n' "$target"
    grep -aE 'ERROR|panicked|SUMMARY|Test unit written' "$log" | head -12 || tail -20 "$log"
  fi
  rm -f "$log"
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
