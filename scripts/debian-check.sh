#!/bin/bash
# Shows that a clean clone builds and passes its API tests on a bare Debian 12 and a bare Debian 13: see --help.
#
# Everything happens in a mount and a PID namespace of its own, so that no mount and no process outlives it, however it ends.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
export LC_ALL=C.UTF-8

usage() {
  cat <<'HELP'
usage: scripts/debian-check.sh [OPTION...]                    (as root)

Makes a bare Debian of each suite (debootstrap's smallest, with git and sudo), clones HEAD into it, and runs `./run --build-only` and
`./test api` there as an ordinary user with sudo. A warning of apt, npm, meson or the compiler fails, and so does a library that meson
does not find. Then installs the packages with daemons that tests are compared with: none may start.
Debian comes from the mirrors of this machine's apt, npm's packages from its registry. Logs are in build/logs/debian-SUITE*.

  --suite S     bookworm or trixie; both without it
  --unit        runs `./test unit` as well
  --folder DIR  where the systems are made, instead of build/debian; the bare ones are kept there for the next run
  --keep        leaves the system there afterwards
  --help        this text
HELP
}

suites=() unit=false keep=false folder=build/debian arguments=("$@")
while (( $# > 0 )); do
  case $1 in
    --suite) case ${2:-} in bookworm | trixie) suites+=("$2") ;; *) usage >&2; exit 2 ;; esac; shift ;;
    --folder) (( $# > 1 )) || { usage >&2; exit 2; }; folder=$2; shift ;;
    --unit) unit=true ;;
    --keep) keep=true ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'debian-check.sh: unknown option %s\n' "$1" >&2; usage >&2; exit 2 ;;
  esac
  shift
done
(( ${#suites[@]} > 0 )) || suites=(bookworm trixie)

. scripts/lib.sh

[ "$(id -u)" = 0 ] || die "this makes systems of its own and needs root"
if [ -z "${DEBIAN_CHECK_INSIDE:-}" ]; then
  need_packages debootstrap git
  DEBIAN_CHECK_INSIDE=yes exec unshare --mount --pid --fork --mount-proc --kill-child "$0" "${arguments[@]}"
fi

mkdir -p "$folder/cache"
folder=$(readlink -f "$folder")
user=someone
clone=home/$user/cardea
passed=0 failed=0

# check NAME TEXT COMMAND...: a step that counts; its output is in build/logs/debian-SUITE-NAME.log.
check() {
  local name=$1 text="$suite: $2" began=$SECONDS
  shift 2
  if step "$text" "debian-$suite-$name" "$@"; then
    passed=$(( passed + 1 ))
    echo "ok - $text ($(( SECONDS - began )) s)"
  else
    failed=$(( failed + 1 ))
    echo "not ok - $text"
    return 1
  fi
}

# ---- what this machine knows of the network, for the systems made here ----

# mirror LABEL: where apt gets the archive of this label from.
# shellcheck disable=SC2016
mirror() { apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | sed -n "s/^Debian|$1|//p" | head -1; }

# Variables for programs in the system that fetch something: proxies, authorities, and npm's own idea of both.
network_variables() {
  local name value
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS SSL_CERT_FILE SSL_CERT_DIR; do
    [ -z "${!name:-}" ] || printf '%s\n' "$name=${!name}"
  done
  command -v npm > /dev/null || return 0
  for name in registry cafile proxy https-proxy noproxy; do
    value=$(cd / && npm config get "$name" 2> /dev/null) || continue
    case $value in '' | null | undefined) ;; *) printf '%s\n' "npm_config_${name//-/_}=$value" ;; esac
  done
}

# ---- the system ----

in_tree() { chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }

as_user() {
  chroot --userspec=$user:$user --groups=$user "$tree" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/$user USER=$user \
    LOGNAME=$user SHELL=/bin/bash TERM=dumb "${network[@]}" /bin/bash -c 'cd ~/cardea && exec "$@"' bash "$@"
}

remove_tree() {
  [ -e "$tree" ] || return 0
  [ -e "$tree/.debian-check" ] || { echo "$tree is not of our making"; return 1; }
  rm -rf --one-file-system "$tree"
}

new_archive() {
  local archive=$1 proxy=''
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  [ -z "$proxy" ] || export http_proxy=$proxy
  debootstrap --variant=minbase --include=git,sudo,ca-certificates "$suite" "$tree" "$(mirror Debian)" &&
    tar -C "$tree" -cf "$archive.new" --numeric-owner . &&
    mv "$archive.new" "$archive"
}

make_tree() {
  local archive=$folder/cache/$suite.tar
  remove_tree && mkdir -p "$tree" "$folder/cache/$suite-debs" && touch "$tree/.debian-check" || return 1
  if [ -n "$(find "$archive" -mtime -30 2> /dev/null)" ]; then
    tar -C "$tree" -xf "$archive" --numeric-owner
  else
    new_archive "$archive"
  fi
}

mount_tree() {
  local node
  mount -t proc proc "$tree/proc"
  mount -t sysfs -o ro sysfs "$tree/sys"
  mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
  for node in null zero full random urandom tty; do
    touch "$tree/dev/$node"
    mount --bind "/dev/$node" "$tree/dev/$node"
  done
  mkdir "$tree/dev/pts" "$tree/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,gid=5 devpts "$tree/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
  ln -s pts/ptmx "$tree/dev/ptmx"
  ln -s /proc/self/fd "$tree/dev/fd"
  mount --bind "$folder/cache/$suite-debs" "$tree/var/cache/apt/archives"
}

unmount_tree() {
  local at
  for at in var/cache/apt/archives dev sys proc; do umount -R "$tree/$at" || umount -R -l "$tree/$at"; done
}

connect_tree() {
  local main security file
  main=$(mirror Debian) security=$(mirror Debian-Security)
  {
    echo "deb $main $suite main"
    echo "deb $main $suite-updates main"
    [ -z "$security" ] || echo "deb $security $suite-security main"
  } > "$tree/etc/apt/sources.list"
  apt-config dump Acquire | grep -E '^Acquire::(http|https|Retries|ForceIP|Check-)' > "$tree/etc/apt/apt.conf.d/90machine"
  cp -L /etc/resolv.conf /etc/hosts "$tree/etc/" || return 1
  hostname > "$tree/etc/hostname"
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$tree/usr/local/share/ca-certificates" {} +
  in_tree update-ca-certificates || return 1
  for file in $(printf '%s\n' "${network[@]}" | sed -nE 's/^(NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_cafile)=//p'); do
    [ -e "$tree$file" ] || install -D -m 644 "$file" "$tree$file" || return 1
  done
}

furnish_tree() {
  connect_tree || return 1
  printf '#!/bin/sh\nexit 101\n' > "$tree/usr/sbin/policy-rc.d"             # "action forbidden by policy": no daemon starts
  chmod 755 "$tree/usr/sbin/policy-rc.d"
  in_tree useradd --create-home --shell /bin/bash $user || return 1
  echo "$user ALL=(ALL) NOPASSWD: ALL" > "$tree/etc/sudoers.d/$user"
  git clone -q --no-hardlinks . "$tree/$clone" && in_tree chown -R $user:$user "/$clone" || return 1
  in_tree apt-get -q update && in_tree apt-get -q -y dist-upgrade || return 1
  rm -rf "$tree"/var/lib/apt/lists/*                                         # as bare as a new system's
}

# ---- what is looked at ----

build() {
  local output
  output=$(as_user ./run --build-only) && echo "$output" && [ -x "$tree$(tail -1 <<< "$output")" ]
}

build_again() { build && ! grep -E 'Compiling|Linking' "$tree/$clone/build/logs/ninja-release.log"; }

# The last line of ./test says how many; a suite that ran none has failed there.
suite_passes() {
  as_user ./test "$1" && tail -1 "build/logs/debian-$suite-$1.log" | grep -qE '^[1-9][0-9]* passed, 0 failed'
}

# Whatever apt, npm, meson, the compiler and ./run themselves complain of.
no_warning() {
  local logs
  mapfile -t logs < <(ls "$tree/$clone"/build/logs/{apt,npm,meson-[!t]*,ninja-*}.log build/logs/debian-"$suite"-{build,again,api,unit}.log 2> /dev/null)
  ! grep -HiE '^(W|E): |npm (warn|err)|\bwarning:|found: NO|command not found|once more, without' "${logs[@]}"
}

# Says what still runs in the system, and ends it: what comes next is not to blame for it.
nothing_left() {
  local process left=0
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/root" 2> /dev/null)" = "$tree" ] || continue
    left=$(( left + 1 ))
    echo "still running: $(tr '\0' ' ' < "$process/cmdline")"
    kill -KILL "${process#/proc/}" || true
  done
  return $(( left > 0 ))
}

# Those that later tests and benches compare with, or talk to. Debian 13 has no janus. That policy-rc.d was asked, and forbade, shows that
# they would have been started.
no_daemon() {
  local names=(mosquitto rabbitmq-server)
  [ "$suite" != bookworm ] || names+=(janus)
  in_tree apt-get -q update && in_tree apt-get -q -y --no-install-recommends install --reinstall "${names[@]}" || return 1
  sleep 2
  nothing_left && grep -qE 'policy-rc.d denied execution of (re)?start' "build/logs/debian-$suite-daemons.log"
}

check_suite() {
  tree=$folder/$suite
  rm -rf build/logs/debian-"$suite"*
  check bare "a bare system" make_tree || return 0
  mount_tree
  if check furnish "its network, its user, a clone of $(git rev-parse --short HEAD)" furnish_tree; then
    check build "./run --build-only, as an ordinary user" build || true
    check again "./run --build-only once more compiles nothing" build_again || true
    check api "./test api" suite_passes api || true
    ! $unit || check unit "./test unit" suite_passes unit || true
    check warnings "nothing is missing, no warning" no_warning || true
    check left "no process is left" nothing_left || true
    check daemons "the packages of tests start no daemon" no_daemon || true
    cp -R "$tree/$clone/build/logs" "build/logs/debian-$suite" || true
  fi
  unmount_tree
  if $keep; then
    say "  kept: $tree"
  else
    step "$suite: tidying up" "debian-$suite-remove" remove_tree
  fi
}

[ -n "$(mirror Debian)" ] || step "Fetching Debian's package lists" apt-update apt-get -q update || true
[ -n "$(mirror Debian)" ] || die "apt here knows no mirror of Debian"
mapfile -t network < <(network_variables)
for suite in "${suites[@]}"; do check_suite; done
echo "$passed passed, $failed failed"
(( failed == 0 ))
