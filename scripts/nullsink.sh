#!/bin/bash
# A place to send to where receiving costs nothing: two network namespaces joined by a veth pair. Peers in the far one connect for
# real (ICE, DTLS); what is sent to them is dropped and counted as it arrives there, before IP and UDP, if it is RTP or RTCP: UDP,
# the first byte of the datagram 128 to 191 (RFC 7983). Consent and DTLS live on. Ports 9000 to 9999 get everything: a few peers who
# look at what comes.
#
# usage: scripts/nullsink.sh [--seconds N] COMMAND [ARGUMENT...]
#   COMMAND runs where it is called, for at most N seconds (1800), and finds in its environment:
#     SINK_NEAR, SINK_FAR         names of the namespaces: the server is started by `ip netns exec $SINK_NEAR`, its peers in $SINK_FAR
#     SINK_NEAR_IP, SINK_FAR_IP   their addresses
#   `ip netns exec $SINK_FAR nft list chain netdev sink in` tells what was dropped. An end of it in any way takes both away.
#
# Needs root, and the packages iproute2 and nftables.
set -eu

seconds=1800
if [ "${1:-}" = --seconds ]; then
  seconds=$2
  shift 2
fi
[ $# -gt 0 ] || { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "nullsink.sh: namespaces are made by root" >&2; exit 3; }
for tool in ip nft; do
  command -v $tool > /dev/null || { echo "nullsink.sh: there is no $tool (packages iproute2 and nftables)" >&2; exit 3; }
done

export SINK_NEAR=sink-near-$$ SINK_FAR=sink-far-$$ SINK_NEAR_IP=10.97.1.1 SINK_FAR_IP=10.97.1.2

remove() {
  ip netns del "$SINK_NEAR" 2> /dev/null || true
  ip netns del "$SINK_FAR" 2> /dev/null || true
}
trap remove EXIT
trap 'exit 130' INT TERM HUP

ip netns add "$SINK_NEAR"
ip netns add "$SINK_FAR"
ip -n "$SINK_NEAR" link add near type veth peer name far netns "$SINK_FAR"
for side in near far; do
  [ $side = near ] && space=$SINK_NEAR ip=$SINK_NEAR_IP || { space=$SINK_FAR ip=$SINK_FAR_IP; }
  ip -n "$space" address add "$ip/24" dev $side
  ip -n "$space" link set lo up
  ip -n "$space" link set $side up
done
# The kernel says a moment later that the link is up: a server that looks for its addresses before would find none.
for _ in $(seq 50); do
  ip -n "$SINK_NEAR" -o link show near | grep -q 'state UP' && ip -n "$SINK_FAR" -o link show far | grep -q 'state UP' && break
  sleep 0.1
done
# A thousand sockets of peers: none of them may be refused a neighbour's answer, nor a port.
ip netns exec "$SINK_FAR" sysctl -qw net.ipv4.ip_local_port_range="10000 65000"
ip netns exec "$SINK_FAR" nft -f - << 'RULES'
table netdev sink {
  chain in {
    type filter hook ingress device "far" priority 0; policy accept;
    udp dport 9000-9999 accept
    ip protocol udp @th,64,2 2 counter drop
  }
}
RULES

timeout --kill-after=10 "$seconds" "$@" <&0 &
command=$!
trap 'kill "$command" 2> /dev/null; exit 130' INT TERM HUP
wait "$command"
