#!/bin/sh
# Assembles the folder the server hands out: our pages, and the two libraries they use, unchanged, from npm.
# usage: scripts/web.sh [TARGET]
set -eu
cd "$(dirname "$0")/.."
target=${1:-build/web}
modules=node_modules
rm -rf "$target.new"
mkdir -p "$target.new/vendor"
cp -R web/. "$target.new/"
rm -r "$target.new/operators"           # in the program itself, on the listener of the Admin API
cp "$modules/janus-gateway/npm/dist/janus.es.js" "$target.new/vendor/janus.js"
cp "$modules/webrtc-adapter/out/adapter.js" "$target.new/vendor/adapter.js"
cp "$modules/webrtc-adapter/LICENSE.md" "$target.new/vendor/adapter.LICENSE.md"
rm -rf "$target"
mv "$target.new" "$target"
