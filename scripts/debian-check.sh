#!/bin/bash
# Makes a bare Debian, with git and nothing else of ours, and runs `./run --build-only` and the API tests in it, as an
# ordinary user with sudo. Needs root, debootstrap and a network that reaches Debian's packages and npm.
#
# usage: scripts/debian-check.sh [--keep] [RELEASE...]      default: bookworm trixie
#   --keep   leaves the folders in $DEBIAN_CHECK_DIR (default /var/tmp/cardea-debian) for a look, and uses them again
#
# What is tested is the commit that is checked out, not the working tree. Nothing outside the folder is changed.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

keep=false
releases=()
for arg in "$@"; do
  case $arg in
    --keep) keep=true ;;
    -*) sed -n '2,9p' "$0"; exit 2 ;;
    *) releases+=("$arg") ;;
  esac
done
(( ${#releases[@]} > 0 )) || releases=(bookworm trixie)
[ "$(id -u)" = 0 ] || { echo "debian-check: only root can make a chroot" >&2; exit 1; }

. scripts/lib.sh
need_packages debootstrap

base=${DEBIAN_CHECK_DIR:-/var/tmp/cardea-debian}
# Packages come from where this machine's own come from.
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)}
mkdir -p "$base"

root=''
# Everything mounted below the folder goes before the folder may: a bind mount must never be deleted through.
leave() {
  local m
  [ -n "$root" ] || return 0
  # what is still running in there was started by us: it has this root
  local p
  for p in /proc/[0-9]*; do
    [ "$(readlink "$p/root" 2> /dev/null)" = "$root" ] && kill -KILL "${p#/proc/}" 2> /dev/null
  done
  sleep 0.3
  awk -v r="$root/" 'index($2, r) == 1 { print $2 }' /proc/mounts | sort -r | while read -r m; do umount "$m" || umount -l "$m"; done
}
trap leave EXIT
trap 'exit 130' INT TERM

inside() { chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb "$@"; }
as_user() { inside su - dev -c "cd ~/cardea && $*"; }

# The same ways to packages as this machine has: its resolver, its proxies, the certificates it trusts.
share_network() {
  local f
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  cp -L /etc/hosts "$root/etc/hosts"
  for f in /etc/apt/apt.conf.d/*proxy*; do
    [ -f "$f" ] && cp -L "$f" "$root$f"
  done
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/host.crt"
  {
    env | grep -E '^(https?|no|HTTPS?|NO)_(proxy|PROXY)=' | sed "s/=\(.*\)/='\1'/; s/^/export /"
    echo 'export NODE_EXTRA_CA_CERTS=/etc/ssl/host.crt'
  } > "$root/etc/profile.d/network.sh"
}

make_root() {
  local release=$1
  if [ ! -f "$root/etc/debian_version" ]; then
    rm -rf "$root"
    step "$release: debootstrap" "debian-$release-bootstrap" debootstrap --variant=minbase --include=git,sudo,ca-certificates "$release" "$root" "$mirror" || return 1
  fi
  # No daemon is started by installing its package.
  printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys" 2> /dev/null || true
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" 2> /dev/null || true
  inside id dev > /dev/null 2>&1 || inside useradd -m -s /bin/bash dev
  printf 'dev ALL=(ALL) NOPASSWD: ALL\n' > "$root/etc/sudoers.d/dev"
  chmod 440 "$root/etc/sudoers.d/dev"
  share_network
  rm -rf "$root/home/dev/cardea"
  git clone -q --no-hardlinks . "$root/home/dev/cardea"
  inside chown -R dev: /home/dev/cardea
}

# No warning: neither of the compiler, nor of npm, nor of apt.
warnings() {
  grep -niE '\bwarn(ing)?\b' "$root"/home/dev/cardea/build/logs/{ninja-release,meson-release,npm}.log 2> /dev/null | grep -viE 'warning_level|-Wwarn|debconf' || true
}

failures=0
check() {
  local release=$1
  root=$base/$release
  say "== $release"
  make_root "$release" || { failures=$(( failures + 1 )); return; }
  if ! step "$release: ./run --build-only, from nothing" "debian-$release-run" as_user ./run --build-only; then
    failures=$(( failures + 1 )); leave; return
  fi
  local binary found
  binary=$(tail -n 1 "build/logs/debian-$release-run.log")
  [ -x "$root$binary" ] || { say "  the last line is no program: $binary"; failures=$(( failures + 1 )); }
  found=$(warnings)
  [ -z "$found" ] || { say "  warnings:"; say "$found"; failures=$(( failures + 1 )); }
  step "$release: ./run --build-only, again" "debian-$release-again" as_user ./run --build-only || failures=$(( failures + 1 ))
  step "$release: ./test api" "debian-$release-api" as_user ./test api || failures=$(( failures + 1 ))
  say "  $release: $(tail -n 1 "build/logs/debian-$release-api.log"); $(inside node --version 2> /dev/null) $(inside npm --version 2> /dev/null)"
  leave
  $keep || rm -rf --one-file-system "$root"
  root=''
}

for release in "${releases[@]}"; do
  check "$release"
done
if (( failures > 0 )); then
  say "debian-check: $failures failed"
  exit 1
fi
say "debian-check: ${releases[*]} are fine"
