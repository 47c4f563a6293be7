#!/bin/bash
# The simulator at length: so many seeds that nobody has run before, on all cores. Failing ones leave the shortest scenario that
# still fails in build/sim-failures, and are named at the end.
#
# usage: scripts/sim-nightly.sh [COUNT] [FIRST_SEED]     default: 10,000 seeds, from a number made of the time
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
count=${1:-10000}
first=${2:-$(( $(date +%s) * 1000 ))}
cores=$(nproc)
mapfile -t list < <(build_packages)
need_packages "${list[@]}"
build_release
step "Building the simulator" ninja-sim ninja -C build/release cardea-sim
mkdir -p build/sim-failures

share=$(( (count + cores - 1) / cores ))
pids=()
for (( i = 0; i < cores; i++ )); do
  ( cd build/sim-failures && exec ../release/cardea-sim --seed $(( first + i * share )) --count "$share" --list ) \
    > "build/logs/sim-nightly-$i.log" 2> "build/logs/sim-nightly-$i.err" &
  pids+=($!)
done
trap 'kill "${pids[@]}" 2> /dev/null; exit 130' INT TERM

tally() { cat build/logs/sim-nightly-[0-9]*.log | grep -c "^$1 - " || true; }
while [ -n "$(jobs -r)" ]; do
  sleep 1
  [ -t 2 ] && printf '\r%s of %s seeds, %s failed ' "$(( $(tally ok) + $(tally 'not ok') ))" "$(( share * cores ))" "$(tally 'not ok')" >&2
done
[ -t 2 ] && echo >&2
wait || true
grep -h '^FAILED' build/logs/sim-nightly-[0-9]*.err || true
passed=$(tally ok) failed=$(tally 'not ok')
echo "$passed passed, $failed failed (seeds from $first)"
[ "$failed" -eq 0 ] && [ "$passed" -ge "$count" ]
