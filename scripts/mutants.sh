#!/bin/bash
# Shows that the gates would find what they are there for: puts each deliberate bug of tests/mutants into a scratch clone, builds it,
# and runs the gate that the patch names. The clean tree goes through every gate first, and must pass.
#
# usage: scripts/mutants.sh [NAME...]          about a minute each; needs what ./test needs
#
#   Gate: sim SCENARIO     cardea-sim, at most MUTANT_SEEDS seeds (1,000)
#   Gate: ring             the ring's stress tests under ThreadSanitizer, at most MUTANT_ROUNDS times (20)
#   Gate: symbols          scripts/symbols.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
seeds=${MUTANT_SEEDS:-1000}
rounds=${MUTANT_ROUNDS:-20}
home=$PWD tree=$PWD/build/mutants/tree
mkdir -p build/mutants build/logs
rm -rf "$tree"
git clone -q --shared . "$tree"

# What is not committed yet is tried too.
git diff HEAD --binary > build/mutants/uncommitted.patch
[ ! -s build/mutants/uncommitted.patch ] || git -C "$tree" apply "$home/build/mutants/uncommitted.patch"
git -C "$tree" add -A
git -C "$tree" -c user.name=mutants -c user.email=mutants@localhost commit -q --allow-empty -m base

prepare() {
  [ -f "build/mutants/$1/build.ninja" ] || { local dir=build/mutants/$1; shift; meson setup "$dir" "$tree" "$@" > /dev/null; }
}

# Each gate: 0 it found nothing; 1 it has caught the bug, and says how; 2 it could not be run.
gate_sim() {
  prepare gcc --buildtype=release -Dfuzz=false -Dtests=false -Dtools=false || return 2
  ninja -C build/mutants/gcc cardea-sim > build/logs/mutants-build.log 2>&1 || return 2
  local code=0
  build/mutants/gcc/cardea-sim --scenario "$1" --count "$seeds" --seed 1 --stop --tries 0 --list > build/logs/mutants-gate.log 2>&1 || code=$?
  [ "$code" = 0 ] && return 0
  [ "$code" = 1 ] || return 2
  grep -m1 '^FAILED' build/logs/mutants-gate.log | sed 's/^FAILED: //' | cut -c1-160
  return 1
}

gate_ring() {
  prepare tsan -Db_sanitize=thread -Db_lundef=false -Dfuzz=false -Dtools=false -Dsim=false || return 2
  ninja -C build/mutants/tsan tests/unit/runtime/test_runtime_ring > build/logs/mutants-build.log 2>&1 || return 2
  for (( i = 1; i <= rounds; i++ )); do
    if ! timeout 60 build/mutants/tsan/tests/unit/runtime/test_runtime_ring > build/logs/mutants-gate.log 2>&1; then
      echo "round $i: $(grep -m1 -oE 'FAILED *\] [a-z_]+|WARNING: ThreadSanitizer.*' build/logs/mutants-gate.log || echo 'it hung')"
      return 1
    fi
  done
}

gate_symbols() {
  prepare gcc --buildtype=release -Dfuzz=false -Dtests=false -Dtools=false || return 2
  ninja -C build/mutants/gcc > build/logs/mutants-build.log 2>&1 || return 2
  ( cd "$tree" && scripts/symbols.sh "$home/build/mutants/gcc" ) > build/logs/mutants-gate.log 2>&1 && return 0
  grep -m1 '^not ok' build/logs/mutants-gate.log | cut -c1-160
  return 1
}

failed=0
say_result() { printf '%-18s %-14s %s\n' "$1" "$2" "$3"; }

# run_gate NAME GATE EXPECTED: the words behind "Gate:", and `caught` or `missed`.
run_gate() {
  local name=$1 expected=$3 how code=0 verdict
  local -a gate
  read -r -a gate <<< "$2"
  how=$("gate_${gate[0]}" "${gate[@]:1}") || code=$?
  case $code in 0) verdict=missed ;; 1) verdict=caught ;; *) verdict=broken how="see build/logs/mutants-build.log, mutants-gate.log" ;; esac
  say_result "$name" "$verdict" "$how"
  [ "$verdict" = "$expected" ] || failed=$(( failed + 1 ))
}

names=("$@")
[ $# -gt 0 ] || mapfile -t names < <(cd tests/mutants && ls -- *.patch | sed 's/\.patch$//')
gate_of() { sed -n 's/^Gate: //p' "tests/mutants/$1.patch" | head -1; }

while IFS= read -r gate; do
  seeds=${MUTANT_CLEAN_SEEDS:-50} run_gate "(clean: $gate)" "$gate" missed
done < <(for name in "${names[@]}"; do gate_of "$name"; done | sort -u)

for name in "${names[@]}"; do
  git -C "$tree" reset -q --hard
  git -C "$tree" clean -q -f
  if ! patch -d "$tree" -p1 -s -F2 --no-backup-if-mismatch < "tests/mutants/$name.patch" > build/logs/mutants-patch.log 2>&1; then
    say_result "$name" "does not apply" ""
    failed=$(( failed + 1 ))
    continue
  fi
  run_gate "$name" "$(gate_of "$name")" caught
done
git -C "$tree" reset -q --hard
[ "$failed" -eq 0 ] && echo "all caught" || { echo "$failed not as they should be"; exit 1; }
