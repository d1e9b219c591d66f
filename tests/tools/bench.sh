#!/usr/bin/env bash
# Runs the criterion benches, a file for each room. The first run saves the baseline; later ones compare
# with it and name what got slower.
#   BASELINE=new   saves the baseline anew
#   ROOM=decode    runs one room
#   PERCENT=10     a bench counts as slower if its median is so much slower, with 95 % confidence
#   SHORT=1        a tenth of the time, for a first look
# exit status: 0 nothing is slower, or the baseline was saved; 1 something is slower
set -euo pipefail
cd "$(dirname "$0")/../.."
percent=${PERCENT:-10}
folder=${CARGO_TARGET_DIR:-target}/criterion
which=(); [ -z "${ROOM:-}" ] || which=(--bench "$ROOM")
pace=(); [ -z "${SHORT:-}" ] || pace=(--warm-up-time 0.3 --measurement-time 0.5 --sample-size 10)
mkdir -p "$folder"
stamp=$(mktemp); trap 'rm -f "$stamp"' EXIT
baseline() { find "$folder" -type d -name saved -print -quit; }

if [ "${BASELINE:-}" = new ] || [ -z "$(baseline)" ]; then
  cargo bench --locked "${which[@]}" -- --noplot "${pace[@]}" --save-baseline saved
  echo "The baseline is saved; run again after a change."
  exit 0
fi
touch "$stamp"
cargo bench --locked "${which[@]}" -- --noplot "${pace[@]}" --baseline-lenient saved
# A bench that the baseline does not know joins it.
while IFS= read -r -d '' file; do
  bench=${file%/new/benchmark.json}
  [ -d "$bench/saved" ] || { cp -r "$bench/new" "$bench/saved"; echo "Joins the baseline: $bench"; }
done < <(find "$folder" -path '*/new/benchmark.json' -newer "$stamp" -print0)
if slower=$(tests/tools/slower.sh "$folder" "$stamp" "$percent"); then
  echo "Nothing is more than $percent % slower than the baseline."
elif [ -n "$slower" ]; then
  printf 'More than %s %% slower than the baseline:\n%s\n' "$percent" "$slower"
  exit 1
else
  echo "Nothing was compared."
fi
