#!/bin/bash
# Fuzzes at length, with clang's libFuzzer under ASan and UBSan. See scripts/fuzz.sh --help.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export LC_ALL=C.UTF-8

usage() {
  cat <<'HELP'
usage: scripts/fuzz.sh TARGET|all SECONDS      fuzzes (each of) the target(s) for that long
       scripts/fuzz.sh --merge TARGET          takes what has been learned into fuzz/corpus/TARGET, minimised
       scripts/fuzz.sh --list                  the targets, and how often each has been executed so far

What it learns lies in build/fuzz-work/TARGET; executions are added to fuzz/totals.tsv (or to $FUZZ_TOTALS), which docs/RELIABILITY.md shows. A finding is
kept in build/fuzz-findings, its text is printed, and the exit code is 1: it becomes a file in fuzz/corpus/TARGET before it is mended.
HELP
}

MERGED_MAX_BYTES=1024               # the corpus is replayed cut at every byte, by every test run: small files, and few
MERGED_MAX_FILES=60
totals=${FUZZ_TOTALS:-fuzz/totals.tsv}

. scripts/lib.sh
targets() { sed -n "s/^ *\(fuzz\|session\)_targets += {'\([a-z0-9_]*\)'.*/\2/p" fuzz/meson.build; }
total_of() { awk -F'\t' -v t="$1" '$1 == t { print $2 }' $totals; }

build() {
  need_packages clang "$(apt-cache depends clang 2> /dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/libclang-rt-\1-dev/p' | head -1)" libcmocka-dev meson ninja-build \
    pkg-config libssl-dev libjansson-dev || exit 1
  if [ ! -f build/fuzz/build.ninja ]; then
    step "Preparing the fuzzers" meson-fuzz env CC=clang meson setup build/fuzz -Dfuzz_engine=true -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link -Db_lundef=false \
      -Dtools=false --buildtype=debugoptimized || exit 1
  fi
  step "Building the fuzzers" ninja-fuzz ninja -C build/fuzz $(targets | sed 's/^/fuzz\/fuzz_/') || exit 1
}

# add TARGET EXECUTIONS SECONDS
add() {
  touch $totals
  awk -F'\t' -v OFS='\t' -v t="$1" -v n="$2" -v s="$3" '
    $1 == t { $2 += n; $3 += s; seen = 1 } { print } END { if (!seen) print t, n, s }' $totals | sort > $totals.new && mv $totals.new $totals
  [ -n "${FUZZ_TOTALS:-}" ] || scripts/fuzz_totals.py
}

run() {
  local name=$1 seconds=$2 log=build/logs/fuzz-$1.log dict=() rc=0 executed
  local work=build/fuzz-work/$name
  mkdir -p "$work" build/fuzz-findings
  [ ! -f "fuzz/dict/$name.dict" ] || dict=("-dict=fuzz/dict/$name.dict")
  [ -t 2 ] && printf '  %s: %d s ...' "$name" "$seconds" >&2
  ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    "build/fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -verbosity=1 \
    -artifact_prefix="build/fuzz-findings/$name-" "${dict[@]}" "$work" "fuzz/corpus/$name" > "$log" 2>&1 < /dev/null || rc=$?
  executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
  [ -n "$executed" ] || executed=$(sed -n 's/^#\([0-9]*\)\t.*/\1/p' "$log" | tail -1)
  add "$name" "${executed:-0}" "$seconds"
  [ -t 2 ] && printf '\r' >&2
  if (( rc != 0 )); then
    say "  $name: FOUND something after ${executed:-0} executions ($log):"
    grep -E -A12 'ERROR:|runtime error:|CHECK\(|error: Failure' "$log" | head -40 >&2
    return 1
  fi
  say "  $name: ${executed:-0} executions, no finding ($(total_of "$name") in all)"
}

merge() {
  local name=$1 merged=build/fuzz-merged/$1
  rm -rf "$merged"
  mkdir -p "$merged" "build/fuzz-work/$name"
  "build/fuzz/fuzz/fuzz_$name" -merge=1 -max_len=$MERGED_MAX_BYTES "$merged" "fuzz/corpus/$name" "build/fuzz-work/$name" > "build/logs/fuzz-merge-$name.log" 2>&1 < /dev/null || return 1
  # Files by hand keep their names; of the others the smallest, which libFuzzer has put first.
  local have count=0 file
  have=$(find "fuzz/corpus/$name" -type f | wc -l)
  for file in $(find "$merged" -type f -printf '%s %p\n' | sort -n | cut -d' ' -f2); do
    (( have + count < MERGED_MAX_FILES )) || break
    [ -n "$(find "fuzz/corpus/$name" -type f -exec cmp -s {} "$file" \; -print -quit)" ] && continue
    cp "$file" "fuzz/corpus/$name/" && count=$(( count + 1 ))
  done
  say "  $name: $count files more"
}

case ${1:-} in
  -h | --help | '') usage; exit 0 ;;
  --list) for name in $(targets); do printf '%-14s %s\n' "$name" "$(total_of "$name" 2> /dev/null)"; done; exit 0 ;;
  --merge) build; merge "${2:?which target?}"; exit ;;
esac
[[ ${2:-} =~ ^[0-9]+$ ]] || { usage >&2; exit 2; }
if [ "$1" = all ]; then list=$(targets); else list=$1; fi
for name in $list; do targets | grep -qx "$name" || die "there is no target called $name (--list)"; done
build
found=0
for name in $list; do run "$name" "$2" || found=1; done
exit $found
