# Shared by ./run, ./test and scripts/: saying things, steps with progress, packages. Sourced by bash, from the root of the clone.

mkdir -p build/logs build/stamps

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# step TEXT LOGNAME COMMAND...: runs it with its output in build/logs/LOGNAME.log. Says that it goes on, if it takes longer than a
# moment; shows the log's end if it fails. Beside others (STEP_BESIDE is set) it says nothing until it ends, and then whole lines.
step() {
  local text=$1 log=build/logs/$2.log began=$SECONDS said=false next=5 pid rc=0
  shift 2
  "$@" > "$log" 2>&1 < /dev/null &
  pid=$!
  # A shell without job control starts this one deaf to Ctrl-C.
  trap 'pkill -TERM -P "$pid" 2> /dev/null; kill -TERM "$pid" 2> /dev/null; echo >&2; exit 130' INT TERM
  while kill -0 "$pid" 2> /dev/null; do
    sleep 0.1
    [ -z "${STEP_BESIDE:-}" ] || continue
    if ! $said && (( SECONDS - began >= 1 )); then
      said=true
      printf '  %s ' "$text" >&2
    fi
    if (( SECONDS - began >= next )); then
      next=$(( SECONDS - began + 5 ))
      printf '.' >&2
    fi
  done
  wait "$pid" || rc=$?
  trap - INT TERM
  if (( rc != 0 )); then
    $said || printf '  %s ' "$text" >&2
    printf ' FAILED (%d s); the end of %s:\n%s\n' $(( SECONDS - began )) "$log" "$(tail -n 25 "$log" | sed 's/^/    /')" >&2
  elif [ -n "${STEP_BESIDE:-}" ]; then
    printf '  %s  done (%d s)\n' "$text" $(( SECONDS - began )) >&2
  elif $said; then
    printf ' done (%d s)\n' $(( SECONDS - began )) >&2
  fi
  return "$rc"
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n true 2> /dev/null || say "  (sudo asks for your password: the packages are installed by it)"
    sudo "$@"
  fi
}

has_package() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]; }

# What is missing of the named packages, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    has_package "$name" || printf '%s\n' "$name"
  done
}

# What comes with a daemon (the reference, brokers) is only compared with or talked to: none is started by being installed.
apt_install() {
  # shellcheck disable=SC2016
  as_root env DEBIAN_FRONTEND=noninteractive sh -c '
    policy=/usr/sbin/policy-rc.d ours=no
    apt-get -q update || exit 1
    if [ ! -e $policy ]; then
      printf "#!/bin/sh\nexit 101\n" > $policy && chmod 755 $policy && ours=yes
    fi
    apt-get -q -y --no-install-recommends install "$@"
    rc=$?
    [ $ours = no ] || rm -f $policy
    exit $rc' apt_install "$@"
}

# need_packages NAME...: installs what is missing, by sudo if need be.
need_packages() {
  local missing
  command -v dpkg-query > /dev/null || die "this needs Debian 12 or 13 (there is no dpkg here)"
  mapfile -t missing < <(missing_packages "$@")
  (( ${#missing[@]} == 0 )) && return 0
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || die "these packages are missing, and there is no sudo: ${missing[*]}"
    sudo -v || die "these packages are missing: ${missing[*]}"
  fi
  step "Installing from Debian: ${missing[*]}" apt apt_install "${missing[@]}"
}

# A Node that came from elsewhere will do; Debian's is installed only where there is none.
node_packages() {
  command -v node > /dev/null || echo nodejs
  command -v npm > /dev/null || echo npm
}

build_packages() {
  printf '%s\n' gcc libc6-dev meson ninja-build pkg-config libssl-dev libjansson-dev libcurl4-openssl-dev libmosquitto-dev librabbitmq-dev libnanomsg-dev zlib1g-dev ca-certificates openssl
  [ "$(dpkg --print-architecture)" = amd64 ] && echo libipsec-mb-dev
  node_packages
}

# need_npm [all]: what the pages use; with `all` also what the tests use. Again only when the lock file has changed.
need_npm() {
  local what=${1:-pages} have sum
  sum=$(cat package.json package-lock.json | sha256sum | cut -c1-16)
  have=$(cat build/stamps/npm 2> /dev/null || true)
  if [ -d node_modules ] && { [ "$have" = "$sum all" ] || [ "$have" = "$sum $what" ]; }; then
    return 0
  fi
  [ ! -d node_modules/puppeteer-core ] || what=all           # the tests' were there: they stay
  local omit=()
  [ "$what" = all ] || omit=(--omit=dev)
  step "Fetching the pages' JavaScript from npm" npm npm ci --no-progress --loglevel=error "${omit[@]}" || return 1
  echo "$sum $what" > build/stamps/npm
}

# build_release: build/release/cardea, with link-time optimisation where the toolchain manages it.
build_release() {
  local dir=build/release
  if [ ! -f $dir/build.ninja ]; then
    step "Preparing the build" meson-release meson setup $dir --buildtype=release -Db_lto=true -Dc_link_args=-flto=auto -Dtests=false -Dfuzz=false -Dtools=false || return 1
  fi
  if ! step "Building the server" ninja-release ninja -C $dir cardea; then
    grep -qi 'lto' build/logs/ninja-release.log || return 1
    say "  once more, without link-time optimisation"
    meson configure $dir -Db_lto=false > /dev/null
    step "Building the server" ninja-release ninja -C $dir cardea
  fi
}
