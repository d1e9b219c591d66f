#!/usr/bin/env bash
# Names the criterion benches below FOLDER that got slower than their baseline by more than PERCENT: those
# whose median changed by more, with 95 % confidence. Only comparisons newer than the file SINCE count.
# usage: slower.sh FOLDER SINCE PERCENT
# exit status: 0 none, 1 some, 2 nothing was compared
set -euo pipefail
folder=$1 since=$2 percent=$3
compared=0 slower=0
while IFS= read -r -d '' file; do
  compared=$((compared + 1))
  bench=${file%/change/estimates.json}
  name=$(sed -nE 's/.*"full_id":"([^"]*)".*/\1/p' "$bench/new/benchmark.json")
  change=$(sed -nE 's/.*"median":\{"confidence_interval":\{[^}]*"lower_bound":([-0-9.eE+]+),[^}]*\},"point_estimate":([-0-9.eE+]+).*/\1 \2/p' "$file")
  [ -n "$change" ] || { echo "slower.sh: $file is not as criterion writes it" >&2; exit 2; }
  if awk -v percent="$percent" -v name="${name:-$bench}" '{
      if ($1 * 100 > percent) { printf "  %s: %.0f %% slower, at least %.0f %%\n", name, $2 * 100, $1 * 100; exit 0 }
      exit 1 }' <<< "$change"; then
    slower=$((slower + 1))
  fi
done < <(find "$folder" -path '*/change/estimates.json' -newer "$since" -print0 | sort -z)
[ "$compared" -gt 0 ] || { echo "slower.sh: nothing was compared" >&2; exit 2; }
[ "$slower" -eq 0 ]
