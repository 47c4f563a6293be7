#!/bin/bash
# A long run: see scripts/soak.py --help.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export LC_ALL=C.UTF-8
case ${1:-} in
  '' | -h | --help) exec python3 scripts/soak.py --help ;;
esac

. scripts/lib.sh
mapfile -t list < <(build_packages)
need_packages "${list[@]}" python3-minimal || exit 1
dir=build/bench
if [ ! -f $dir/build.ninja ]; then
  step "Preparing the build" meson-bench meson setup $dir --buildtype=release -Dtests=false -Dfuzz=false || exit 1
fi
step "Building the server and the load generator" ninja-bench ninja -C $dir cardea tools/load/cardea-load || exit 1
exec python3 scripts/soak.py "$@"
