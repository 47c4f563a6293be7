#!/bin/bash
# What the server costs, beside Debian's `janus` in the same run; the tables of docs/PERFORMANCE.md.
#
# usage: scripts/bench.sh --limit [--quick] [--rows ROW,ROW...] [--fresh] [--no-write] [--no-reference]
#   The packet path beside the machine's limit (bench/floor) and janus: the table of the goals, and docs/cost.svg. About 40 minutes;
#   --quick: 6. A row that has been measured is kept (build/bench/limit): broken off, it goes on where it was; --fresh begins anew.
#   Rows: sink_video sink_audio loop_even loop_burst delay idle_peers viewers api. Needs root for its namespaces (scripts/nullsink.sh).
#
# usage: scripts/bench.sh [--full] [--only NAME,NAME...] [--rounds N] [--no-write] [--no-reference] [--no-browser]
#   --full          the counts of the goals everywhere, five rounds, the long micro benches (about 25 minutes; short: 10)
#   --only          of: api idle peers viewers room clients wait data association micro
#   --no-write      prints the tables, and leaves docs/PERFORMANCE.md alone
#   --no-reference  without janus; --no-browser without the viewer's wait
#
# Needs what ./run needs; the packages janus and chromium for what is compared with them (skipped, with a message, if absent).
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

dir=build/bench
need_packages $(build_packages) python3
need_npm all
if [ ! -f $dir/build.ninja ]; then
  step "Preparing the build" meson-bench meson setup $dir --buildtype=release -Dtests=false -Dfuzz=false
fi
step "Building server, load generator and benches" ninja-bench \
  ninja -C $dir cardea tools/load/cardea-load bench/bench_packet bench/bench_parsers bench/bench_sctp
case " $* " in
  *" --limit "*)
    need_packages iproute2 nftables
    exec python3 scripts/bench_limit.py --build $dir "$@" ;;
esac
exec python3 scripts/bench_run.py --build $dir "$@"
