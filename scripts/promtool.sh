#!/bin/sh
# Takes promtool out of Debian's package prometheus (19 MB) into build/tools, without installing a server of that name.
set -eu
cd "$(dirname "$0")/.."
[ -x build/tools/promtool ] && exit 0
mkdir -p build/tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download prometheus
dpkg -x prometheus_*.deb out
cd - > /dev/null
mv "$work/out/usr/bin/promtool" build/tools/promtool
