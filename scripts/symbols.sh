#!/bin/bash
# Reads the undefined symbols of our objects: what a layer may not do, it can't even ask the linker for.
#
# usage: scripts/symbols.sh [BUILD]     a build without link-time optimisation; default build/gcc
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/gcc}
[ -d "$build/src" ] || { echo "symbols: $build is not built" >&2; exit 1; }

locks='^(pthread_(mutex|cond|rwlock|spin|barrier).*|mtx_.*|cnd_.*|sem_(init|wait|post|timedwait|open).*)$'
sockets='socket|socketpair|bind|connect|accept4?|listen|send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|getsockopt|setsockopt|poll|ppoll|select|epoll_.*|eventfd|open|openat|open64|read|write|pread|pwrite|close|fopen|fopen64|fclose|fread|fwrite|fgets|mmap|munmap|ioctl|fcntl|getaddrinfo|getenv|system|fork|exec.*'
clocks='time|gettimeofday|clock|clock_gettime|timespec_get|nanosleep|usleep|sleep|clock_nanosleep'
threads='pthread_.*|thrd_.*|sched_.*|sigaction|signal|kill|raise'
memory='malloc|calloc|realloc|reallocarray|free|strdup|strndup|asprintf|vasprintf|getline|posix_memalign|aligned_alloc|memalign'
random='rand|rand_r|srand|random|srandom|drand48|arc4random.*|getrandom|getentropy|RAND_.*'
banned="^($sockets|$clocks|$threads|$memory|$random)$"

# What a library needs of this in its own wrappers. dtls, tls, seal and stun: OpenSSL, by its names; nothing of libc.
excused() {
  case $1 in
    */src/proto/dtls/* | */src/proto/tls/* | */src/proto/seal/* | */src/proto/stun/* | */src/proto/ws/*) echo '^RAND_(bytes|status|priv_bytes)$' ;;
    *) echo '^$' ;;
  esac
}

failed=0 seen=0 pure=0
complain() { echo "not ok - $1"; failed=$(( failed + 1 )); }

while IFS= read -r object; do
  seen=$(( seen + 1 ))
  undefined=$(nm -u --format=posix "$object" | awk '{ sub(/@.*/, "", $1); print $1 }')
  # __isoc99_ and _chk are the same functions by other names.
  undefined=$(sed -E 's/^__(.*)_chk$/\1/; s/^__isoc(99|23)_//' <<< "$undefined")
  bad=$(grep -E "$locks" <<< "$undefined" || true)
  [ -z "$bad" ] || complain "${object#"$build"/} has a lock: $(tr '\n' ' ' <<< "$bad")"
  case $object in
    *src_base_* | */src/base/* | */src/proto/* | */src/peer/* | */src/media/*)
      pure=$(( pure + 1 ))
      bad=$(grep -E "$banned" <<< "$undefined" | grep -Ev "$(excused "$object")" || true)
      [ -z "$bad" ] || complain "${object#"$build"/} is to be pure, and uses: $(tr '\n' ' ' <<< "$bad")"
      ;;
  esac
done < <(find "$build/src" -name '*.o' | sort)

# Nothing that changes may be global (design, section 2): no object has writable data, but for what is listed here with its reason.
# gettimeofday.c: libssl calls it without an argument; the clock it reads is the calling thread's.
while IFS= read -r line; do
  complain "a global that can change: $line"
done < <(find "$build/src" -name '*.o' | sort | xargs -r nm -A --format=posix | awk '$3 ~ /^[BbDd]$/ && $2 !~ /^(__|\.L|\.str|CSWTCH|static_tables_end)/ { print }' |
  grep -vE '(gettimeofday|runtime_(clock|check|memory))\.c\.o|\.data\.rel\.ro' | sed "s#^$build/##" | while IFS= read -r entry; do
    object=${entry%%:*} name=$(awk '{ print $2 }' <<< "$entry")
    # .data.rel.ro: constant tables of pointers
    section=$(objdump -t "$build/$object" | awk -v n="$name" '$NF == n { for (i = 1; i <= NF; i++) if ($i ~ /^\./) { print $i; exit } }')
    case $section in .data.rel.ro* | .rodata*) ;; *) echo "$object $name ($section)" ;; esac
  done)

[ "$seen" -gt 0 ] && [ "$pure" -gt 0 ] || complain "no object was looked at"
echo "$seen objects looked at ($pure of the pure layers), $failed problems"
[ "$failed" -eq 0 ]
