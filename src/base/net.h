/* base/net.h - addresses as plain values, so that protocol code needs no socket headers. */
#pragma once

#include "base/types.h"

enum net_family { NET_NONE = 0, NET_IP4 = 4, NET_IP6 = 6 };

/* An IP address and port in network byte order inside `ip`, host order in `port`. IPv4 uses ip[0..3], the rest is zero,
 * so two equal addresses are equal bytes. IPv4-mapped IPv6 is always stored as IPv4 (security.md: canonicalise first). */
struct net_addr {
    uint8_t ip[16];
    uint16_t port;
    uint8_t family;         /* enum net_family */
    uint8_t pad;
    uint32_t scope;         /* IPv6 link-local zone, 0 otherwise */
};

/* Which of our sockets, and who is on the other side. */
struct net_tuple {
    uint32_t socket;        /* index of the worker's local socket, and so of its base address */
    struct net_addr remote;
};

bool net_addr_equal(const struct net_addr *a, const struct net_addr *b);     /* port included */
bool net_ip_equal(const struct net_addr *a, const struct net_addr *b);       /* port ignored */
bool net_tuple_equal(const struct net_tuple *a, const struct net_tuple *b);

/* "192.0.2.1" or "2001:db8::1", no brackets, no port. Mapped addresses become IPv4. */
bool net_ip_parse(struct net_addr *out, struct view text);

#define NET_IP_TEXT 46      /* longest text and NUL */
const char *net_ip_text(const struct net_addr *addr, char out[NET_IP_TEXT]);

bool net_ip_is_any(const struct net_addr *addr);          /* 0.0.0.0 or :: */
bool net_ip_is_multicast(const struct net_addr *addr);    /* 224.0.0.0/4 or ff00::/8 */
bool net_ip_is_loopback(const struct net_addr *addr);
bool net_ip_is_linklocal(const struct net_addr *addr);
bool net_ip_is_private(const struct net_addr *addr);      /* RFC 1918, unique local */
/* One host that anybody on the Internet can reach: none of the above, nor any other range that RFC 6890 keeps for itself, nor
 * multicast, nor an IPv6 address that a translator turns into IPv4 (it may be one of those). */
bool net_ip_is_public(const struct net_addr *addr);

/* True when `ip` is inside `prefix`/`bits`. */
bool net_ip_in(const struct net_addr *ip, const struct net_addr *prefix, unsigned bits);

/* Access lists (transports.md 1.8, security.md): `list` is comma separated; an entry is a whole address, a prefix that ends
 * at a dot or colon, or address/n. Never a bare substring. An empty list admits everybody. */
bool net_acl_admits(struct view list, const struct net_addr *addr);
